"""Adapters in a model: what is learned, what it begins as, and that merging changes no answer."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from codex.adapt import adapter_config, attach, find_targets, learned_weights, merge  # noqa: E402
from codex.config.schema import Adapt  # noqa: E402
from codex.errors import ConfigError, DamageError, MissingExtraError  # noqa: E402
from codex.models.causal import CausalModel  # noqa: E402
from tests.checkpoint.trained import SHAPES, configured, drawn, prompt  # noqa: E402

KINDS: dict[str, dict[str, Any]] = {
    "LoRA": {"rank": 3, "alpha": 5},
    "rsLoRA": {"rank": 4, "alpha": 5, "rank_stabilized": True},
    "DoRA": {"rank": 2, "alpha": 5, "weight_decomposed": True},
}


@pytest.fixture(scope="module", autouse=True)
def _needs_peft() -> None:
    pytest.importorskip("peft", reason="needs the extra `hf`")


def adapted(shape: dict[str, Any], config: Adapt) -> tuple[CausalModel, list[str]]:
    """A model with an adapter that has learned something."""
    model = drawn(configured(**shape))
    targets = attach(model, config, has_input_first=model.has_input_first)
    with torch.no_grad():
        for tensor in learned_weights(model).values():
            tensor.add_(torch.randn_like(tensor) * 0.1)
    return model.eval(), targets


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("name", ["untied", "gpt2"])
def test_merged_weights_answer_as_the_adapter_does(name: str, kind: dict[str, Any]) -> None:
    config = Adapt(**kind)
    model, targets = adapted(SHAPES[name], config)
    whole = drawn(configured(**SHAPES[name]))
    before = whole(prompt())
    named = adapter_config(config, targets, base="", has_input_first=model.has_input_first)
    merge(learned_weights(model), named, into=whole.state_dict())
    torch.testing.assert_close(whole(prompt()), model(prompt()), rtol=0, atol=1e-5)
    assert (whole(prompt()) - before).abs().max() > 1e-2


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("name", ["grouped", "gpt2"])
def test_an_adapter_begins_by_changing_nothing_and_is_all_that_is_learned(
    name: str, kind: dict[str, Any]
) -> None:
    model = drawn(configured(**SHAPES[name]))
    before, weights = model(prompt()), {key: value.clone() for key, value in model.state_dict().items()}
    attach(model, Adapt(**kind), has_input_first=model.has_input_first)
    torch.testing.assert_close(model(prompt()), before, rtol=0, atol=1e-5)
    model.train().summed_loss(prompt()[:, :-1], prompt()[:, 1:]).backward()
    learned = {key for key, parameter in model.named_parameters() if parameter.grad is not None}
    assert len(learned) == len(learned_weights(model)) > 0
    assert all(".lora_" in key for key in learned)
    kept = {key.replace(".base_layer", ""): value for key, value in model.state_dict().items()}
    for key, value in weights.items():
        assert torch.equal(kept[key], value), key


def test_what_a_model_without_an_adapter_learns_is_all_of_it() -> None:
    model = drawn(configured())
    assert learned_weights(model).keys() == model.state_dict().keys()


TARGETS: dict[str, tuple[str, tuple[str, ...], list[str]]] = {
    "all of a Llama": (
        "untied",
        (),
        ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"],
    ),
    "all of a GPT-2": ("gpt2", (), ["c_attn", "c_fc", "c_proj"]),
    "some": ("tied", ("v_proj", "q_proj"), ["q_proj", "v_proj"]),
    "of one half of a layer": ("gpt2", ("attn.c_proj",), ["attn.c_proj"]),
}


@pytest.mark.parametrize(("name", "targets", "found"), TARGETS.values(), ids=TARGETS)
def test_targets_are_ends_of_names(name: str, targets: tuple[str, ...], found: list[str]) -> None:
    with torch.device("meta"):
        model = drawn(configured(**SHAPES[name]))
    assert find_targets(model, Adapt(targets=targets)) == found
    at_work = drawn(configured(**SHAPES[name]))
    attach(at_work, Adapt(targets=targets), has_input_first=at_work.has_input_first)
    modules = {key.partition(".lora_")[0] for key in learned_weights(at_work)}
    assert all(any(module.endswith(f".{end}") for end in found) for module in modules)
    assert len(modules) == sum(
        any(f".{key}".endswith(f".{end}") for end in found) for key, _ in model.named_modules()
    )


@pytest.mark.parametrize("target", ["qproj", "lm_head", "embed_tokens", "proj", "input_layernorm", "layers"])
def test_a_target_that_is_no_matrix_is_refused_with_those_that_are(target: str) -> None:
    with pytest.raises(ConfigError, match=f"`adapt.targets` names `{target}`, which is no matrix") as caught:
        find_targets(drawn(configured(**SHAPES["untied"])), Adapt(targets=("q_proj", target)))
    assert (
        caught.value.hint == "the matrices are down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj"
    )


def test_without_peft_the_line_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"`adapt\.lora` needs `peft`") as caught:
        attach(drawn(configured()), Adapt())
    assert caught.value.hint == 'pip install "codex-lm[hf]"'


def test_an_adapter_of_another_model_is_not_merged() -> None:
    config = Adapt(rank=2)
    model, targets = adapted(SHAPES["gpt2"], config)
    named = adapter_config(config, targets, base="", has_input_first=True)
    with pytest.raises(
        DamageError, match=r"c_attn\.lora_A\.weight` stands beside a matrix that the model has not"
    ):
        merge(learned_weights(model), named, into=drawn(configured()).state_dict())
