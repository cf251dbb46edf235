"""A checkpoint for other tools: the folder that transformers or peft opens, or one safetensors file of the weights.

Tensors go from digest to disk in bounded batches, so that no byte is copied unchecked. The new folder appears whole
or not at all, with a manifest that names the checkpoint it came from. Tied tensors are written out: every name is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codex._core import CheckpointReader
from codex.checkpoint.layout import ADAPTER_CONFIG_FILE, ADAPTER_FILE, MODEL_FILE, model_file
from codex.checkpoint.stream import Row, rows_of, state_of, stream
from codex.errors import DamageError, MissingDataError, UsageError
from codex.file import (
    PartialFolder,
    create_folder,
    list_files,
    read_manifest,
    require_space,
    safetensors_header,
    write_manifest,
)
from codex.models.names import require_expressible, tensor_shapes, tokenizer_config, transformers_config

__all__ = ["KIND", "Exported", "export"]

#: What the manifest of an export says it is.
KIND = "model"
_KINDS = ("hf", "safetensors", "peft")
_INDEX_FILE = f"{MODEL_FILE}.index.json"
_TOKENIZER_FILE = "tokenizer.json"
#: Dtype in safetensors -> in torch, for `config.json`; the widest comes first.
_FLOATS = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    #: By name, the manifest left out.
    files: list[str]
    bytes: int
    tensors: int


def export(
    checkpoint: Path | str,
    out: Path | str,
    *,
    to: str,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Exported:
    """Write the model of a checkpoint as other tools read it; durable when this returns.

    Args:
        checkpoint: one checkpoint, `.../step-00001000`.
        out: the folder to make.
        to: `hf` is config, weights (sharded where the checkpoint is) and tokenizer, for `from_pretrained`;
            `safetensors` is one file of weights, `model.safetensors`; `peft` is an adapter, for `PeftModel.from_pretrained`.
        overwrite: replace `out`, if it is an export.
        progress: told the bytes written, and of how many.
    Raises:
        UsageError: if `to` is none of them, an adapter is to be what only a whole model can be or the other way round,
            `out` is there already, or the model has an option that no architecture in
            transformers has.
        DamageError: naming the file, and the tensor where there is one, whose bytes are not those that were saved.
        DiskFullError: if there is no room; `out` is as it was.

    >>> import tempfile, torch
    >>> from codex.checkpoint import save
    >>> rest = dict(optimizer={}, state_tensors={}, state={}, files={})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(folder, 7, model={"scale": torch.ones(3)}, **rest)
    ...     export(path, f"{folder}/weights", to="safetensors").files
    ['model.safetensors']
    """
    if to not in _KINDS:
        raise UsageError(f"an export to `{to}` is not known, expected one of {', '.join(_KINDS)}")
    out = Path(out)
    reader = CheckpointReader(checkpoint)
    source = model_file(reader.files)
    _require_fit(reader, source, to)
    _require_free(out, overwrite)
    rows = rows_of(reader, source)
    total = sum(row.bytes for row in rows.values())
    shards = {source: list(rows.values())}
    texts: dict[str, bytes] = {}
    if to == "peft":
        kept = (ADAPTER_CONFIG_FILE, _TOKENIZER_FILE, "tokenizer_config.json")
        texts = {name: reader.read_file(name) for name in kept}
    if to == "hf":
        texts = _texts(reader, rows)
        if _INDEX_FILE in reader.files:
            shards = _shards(reader, rows)
            texts[_INDEX_FILE] = _index(shards, total)
    create_folder(out.parent)
    require_space(out.parent, total)
    done = 0
    with PartialFolder(out, replace=overwrite or out.exists()) as folder:
        for name, shard in shards.items():
            header, layout = safetensors_header([row[:3] for row in shard], {"format": "pt"})
            with_names = {row.name: row for row in shard}
            file = folder.open(name)
            file.write(header)
            for row, data in stream(reader, source, [with_names[tensor.name] for tensor in layout]):
                file.write(data.data)
                done += row.bytes
                progress(done, total)
            file.finish()
        for name, text in texts.items():
            folder.write(name, text)
        files = list_files(folder.path)
        parent = read_manifest(checkpoint)["digest"]
        content = {
            "files": files,
            "parents": [parent],
            "parameters": {"to": to},
            "counts": {"tensors": len(rows)},
        }
        write_manifest(folder.path, {"kind": KIND, "schema_version": 1, "skipped": [], **content})
    names = [entry["path"] for entry in files]
    return Exported(out, names, sum(entry["bytes"] for entry in files), len(rows))


def _require_fit(reader: CheckpointReader, source: str, to: str) -> None:
    """What is an adapter goes to peft, and nothing else does."""
    if source == ADAPTER_FILE and to != "peft":
        raise UsageError(
            f"`{reader.path}` holds an adapter, which is no model of its own",
            hint=f"`--to peft`, or first `codex checkpoint merge {reader.path} --out DIR`",
        )
    if source != ADAPTER_FILE and to == "peft":
        raise UsageError(f"`{reader.path}` holds a whole model, expected an adapter", hint="use `--to hf`")


def _require_free(out: Path, overwrite: bool) -> None:
    """Nothing that is not an export is ever replaced."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if not out.exists() and not out.is_symlink():
        return
    if not overwrite:
        raise UsageError(f"`{out}` is there already", hint="name another folder, or give `--overwrite`")
    try:
        read_manifest(out, KIND, 1)
    except (DamageError, MissingDataError) as error:
        raise UsageError(
            f"`{out}` is not an export, so it is not replaced", hint="name another folder"
        ) from error


