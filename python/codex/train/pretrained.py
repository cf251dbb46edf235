"""Weights to start from: a checkpoint whose shape and tokenizer a configuration takes over.

`adopt` is the function to start from: what the configuration leaves out is the checkpoint's, what it says otherwise is
refused. A resumed run has its shape from what it recorded, so the checkpoint it began with may be gone by then.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from codex import checkpoint
from codex.config import Config, LoadedConfig
from codex.config.dump import dump_value
from codex.config.faults import Fault, Origin, config_error
from codex.config.find import find
from codex.config.load import DEFAULT_NAME
from codex.config.schema import Model
from codex.errors import DamageError, MissingDataError
from codex.file import read_manifest
from codex.tokens import Tokenizer, load_tokenizer

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Source", "adopt", "load_weights"]

#: Keys of `model` that no weight and no answer of the checkpoint depends on.
_OWN = frozenset({"pretrained", "dropout"})

_TOKENIZER_FILE = "tokenizer.json"
_TEMPLATE_FILE = "chat_template.jinja"


def adopt(loaded: LoadedConfig, recorded: Config | None = None) -> LoadedConfig:
    """The configuration with the shape and the tokenizer of `model.pretrained`; as it is where that is null.

    Args:
        loaded: the configuration.
        recorded: of the run or checkpoint that is gone on with, if one is.
    Returns:
        With every key of `model` as the checkpoint has it, but dropout and, in a Llama, a shorter context.
    Raises:
        ConfigError: with every key that says otherwise than the checkpoint, and where; or if there are no weights to adapt.
        MissingDataError: if no checkpoint is there.
        DamageError: if it holds no configuration or no tokenizer, or `tokens.tokenizer` is another one.
    """
    config = loaded.config
    wanted = config.model.pretrained
    if wanted is None:
        needs = {"adapt.lora": config.adapt.lora, "train.objective": config.train.objective != "text"}
        if any(needs.values()):  # no rule of the configuration: a packaged one leaves open which weights
            raise config_error([_no_weights(loaded, key) for key, is_set in needs.items() if is_set])
        return loaded
    if recorded is not None and recorded.model.pretrained == wanted:
        theirs, tokenizer, template = recorded.model, recorded.tokens.tokenizer, recorded.tokens.chat_template
        where = "the run"
    else:
        folder = _folder(wanted)
        theirs, tokenizer = _shape(folder, config.tokens.tokenizer)
        there = folder / _TEMPLATE_FILE
        template = str(there) if there.is_file() else None
        where = f"`{folder}`"
    given = {key: origin for key, origin in loaded.origins.items() if origin.source != _base_source()}
    context = config.model.context if "model.context" in given else theirs.context
    is_shortened = theirs.name == "llama" and context < theirs.context
    faults = []
    for name in Model.model_fields.keys() - _OWN:
        now, was = getattr(config.model, name), getattr(theirs, name)
        if f"model.{name}" in given and now != was and not (name == "context" and is_shortened):
            faults.append(_fault(f"model.{name}", now, was, given[f"model.{name}"], where))
    if faults:
        raise config_error(faults)
    own = {"pretrained": wanted, "dropout": config.model.dropout, "context": context}
    stride = config.evaluate.stride if "evaluate.stride" in given else min(config.evaluate.stride, context)
    tokens = {
        "tokenizer": config.tokens.tokenizer or tokenizer,
        "chat_template": config.tokens.chat_template or template,
    }
    sections = {
        "model": theirs.model_copy(update=own),
        "tokens": config.tokens.model_copy(update=tokens),
        "evaluate": config.evaluate.model_copy(update={"stride": stride}),
    }
    return replace(loaded, config=Config.model_validate(config.model_copy(update=sections).model_dump()))


class Source(NamedTuple):
    """The checkpoint that weights came from."""

    folder: Path
    step: int
    digest: str


def load_weights(model: nn.Module, path: str, digest: str | None = None) -> Source:
    """Give a model the weights of the checkpoint at `path`.

    Args:
        model: changed in place.
        path: `model.pretrained`.
        digest: of the checkpoint, if it must be a certain one.
    Raises:
        MissingDataError: if it is not there.
        DamageError: naming the tensor or file that is damaged, missing or of another shape.
    """
    folder = _folder(path) if digest is None else checkpoint.checkpoint_of_digest(Path(path), digest)
    tensors = checkpoint.load(folder, parts=("model",)).model
    own = model.state_dict()
    for name in own.keys() | tensors.keys():
        have = tuple(tensors[name].shape) if name in tensors else "absent"
        want = tuple(own[name].shape) if name in own else "absent"
        if have != want:
            raise DamageError(f"tensor `{name}` in `{folder}` is {have}, expected {want}")
    model.load_state_dict(tensors)
    manifest = read_manifest(folder)
    return Source(folder, manifest["step"], manifest["digest"])


def _folder(path: str) -> Path:
    place = Path(path)
    if (place / "config.json").is_file() and not (place / "manifest.json").is_file():
        raise MissingDataError(
            f"`model.pretrained` is `{path}`, a folder of transformers, expected a checkpoint of codex",
            hint=f"`codex checkpoint import {path} --out DIR` makes one",
        )
    return checkpoint.checkpoint_at(place)


def _shape(folder: Path, tokenizer: str | None) -> tuple[Model, str]:
    """The section `model` of a checkpoint, and where its tokenizer lies; `tokenizer` must be the same if it is given."""
    found = checkpoint.load(folder, parts=())
    if checkpoint.is_adapter(found):
        raise DamageError(
            f"`{folder}` holds an adapter, expected the weights of a whole model",
            hint=f"`codex checkpoint merge {folder} --out DIR` makes one",
        )
    if "config" not in found.state or _TOKENIZER_FILE not in found.files:
        raise DamageError(
            f"`{folder}` holds no tokenizer or no configuration, expected a checkpoint of a run"
        )
    if tokenizer is not None:
        fingerprint = Tokenizer.from_json(found.files[_TOKENIZER_FILE]).fingerprint
        if load_tokenizer(tokenizer).fingerprint != fingerprint:
            raise DamageError(
                f"`tokens.tokenizer` is `{tokenizer}`, not the one that `{folder}` was trained with",
                hint="leave `tokens.tokenizer` out: `model.pretrained` says it",
            )
    try:
        return Model.model_validate(found.state["config"]["model"]), str(folder / _TOKENIZER_FILE)
    except ValueError as error:
        reason = str(error).splitlines()[-2].strip()
        raise DamageError(f"the configuration in `{folder}` is none of this codex: {reason}") from None


def _base_source() -> str:
    """What the default run is called where its keys come from: what stands there was not asked for by anyone."""
    found = find(DEFAULT_NAME)
    assert found is not None
    return found.shown


def _no_weights(loaded: LoadedConfig, key: str) -> Fault:
    message = f"`{key}` is {dump_value(loaded.config.value(key))} and `model.pretrained` null, expected weights to begin with"
    hint = "name a checkpoint or a run: `model.pretrained=runs/base`"
    return Fault(message, loaded.origins[key], key=key, hint=hint)


def _fault(key: str, now: object, was: object, origin: Origin, where: str) -> Fault:
    message = f"`{key}` is {dump_value(now)}, but that of {where} is {dump_value(was)}"
    return Fault(message, origin, key=key, hint=f"leave `{key}` out: `model.pretrained` says it")
