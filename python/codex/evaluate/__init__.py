"""How good a model is, in figures that can be compared: bits per byte, what compressors need, and whether samples are Python.

`bits_per_byte` is the function to start from. Bits per byte do not depend on the tokenizer, so a model stands beside
another model, or beside `xz`, on the same text.
"""

from __future__ import annotations

from codex.evaluate.answers import HeldOutAnswers
from codex.evaluate.baselines import Baselines, baselines
from codex.evaluate.bits import Bits, HeldOut, bits_per_byte
from codex.evaluate.python_lines import PythonLines, python_lines

__all__ = [
    "Baselines",
    "Bits",
    "HeldOut",
    "HeldOutAnswers",
    "PythonLines",
    "baselines",
    "bits_per_byte",
    "python_lines",
]
