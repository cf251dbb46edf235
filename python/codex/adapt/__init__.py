"""Learning a few weights beside those of a model that is there: `attach` puts them in, `merge` adds them to its own.

Only `attach` and `preference_losses` need peft. What was learned is read, merged and generated from with torch alone.
"""

from __future__ import annotations

from codex.adapt.lora import attach, find_targets, learned_weights
from codex.adapt.merge import merge
from codex.adapt.names import adapter_config
from codex.adapt.preferences import preference_losses

__all__ = ["adapter_config", "attach", "find_targets", "learned_weights", "merge", "preference_losses"]
