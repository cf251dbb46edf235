"""What peft calls the tensors and the settings of an adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codex.config.schema import Adapt

__all__ = ["adapter_config", "stored_name"]


def stored_name(parameter: str) -> str:
    """The name in `adapter_model.safetensors` of a parameter that peft put into a model.

    >>> stored_name("h.0.c_attn.lora_A.default.weight")
    'base_model.model.h.0.c_attn.lora_A.weight'
    >>> stored_name("h.0.c_attn.lora_magnitude_vector.default.weight")
    'base_model.model.h.0.c_attn.lora_magnitude_vector'
    """
    plain = parameter.replace("lora_magnitude_vector.default.weight", "lora_magnitude_vector")
    return f"base_model.model.{plain.replace('.default.', '.')}"


def adapter_config(
    config: Adapt, targets: Sequence[str], *, base: str, has_input_first: bool
) -> dict[str, Any]:
    """The content of `adapter_config.json`.

    Args:
        config: the section `adapt`.
        targets: the modules that have an adapter, by the ends of their names.
        base: where the weights lie that it was learned on.
        has_input_first: as of `CausalModel`.
    """
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "bias": "none",
        "fan_in_fan_out": has_input_first,
        "inference_mode": True,
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "r": config.rank,
        "target_modules": list(targets),
        "use_dora": config.weight_decomposed,
        "use_rslora": config.rank_stabilized,
    }
