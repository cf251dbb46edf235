"""Conditions that tie keys together; each names its keys, so that an error can say where they were written.

A rule is a function over the values of its keys: None if they can stand together, else what is wrong and what
to do. It runs whenever its own keys are valid, whatever else is wrong in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["RULES", "Broken", "Rule", "broken_rules"]

Verdict = tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition and the keys it is about, in the order in which it takes their values."""

    keys: tuple[str, ...]
    judge: Callable[..., Verdict]


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that does not hold."""

    keys: tuple[str, ...]
    message: str
    hint: str


RULES: list[Rule] = []


def broken_rules(value_of: Callable[[str], Any], *, except_keys: Collection[str] = ()) -> Iterator[Broken]:
    """The rules that do not hold.

    Args:
        value_of: the value of a dotted key.
        except_keys: keys without a valid value; no rule about one of them is asked.
    """
    for rule in RULES:
        if not any(key in except_keys for key in rule.keys):
            verdict = rule.judge(*(value_of(key) for key in rule.keys))
            if verdict is not None:
                yield Broken(rule.keys, *verdict)


def _rule(*keys: str) -> Callable[[Callable[..., Verdict]], Callable[..., Verdict]]:
    def register(judge: Callable[..., Verdict]) -> Callable[..., Verdict]:
        RULES.append(Rule(keys, judge))
        return judge

    return register


@_rule("run.name")
def _run_name_is_a_folder(name: str | None) -> Verdict:
    if name is None:
        return None
    plain = not any(character in "/\\" or not character.isprintable() for character in name)
    if plain and len(name) <= 100 and name[:1] not in (".", "-") and name == name.strip() != "":
        return None
    return (
        f"`run.name` is {name!r:.60}, expected the name of a folder",
        "1 to 100 printable characters without a slash, not starting with `.` or `-`",
    )


@_rule("run.directory", "data.paths")
def _paths_can_exist(directory: str, paths: tuple[str, ...]) -> Verdict:
    if any("\0" in path for path in (directory, *paths)):
        return "`run.directory` or `data.paths` holds a NUL character, expected a path", "remove the `\\0`"
    return None


@_rule("data.corpus", "data.paths")
def _one_source_of_text(corpus: str | None, paths: tuple[str, ...]) -> Verdict:
    if corpus == "python-stdlib" and paths:  # of the other corpora the registry knows whether they take paths
        return (
            f"`data.corpus` is `{corpus}` and `data.paths` lists {len(paths)}, expected only one of them",
            "`data.corpus=null` reads the paths, `data.paths=[]` reads the corpus",
        )
    if corpus is None and not paths:
        return (
            "`data.corpus` is null and `data.paths` is an empty list, expected one of them",
            "`data.corpus=python-stdlib` reads the library of this Python",
        )
    return None


@_rule("data.validation_fraction", "data.test_fraction")
def _some_is_left_to_train(validation: float, test: float) -> Verdict:
    if validation + test < 1:
        return None
    return (
        f"`data.validation_fraction` is {validation} and `data.test_fraction` {test}, which leave nothing to train on",
        "together they must be below 1",
    )


#: The names of `codex.data.filters.QUALITY_RULES`, which is not imported here.
QUALITY = ("word_length", "symbols", "letters", "bullets", "ellipses", "repeated_lines")


@_rule("data.quality")
def _quality_rules_have_names(quality: tuple[str, ...]) -> Verdict:
    unknown = [name for name in quality if name not in QUALITY]
    if not unknown:
        return None
    return f"`data.quality` names `{unknown[0]}`, which is no rule", f"the rules are {', '.join(QUALITY)}"


@_rule("data.near_duplicates", "data.near_duplicate_threshold")
def _what_is_dropped_is_looked_for(what: str, threshold: float | None) -> Verdict:
    if what == "keep" or threshold is not None:
        return None
    return (
        "`data.near_duplicates` is `drop` and `data.near_duplicate_threshold` null, which finds none",
        "set a threshold, such as 0.8",
    )


@_rule("model.width", "model.heads")
def _heads_share_width(width: int, heads: int) -> Verdict:
    if width % (2 * heads) == 0:
        return None
    below = width - width % (2 * heads)
    hint = "use " + " or ".join(f"`model.width: {size}`" for size in (below, below + 2 * heads) if size)
    if width % heads:
        return f"`model.width` is {width}, expected a multiple of `model.heads`, which is {heads}", hint
    each = f"`model.width` / `model.heads` is {width} / {heads} = {width // heads}"
    return f"{each}, expected an even number for RoPE", hint


@_rule("model.heads", "model.key_value_heads")
def _key_value_heads_are_shared(heads: int, key_value_heads: int) -> Verdict:
    if heads % key_value_heads:
        divisors = ", ".join(str(d) for d in range(1, heads + 1) if heads % d == 0)
        return (
            f"`model.key_value_heads` is {key_value_heads}, expected a divisor of `model.heads`, "
            f"which is {heads}",
            f"one of {divisors}",
        )
    return None


@_rule("model.qk_norm", "model.name")
def _gpt2_has_no_qk_norm(qk_norm: bool, name: str) -> Verdict:
    if name != "gpt2" or not qk_norm:
        return None
    return "`model.qk_norm` is true, which a `gpt2` has not", "use `model.qk_norm: false`"


@_rule("model.key_value_heads", "model.heads", "model.name")
def _gpt2_shares_no_heads(key_value_heads: int, heads: int, name: str) -> Verdict:
    if name != "gpt2" or key_value_heads == heads:
        return None
    return (
        f"`model.key_value_heads` is {key_value_heads}, expected `model.heads`, which is {heads}, in a `gpt2`",
        f"use `model.key_value_heads: {heads}`",
    )


@_rule("model.rope_theta", "model.name")
def _gpt2_has_learned_positions(rope_theta: float, name: str) -> Verdict:
    if name != "gpt2" or rope_theta == 10_000.0:
        return None
    return (
        f"`model.rope_theta` is {rope_theta}, which a `gpt2` has not: its positions are learned",
        "leave `model.rope_theta` out",
    )


@_rule("adapt.lora", "train.optimizer")
def _an_adapter_is_learned_by_adamw(lora: bool, optimizer: str) -> Verdict:
    if not lora or optimizer == "adamw":
        return None
    return (
        f"`adapt.lora` is true and `train.optimizer` is `{optimizer}`, expected `adamw`",
        "use `train.optimizer: adamw`; `--config lora` has rates for it",
    )


@_rule("train.objective", "adapt.lora")
def _preferences_move_an_adapter(objective: str, lora: bool) -> Verdict:
    if objective != "preferences" or lora:
        return None
    return (
        "`train.objective` is `preferences` and `adapt.lora` false, expected an adapter to hold against the model without it",
        "use `adapt.lora: true`; `codex checkpoint merge` makes a whole model of it",
    )


@_rule("train.z_loss", "train.objective")
def _preferences_have_no_z_loss(z_loss: float, objective: str) -> Verdict:
    if objective != "preferences" or not z_loss:
        return None
    return f"`train.z_loss` is {z_loss}, which `preferences` have not", "use `train.z_loss: 0`"


@_rule("evaluate.stride", "model.context")
def _windows_leave_no_gap(stride: int, context: int) -> Verdict:
    if stride > context:
        return (
            f"`evaluate.stride` is {stride}, expected at most `model.context`, which is {context}",
            f"use `evaluate.stride: {max(1, context // 2)}`",
        )
    return None
