"""From a configuration to token shards: records -> splits -> tokenizer -> shards, what is there already left
as it is.

Change a byte of one raw file and everything is built again; change the vocabulary and records and splits
stay. `codex.data.store` says how a stage is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex.data.corpora import corpus_of
from codex.data.filters import Filters
from codex.data.formats import Reading, is_streamed
from codex.data.ingest import Rules, ingest, read_digests
from codex.data.listing import list_files, name_roots
from codex.data.progress import Progress, Silent
from codex.data.split import split
from codex.data.store import STAGES, Place, Recipe, Stage, fetch
from codex.data.tokenize import bring_tokenizer, make_shards, make_tokenizer
from codex.errors import UsageError
from codex.file import PartialFolder
from codex.tokens import Tokenizer, load_tokenizer

if TYPE_CHECKING:
    from codex.config.schema import Config

__all__ = ["Prepared", "prepare", "prepare_until"]

# Part of every key: a stage whose code now writes other bytes gets the next number.
_CODE = {"records": 3, "splits": 2, "tokenizer": 1, "shards": 2}


@dataclass(frozen=True, slots=True)
class Prepared:
    """The four folders that training starts from, and where they came from."""

    records: Path
    splits: Path
    tokenizer: Path
    shards: Path
    lineage: list[dict[str, Any]]
    """One entry a stage: kind, digest, parents (of records: every raw file), parameters, counts, files."""
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
    last: str, config: Config, *, place: Place, progress: Progress | None = None
) -> dict[str, Stage]:
    """Build or find every stage up to and with `last`; as `prepare` otherwise."""
    plan = _Plan(config, place, progress or Silent())
    recipes: dict[str, Callable[[], Recipe]] = {
        "records": plan.records,
        "splits": plan.splits,
        "tokenizer": plan.tokenizer,
        "shards": plan.shards,
    }
    for name in STAGES[: STAGES.index(last) + 1]:
        plan.done[name] = fetch(recipes[name](), place, plan.progress)
    return plan.done


def rules_of(config: Config) -> Rules:
    """How files become records, as section `data` says."""
    data = config.data
    reading = Reading(data.format, data.encoding, data.text_key, data.maximum_file_bytes)
    filters = Filters.of(data)
    drop_above = data.near_duplicate_threshold if data.near_duplicates == "drop" else None
    return Rules(
        reading,
        filters,
        drop_above,
        {"code": _CODE["records"], **asdict(reading), **filters.parameters()},
    )


@dataclass(slots=True)
class _Plan:
    """The recipe of each stage, which needs those before it."""

    config: Config
    place: Place
    progress: Progress
    done: dict[str, Stage] = field(default_factory=dict)

    def records(self) -> Recipe:
        data, rules = self.config.data, rules_of(self.config)
        corpus = corpus_of(data)
        listing = list_files(
            corpus,
            include=data.include,
            exclude=data.exclude,
            maximum_file_bytes=data.maximum_file_bytes,
            not_input=self.place.written(),
            is_streamed=partial(is_streamed, chosen=data.format),
        )
        self.progress.say(
            f"corpus {corpus.name or ', '.join(data.paths)}: {len(listing.files):,} files,"
            f" {len(listing.skipped):,} that are not read, {listing.set_aside:,} set aside by its rules"
        )
        raw = read_digests(listing, self.progress)
        return Recipe(
            "records",
            parents=raw.parents(),
            parameters={
                **rules.parameters,
                "drop_above": rules.drop_above,
                "corpus": corpus.name,
                "roots": [name for name, _ in name_roots(corpus.roots)],
                "corpus_include": list(corpus.include),
                "corpus_exclude": list(corpus.exclude),
                "include": list(data.include),
                "exclude": list(data.exclude),
            },
            unread=tuple((entry.path, entry.reason, entry.bytes) for entry in raw.skipped),
            needed_bytes=sum(found.bytes for found in listing.files),
            build=lambda folder: ingest(folder, raw, self.place.units(), rules, progress=self.progress),
        )

    def splits(self) -> Recipe:
        records = self.done["records"]
        data = self.config.data
        parameters = {
            "code": _CODE["splits"],
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
            parameters={"code": _CODE["tokenizer"], "vocabulary_size": size},
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
            parameters={"code": _CODE["tokenizer"]},
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
            parameters={"code": _CODE["shards"]},
            needed_bytes=_size(splits) // 2,
            build=build,
            keeps=True,
        )
        return recipe

    def _parents(self, *names: str) -> list[dict[str, Any]]:
        return [{"kind": name, "digest": self.done[name].manifest["digest"]} for name in names]


def _size(stage: Stage) -> int:
    return sum(int(entry["bytes"]) for entry in stage.manifest["files"])
