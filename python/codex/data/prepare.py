"""From a configuration to token shards: records -> splits -> tokenizer -> shards, what is there already left
as it is.

Change a byte of one raw file and everything is built again; change the vocabulary and records and splits
stay. `codex.data.store` says how a stage is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex.data.filters import Filters
from codex.data.formats import Reading
from codex.data.ingest import Rules, ingest, ingest_shard, read_digests
from codex.data.listing import name_roots
from codex.data.progress import Progress, Silent
from codex.data.source import source_of
from codex.data.split import split
from codex.data.store import STAGES, Place, Recipe, Stage, evict_stages, fetch, held, take
from codex.data.tokenize import bring_tokenizer, make_shards, make_tokenizer
from codex.data.units import cut_units
from codex.errors import MissingDataError, UsageError
from codex.file import PartialFolder, create_folder
from codex.tokens import Tokenizer, load_tokenizer

if TYPE_CHECKING:
    from codex.config.schema import Config, Data

__all__ = ["CODE", "Prepared", "prepare", "prepare_shard", "prepare_until", "taken_from"]

#: Part of every key: a stage whose code now writes other bytes gets the next number.
CODE = {"records": 4, "splits": 2, "tokenizer": 1, "shards": 2}


@dataclass(frozen=True, slots=True)
class Prepared:
    """The four folders that training starts from, and where they came from."""

    records: Path
    splits: Path
    tokenizer: Path
    shards: Path
    lineage: list[dict[str, Any]]
    """One entry a stage: kind, digest, parents (of records: its list of raw files), parameters, counts, files."""
    built: dict[str, bool]
    """Stage -> whether it was built now."""


def prepare(config: Config, *, cache: Path, progress: Progress | None = None) -> Prepared:
    """Make sure that everything training reads exists and verifies; build what does not.

    Args:
        config: sections `data` and `tokens` are used.
        cache: folder that prepared data is kept in, see `codex.data.store.cache_folder`.
        progress: told what happens; default nobody.

    Raises:
        DataError: a corpus that is missing, unreadable or without text, or too small to split.
        MachineError: a cache that cannot be written, a full disk.
    """
    stages = prepare_until("shards", config, place=Place(cache), progress=progress)
    keep = ("kind", "digest", "parents", "parameters", "counts", "files")
    return Prepared(
        **{name: stage.folder for name, stage in stages.items()},
        lineage=[{key: stage.manifest[key] for key in keep} for stage in stages.values()],
        built={name: stage.built for name, stage in stages.items()},
    )


def prepare_until(
    last: str,
    config: Config,
    *,
    place: Place,
    progress: Progress | None = None,
    taken: Stage | None = None,
) -> dict[str, Stage]:
    """Build or find every stage up to and with `last`; as `prepare` otherwise.

    Args:
        taken: a finished stage to go on from, as it is; those before it are not looked at.
    """
    plan = _Plan(config, place, progress or Silent())
    first = 0
    if taken is not None:
        plan.done[taken.name] = taken
        first = STAGES.index(taken.name) + 1
    recipes: dict[str, Callable[[], Recipe]] = {
        "records": plan.records,
        "splits": plan.splits,
        "tokenizer": plan.tokenizer,
        "shards": plan.shards,
    }
    for name in STAGES[first : STAGES.index(last) + 1]:
        plan.done[name] = fetch(recipes[name](), place, plan.progress)
    if place.out is None:
        evict_stages(place.cache, {stage.folder for stage in plan.done.values()}, plan.progress)
    return plan.done


def prepare_shard(
    config: Config,
    number: int,
    count: int,
    *,
    place: Place,
    progress: Progress | None = None,
    waits: bool = False,
) -> dict[str, Any]:
    """Read one of `count` shards of the corpus, the first of which is 1; `prepare_until` then finds what all of them made.

    Args:
        waits: for another process that is reading the same one to the same place.

    Returns:
        `counts` and `dropped` of the shard.

    Raises:
        UsageError: if there is no such shard.
        LockError: if another process is reading the same one to the same place, and this one does not wait.
    """
    if not 1 <= number <= count:
        raise UsageError(f"shard {number} of {count} is none, expected 1/{count} to {count}/{count}")
    source = source_of(config.data, not_input=place.written())
    progress = progress or Silent()
    rules = rules_of(config.data, source.reading)
    source.bring(place.cache, progress)
    folder = place.units()
    create_folder(folder)
    with held(folder / f"shard-{number}-of-{count}.lock", f"shard {number}/{count}", progress, waits=waits):
        return ingest_shard(source.listing, folder, rules, number, count, progress=progress)


def taken_from(folder: Path, last: str) -> Stage:
    """What `last` can go on from in an `--out` folder: its splits if those come before, else its records.

    Raises:
        MissingDataError: if it has neither.
        DamageError: if what it has is not as it was written.
    """
    for name in ("splits", "records"):
        if STAGES.index(name) < STAGES.index(last) and (folder / name / "manifest.json").is_file():
            return take(name, folder / name)
    raise MissingDataError(
        f"no records in `{folder}`", hint=f"`codex data ingest PLACE... --out {folder}` makes them"
    )


def rules_of(data: Data, reading: Reading) -> Rules:
    """How files that are read so become records, as section `data` says."""
    filters = Filters.of(data)
    drop_above = data.near_duplicate_threshold if data.near_duplicates == "drop" else None
    return Rules(
        reading,
        filters,
        drop_above,
        {"code": CODE["records"], **asdict(reading), **filters.parameters()},
    )


@dataclass(slots=True)
class _Plan:
    """The recipe of each stage, which needs those before it."""

    config: Config
    place: Place
    progress: Progress
    done: dict[str, Stage] = field(default_factory=dict)

    def records(self) -> Recipe:
        data = self.config.data
        source = source_of(data, not_input=self.place.written())
        corpus, listing, rules = source.corpus, source.listing, rules_of(data, source.reading)
        self.progress.say(
            f"corpus {corpus.name or ', '.join(data.paths)}: {listing.totals[0]:,} files,"
            f" {len(listing.skipped):,} that are not read, {listing.set_aside:,} set aside by its rules"
        )
        source.bring(self.place.cache, self.progress)
        raw = read_digests(listing, cut_units(listing.files), self.progress)
        return Recipe(
            "records",
            parents=raw.parents(),
            parameters={
                **rules.parameters,
                "drop_above": rules.drop_above,
                "corpus": corpus.name,
                "roots": [name for name, _ in name_roots((*corpus.roots, *corpus.addresses))],
                "corpus_include": list(corpus.include),
                "corpus_exclude": list(corpus.exclude),
                "include": list(data.include),
                "exclude": list(data.exclude),
            },
            unread=tuple((entry.path, entry.reason, entry.bytes) for entry in raw.skipped),
            needed_bytes=listing.files.totals[1],
            circumstances={"places": corpus.places()},
            build=lambda folder: ingest(folder, raw, self.place.units(), rules, progress=self.progress),
        )

    def splits(self) -> Recipe:
        records = self.done["records"]
        data = self.config.data
        parameters = {
            "code": CODE["splits"],
            "validation_fraction": data.validation_fraction,
            "test_fraction": data.test_fraction,
            "near_duplicate_threshold": data.near_duplicate_threshold,
        }
        return Recipe(
            "splits",
            parents=self._parents("records"),
            parameters=parameters,
            needed_bytes=_size(records),
            build=lambda folder: split(
                folder, records.folder / "records.ndjson", parameters=parameters, progress=self.progress
            ),
        )

    def tokenizer(self) -> Recipe:
        if self.config.tokens.tokenizer is not None:
            return self._brought_tokenizer(Path(self.config.tokens.tokenizer))
        splits = self.done["splits"].folder
        size = self.config.tokens.vocabulary_size
        return Recipe(
            "tokenizer",
            parents=self._parents("splits"),
            parameters={"code": CODE["tokenizer"], "vocabulary_size": size},
            build=lambda folder: make_tokenizer(folder, splits, vocabulary_size=size, progress=self.progress),
        )

    def _brought_tokenizer(self, path: Path) -> Recipe:
        tokenizer = load_tokenizer(path)
        if not isinstance(tokenizer, Tokenizer):
            raise UsageError(
                f"`tokens.tokenizer` is `{path}`, a tokenizer of another kind than byte-pair encoding",
                hint="token shards are made by byte-pair encoding",
            )
        return Recipe(
            "tokenizer",
            parents=[{"kind": "tokenizer.json", "digest": tokenizer.fingerprint}],
            parameters={"code": CODE["tokenizer"]},
            build=lambda folder: bring_tokenizer(folder, tokenizer),
        )

    def shards(self) -> Recipe:
        splits, tokenizer = self.done["splits"], self.done["tokenizer"].folder

        def build(folder: PartialFolder) -> dict[str, Any]:
            unfinished = self.place.unfinished("shards", recipe.key)
            return make_shards(folder, unfinished, splits.folder, tokenizer, progress=self.progress)

        recipe = Recipe(
            "shards",
            parents=self._parents("splits", "tokenizer"),
            parameters={"code": CODE["shards"]},
            needed_bytes=_size(splits) // 2,
            build=build,
            keeps=True,
        )
        return recipe

    def _parents(self, *names: str) -> list[dict[str, Any]]:
        return [{"kind": name, "digest": self.done[name].manifest["digest"]} for name in names]


def _size(stage: Stage) -> int:
    return sum(int(entry["bytes"]) for entry in stage.manifest["files"])
