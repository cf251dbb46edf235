"""The schema is a page to read: every key explained, nothing loose, and what is made from it is current."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from codex.config import Config, dump_yaml, explain, json_schema, load
from codex.config.dump import dump_value
from codex.config.find import packaged_names
from codex.config.keys import leaves, sections
from codex.config.reference import GENERATED
from codex.errors import ConfigError

ROOT = Path(__file__).parents[2]


def test_every_key_and_section_has_a_sentence() -> None:
    for name, sentence in [*sections().items(), *((leaf.key, leaf.sentence) for leaf in leaves().values())]:
        assert sentence.endswith((".", ")")) and len(sentence) > 15, name


@pytest.mark.parametrize("path", GENERATED, ids=str)
def test_generated_file_is_current(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == GENERATED[path](), (
        "run `python -m codex.config.reference`"
    )


def test_base_lists_every_key_and_equals_the_defaults() -> None:
    base = load("base")
    assert list(base.origins) == list(leaves())
    assert base.config == Config()
    assert (
        load(None).config == load("training/base").config == load(ROOT / "configs/training/base.yaml").config
    )


@pytest.mark.parametrize("name", packaged_names())
def test_packaged_configuration_is_valid_and_goes_through_the_command_line(name: str) -> None:
    loaded = load(name)
    overrides = [f"{key}={dump_value(loaded.config.value(key))}" for key in leaves()]
    assert load("base", overrides).config == loaded.config


def test_configuration_is_frozen_to_the_bottom() -> None:
    config = load("base", ["data.include=[a]"]).config
    with pytest.raises(ValidationError, match="frozen"):
        config.train = config.train  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        config.train.max_steps = 5  # type: ignore[misc]
    assert isinstance(config.data.include, tuple)
    assert hash(config) == hash(load("base", ["data.include=[a]"]).config)


def test_python_is_held_to_the_same_types() -> None:
    with pytest.raises(ValidationError):
        Config.model_validate({"train": {"max_steps": "50"}})
    with pytest.raises(ValidationError):
        Config.model_validate({"train": {"max_stps": 50}})


def test_value_of_json_reads_back() -> None:
    config = load("base", ["data.include=[a, b]"]).config
    assert Config.model_validate_json(config.model_dump_json()) == config


def test_loaded_configuration_keeps_the_file_as_given(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("# mine\r\ninclude: base\r\n", encoding="utf-8", newline="")
    loaded = load(path)
    assert (loaded.source, loaded.text) == (path, "# mine\r\ninclude: base\r\n")


def test_explain_says_value_default_origin_and_sentence(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("train:\n  max_steps: 100\n")
    loaded = load(path, ["train.warmup_steps=3"])
    (steps,) = explain(loaded, "train.max_steps")
    assert str(steps) == (
        "train.max_steps: 100\n"
        "  Steps after which the run ends; the clock never ends one.\n"
        f"  from     {path}:2:14\n"
        f"  default  {Config().train.max_steps}\n"
        "  takes    a whole number from 1 to 1000000000"
    )
    (warmup,) = explain(loaded, "train.warmup_steps")
    (device,) = explain(loaded, "train.device")
    assert (str(warmup.origin), str(device.origin)) == ("command line", "default")
    assert device.wanted == "one of `auto`, `cpu`, `cuda`"
    keys = [each.key for each in explain(loaded, "tokens")]
    assert keys == ["tokens.tokenizer", "tokens.vocabulary_size", "tokens.chat_template"]


def test_explain_of_no_key_suggests_one() -> None:
    with pytest.raises(ConfigError) as caught:
        explain(load("base"), "train.max_step")
    assert caught.value.hint == "did you mean `train.max_steps`?"


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part


def test_json_schema_describes_every_key() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == ["include", *sections()]
    for leaf in leaves().values():
        section = resolved(schema, schema["properties"][leaf.section])
        assert section["additionalProperties"] is False
        assert section["properties"][leaf.name]["description"] == leaf.sentence
        assert json.dumps(section["properties"][leaf.name]["default"]) == json.dumps(leaf.default)


def test_commented_dump_of_the_defaults_is_what_base_holds() -> None:
    assert (ROOT / "configs/training/base.yaml").read_text().endswith(dump_yaml(Config(), comments=True))
