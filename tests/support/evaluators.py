"""The evaluators: a suite runs over each, and a new one is a line here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.jit.evaluator import CompiledEvaluator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVALUATORS: dict[str, Callable[..., Any]] = {
    "numpy": NumpyEvaluator,
    "compiled": CompiledEvaluator,
}
"""By name what makes one, of (tape, inputs, dtype, meaning)."""


@contextmanager
def compiled_at_once() -> Iterator[None]:
    """Calls are answered by compiled code, also as long as NumPy would cost less."""
    with patch("intervalvm.api.dispatch.pays", return_value=True):
        yield
