"""A Hugging Face folder becomes a codex checkpoint: step 0, every tensor accounted for, its sources by digest.

What a codex model cannot express is refused by name before a tensor is read. Weights in half precision widen to
float32, which loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex.checkpoint.hf_folder import ModelFolder
from codex.checkpoint.layout import dtypes
from codex.checkpoint.save import save
from codex.errors import DamageError, DataError, UsageError
from codex.models.names import (
    head_and_embedding,
    known_name,
    model_section,
    tensor_shapes,
    tokenizer_config,
    transformers_config,
)

if TYPE_CHECKING:
    import torch

    from codex.config import Config

__all__ = ["Imported", "import_folder"]

_FLOATS = ("F32", "BF16", "F16")


@dataclass(frozen=True)
class Imported:
    """What was made, and from what."""

    path: Path
    #: Digest of each file that was read, by its name in the folder.
    sources: dict[str, str]
    #: Names in the folder that nothing was taken from.
    unread: list[str]
    tensors: int


def import_folder(
    folder: Path | str,
    out: Path | str,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Imported:
    """Make a checkpoint of a folder with `config.json`, safetensors (sharded or not) and `tokenizer.json`.

    Holds the whole model in memory, as float32.

    Args:
        folder: as `save_pretrained` writes it: a Llama, a Qwen3 or a GPT-2.
        out: the folder of checkpoints; `step-00000000` is made in it.
        overwrite: replace that step if it is there.
        progress: told the bytes read, and of how many.
    Returns:
        The checkpoint, durable; its manifest names the digests of the sources as parents.
    Raises:
        MissingDataError: if a file is missing.
        DataError: naming what codex cannot express or will not open: other architectures, biases, rope scaling,
            `auto_map`, pickles.
        DamageError: naming the tensor or the file that is damaged, missing or left over.
        UsageError: if the checkpoint is there already.
    """
    place = Path(out) / "step-00000000"
    if place.exists() and not overwrite:
        raise UsageError(f"`{place}` is there already", hint="name another folder, or give `--overwrite`")
    source = ModelFolder(Path(folder))
    config, files = _texts(source)
    model = _weights(source, config, progress)
    path = save(
        out,
        0,
        model=model,
        optimizer={},
        state_tensors={},
        state={"config": config.model_dump(mode="json"), "imported": source.digests},
        files=files,
        parents=sorted(set(source.digests.values())),
    )
    return Imported(path, source.digests, source.unread, len(model))


def _texts(source: ModelFolder) -> tuple[Config, dict[str, bytes]]:
    """A whole configuration around the model, and the files beside the weights as codex writes them."""
    from codex.tokens import Tokenizer

    named = source.read_object("config.json")
    tokenizer = Tokenizer.from_json(source.read("tokenizer.json"))
    where = f"(`{source.path / 'config.json'}`)"
    try:
        section = model_section(named)
    except DataError as error:
        raise DataError(f"{error} {where}") from error
    size = tokenizer.vocab_size
    if named.get("vocab_size") != size:
        message = (
            f"`vocab_size` is {named.get('vocab_size')!r}, expected {size}, the tokens of `tokenizer.json`"
        )
        raise DataError(f"{message} {where}")
    config = _config(section, size, where)
    return config, {
        "config.json": _json(transformers_config(config.model, size, tokenizer.end_of_document_id)),
        "tokenizer.json": tokenizer.to_json(),
        "tokenizer_config.json": _json(tokenizer_config(config.model.context)),
    }


def _config(section: Mapping[str, Any], vocabulary_size: int, where: str) -> Config:
    from pydantic import ValidationError

    from codex.config.schema import Config, Evaluate, Model, Tokens

    try:
        model = Model.model_validate(section)
        stride = min(Evaluate().stride, model.context)
        tokens = Tokens(vocabulary_size=vocabulary_size)
        return Config(model=model, tokens=tokens, evaluate=Evaluate(stride=stride))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(["model", *map(str, first["loc"])])
        raise DataError(f"as `{key}`: {first['msg']} {where}") from error


def _weights(
    source: ModelFolder, config: Config, progress: Callable[[int, int], None]
) -> dict[str, torch.Tensor]:
    """Every tensor of the model, once it is sure that there are these and no others."""
    import torch

    is_tied = config.model.tie_embeddings
    head, embedding = head_and_embedding(config.model)
    shapes = tensor_shapes(config.model, config.tokens.vocabulary_size)
    _check(source, config, {**shapes, head: shapes[embedding]} if is_tied else shapes, shapes.keys())
    model: dict[str, torch.Tensor] = {}
    done = 0
    for tensor, data in source.tensors():
        done += len(data)
        name = known_name(config.model, tensor.name)
        if name is not None:
            model[name] = torch.from_numpy(data).view(dtypes()[tensor.dtype]).reshape(tensor.shape).float()
        progress(done, source.tensor_bytes)
    if is_tied and not torch.equal(model.pop(head, model[embedding]), model[embedding]):
        raise DataError(f"`{head}` is not the embedding, but `tie_word_embeddings` is true (`{source.path}`)")
    return model


def _check(
    source: ModelFolder, config: Config, allowed: Mapping[str, tuple[int, ...]], needed: Collection[str]
) -> None:
    seen: set[str] = set()
    for file, (tensors, _) in source.layouts.items():
        where = f"(`{source.path / file}`)"
        for stored, dtype, shape, *_ in tensors:
            name = known_name(config.model, stored)
            if name is None:
                continue
            if name not in allowed:
                raise DataError(f"tensor `{name}` has no place in a codex model {where}")
            if tuple(shape) != allowed[name]:
                raise DamageError(f"tensor `{name}` is {shape}, expected {list(allowed[name])} {where}")
            if dtype not in _FLOATS:
                raise DataError(f"tensor `{name}` is {dtype}, expected {', '.join(_FLOATS)} {where}")
            if name in seen:
                raise DamageError(f"tensor `{name}` is there twice {where}")
            seen.add(name)
    if missing := set(needed) - seen:
        raise DamageError(f"tensor `{min(missing)}` is missing in `{source.path}`")


def _json(content: object) -> bytes:
    return json.dumps(content, indent=2, sort_keys=True).encode() + b"\n"