def _texts(reader: CheckpointReader, rows: Mapping[str, Row]) -> dict[str, bytes]:
    """Configuration and tokenizer of a model that transformers has an architecture for."""
    from codex.config.schema import Model
    from codex.tokens import Tokenizer

    section = _model_section(reader)
    require_expressible(section)
    model = Model.model_validate({key: value for key, value in section.items() if key in Model.model_fields})
    tokenizer = Tokenizer.from_json(reader.read_file(_TOKENIZER_FILE))
    shapes = tensor_shapes(model, tokenizer.vocab_size)
    if shapes != {row.name: row.shape for row in rows.values()}:
        odd = sorted(set(shapes.items()) ^ {(row.name, row.shape) for row in rows.values()})
        raise DamageError(f"tensor `{odd[0][0]}` in `{reader.path}` does not fit its configuration")
    config = transformers_config(
        model, tokenizer.vocab_size, tokenizer.end_of_document_id, _dtype(rows.values())
    )
    return {
        "config.json": _json(config),
        _TOKENIZER_FILE: tokenizer.to_json(),
        "tokenizer_config.json": _json(tokenizer_config(model.context)),
    }


def _model_section(reader: CheckpointReader) -> dict[str, Any]:
    section = state_of(reader).get("config", {}).get("model")
    if section is None or _TOKENIZER_FILE not in reader.files:
        raise DamageError(
            f"`{reader.path}` holds no tokenizer or no configuration, expected a checkpoint of a run",
            hint="`--to safetensors` writes the weights alone",
        )
    return dict(section)


def _dtype(rows: Iterable[Row]) -> str:
    """The one dtype of the weights, or float32, which holds them all without loss."""
    found = {row.dtype for row in rows}
    if unknown := found - _FLOATS.keys():
        raise UsageError(f"the weights hold {min(unknown)}, expected {', '.join(_FLOATS)}")
    return _FLOATS[found.pop()] if len(found) == 1 else "float32"


def _shards(reader: CheckpointReader, rows: Mapping[str, Row]) -> dict[str, list[Row]]:
    """The names by the shard that holds their bytes."""
    places = json.loads(reader.read_file(_INDEX_FILE))["weight_map"]
    shards: dict[str, list[Row]] = {}
    for row in rows.values():
        shards.setdefault(places[row.stored], []).append(row)
    return dict(sorted(shards.items()))


def _index(shards: Mapping[str, list[Row]], total: int) -> bytes:
    places = {row.name: name for name, shard in shards.items() for row in shard}
    return _json({"metadata": {"total_size": total}, "weight_map": places})


def _json(content: object) -> bytes:
    return json.dumps(content, indent=2, sort_keys=True).encode() + b"\n"
