"""LoRA: beside each chosen matrix W (out, in) stand B (out, r) and A (r, in), and x W' is x W' + scale x A' B'.

r rank. W stays as it is; A is drawn, B begins at zero, so an adapter begins by changing nothing. The layers are peft's.
Sources: Hu et al. 2021, "LoRA"; Kalajdzievski 2023, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA";
Liu et al. 2024, "DoRA".
"""

from __future__ import annotations

import importlib.util
import re
import warnings

import torch
from torch import Tensor, nn

from codex.adapt.names import stored_name
from codex.config.schema import Adapt
from codex.errors import ConfigError, MissingExtraError

__all__ = ["attach", "find_targets", "learned_weights"]

_IN_A_LAYER = re.compile(r"\.\d+\.")
_NONE = torch.empty(0)


def attach(model: nn.Module, config: Adapt, *, has_input_first: bool = False) -> list[str]:
    """Put an adapter beside the matrices that `config.targets` names, and let nothing else of the model be learned.

    Draws from torch's global generator. The weights must be there already: DoRA begins from how large they are.
    Importing peft takes seconds.

    Args:
        model: changed in place.
        config: the section `adapt`.
        has_input_first: whether its matrices lie as (in, out).
    Returns:
        The ends of the names of the modules that have an adapter, sorted.
    Raises:
        ConfigError, MissingExtraError: as `find_targets`.
    """
    targets = find_targets(model, config)
    import peft

    wanted = peft.LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=targets,
        use_rslora=config.rank_stabilized,
        use_dora=config.weight_decomposed,
        fan_in_fan_out=has_input_first,
    )
    own_kinds = {type(module) for module in _matrices(model).values()} - {nn.Linear}
    wanted._register_custom_module(dict.fromkeys(own_kinds, peft.tuners.lora.Linear))
    model.requires_grad_(False)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Unsupported layer type"
        )  # a module of ours, with the shape of a Linear
        peft.inject_adapter_in_model(wanted, model)
    return targets


def find_targets(model: nn.Module, config: Adapt) -> list[str]:
    """The ends of the names of the modules that get an adapter, sorted.

    Raises:
        ConfigError: naming the targets that are no matrix inside a layer, and those that are.
        MissingExtraError: if peft is not installed.
    """
    if importlib.util.find_spec("peft") is None:
        raise MissingExtraError(
            "`adapt.lora` needs `peft`, which is not installed", hint='pip install "codex-lm[hf]"'
        )
    names = _matrices(model)
    candidates = sorted({name.rpartition(".")[2] for name in names})
    unknown = [end for end in config.targets if not any(f".{name}".endswith(f".{end}") for name in names)]
    if unknown:
        called = ", ".join(f"`{end}`" for end in unknown)
        raise ConfigError(
            f"`adapt.targets` names {called}, which is no matrix inside a layer of this model",
            hint=f"the matrices are {', '.join(candidates)}",
        )
    return sorted(config.targets) or candidates


def learned_weights(model: nn.Module) -> dict[str, Tensor]:
    """What a checkpoint holds of a model: all of it, or, if it has an adapter, that alone under peft's names; not copied."""
    if all(parameter.requires_grad for parameter in model.parameters()):
        return model.state_dict()
    return {stored_name(name): p.detach() for name, p in model.named_parameters() if p.requires_grad}


def _matrices(model: nn.Module) -> dict[str, nn.Module]:
    """The modules inside the layers whose weight is a matrix, by name."""
    inside = {name: module for name, module in model.named_modules() if _IN_A_LAYER.search(name)}
    return {name: module for name, module in inside.items() if getattr(module, "weight", _NONE).ndim == 2}
