"""The evaluators: a suite runs over each, and a new one is a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.jit.evaluator import CompiledEvaluator

if TYPE_CHECKING:
    from collections.abc import Callable

EVALUATORS: dict[str, Callable[..., Any]] = {
    "numpy": NumpyEvaluator,
    "compiled": CompiledEvaluator,
}
"""By name what makes one, of (tape, inputs, dtype, meaning)."""
