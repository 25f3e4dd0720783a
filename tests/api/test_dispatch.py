"""The choice of an evaluator: NumPy until it has cost as much as the kernel would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import intervalvm as ivm
from intervalvm.api import dispatch
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.jit import native
from intervalvm.jit.evaluator import CompiledEvaluator

SINGLE = np.dtype(np.float32)
KEY = "points", "float32"


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded, compiled or paid."""
    monkeypatch.setattr(dispatch, "_spent", {})
    monkeypatch.setattr(dispatch, "_prices", {})
    monkeypatch.setattr(native, "is_loaded", lambda *_: False)
    monkeypatch.setattr(native, "is_there", lambda *_: False)


def calls_until_paid(clauses: int, count: int, most: int = 10**6) -> int:
    return next(k for k in range(most) if dispatch.pays([KEY], clauses, count))


def test_a_kernel_in_the_cache_is_loaded_once_numpy_has_spent_as_much(monkeypatch: Any) -> None:
    monkeypatch.setattr(native, "is_there", lambda *_: True)
    clause, each = dispatch.NUMPY["points"]
    calls = calls_until_paid(8000, 10)
    assert calls == pytest.approx(dispatch.LOAD / (8000 * (clause + 10 * each)), abs=1)
    assert dispatch.pays([KEY], 1, 1)


def test_a_kernel_is_compiled_once_numpy_has_spent_as_much() -> None:
    clause, each = dispatch.NUMPY["points"]
    calls = calls_until_paid(8000, 10)
    price = dispatch.COMPILE["points"]
    assert calls == pytest.approx(price / (8000 * (clause + 10 * each)), abs=1)


def test_one_large_call_need_not_wait_for_others() -> None:
    assert calls_until_paid(8000, 10**8) == 0


def test_a_kernel_that_is_loaded_costs_nothing(monkeypatch: Any) -> None:
    monkeypatch.setattr(native, "is_loaded", lambda *key: key == KEY)
    assert dispatch.pays([KEY], 1, 1)
    assert not dispatch.pays([("points", "float64")], 1, 1)


def test_kernels_that_are_needed_together_pay_together() -> None:
    kernels = [(kind, dtype) for kind in ("boxes", "shorten") for dtype in ("float32", "float64")]
    spent = sum(
        8000 * (clause + 256 * each) for clause, each in (dispatch.NUMPY[k] for k, _ in kernels)
    )
    calls = next(k for k in range(1000) if dispatch.pays(kernels, 8000, 256))
    assert calls == pytest.approx(sum(dispatch.COMPILE[kind] for kind, _ in kernels) / spent, abs=1)
    assert all(dispatch.pays([key], 1, 1) for key in kernels)


def test_the_evaluator_is_that_of_the_choice() -> None:
    tape = ivm.parse("x var-x")

    def kind(**options: Any) -> type:
        return type(dispatch.evaluator_of_points(tape, SINGLE, [()] * 3, (), None, **options))

    assert kind(compiled=True) is NumpyEvaluator
    dispatch._prices[KEY] = 0
    assert kind(compiled=True) is CompiledEvaluator
    assert kind(compiled=False) is NumpyEvaluator
    assert kind(compiled=True, slopes=1) is NumpyEvaluator
    dispatch._prices["boxes", "float32"] = 0
    dtypes = SINGLE, np.dtype(np.float64)
    (alone,) = dispatch.evaluators_of_boxes(tape, dtypes[:1], 1, "boxes", compiled=True)
    assert type(alone) is CompiledEvaluator
    both = dispatch.evaluators_of_boxes(tape, dtypes, 1, "boxes", compiled=True)
    assert [type(each) for each in both] == [NumpyEvaluator] * 2  # of one kind


def test_there_is_a_price_for_every_kernel_of_an_evaluator() -> None:
    assert dispatch.NUMPY.keys() == dispatch.COMPILE.keys() <= native.KINDS.keys()
