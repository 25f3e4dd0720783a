"""What is done with a tape besides drawing it: read, write, bound, shorten."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import intervalvm as ivm
from bench.subject import Subject
from intervalvm.words import Keep

X, Y = (-0.5, -0.25), (0.5, 0.75)
"""A box with some text in it: an eighth of the picture each way."""


def points() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """x as a row and y as a column of float32 points that fill the box, its edges included."""
    x, y = (np.linspace(*side, 129, dtype=np.float32) for side in (X, Y))
    return x[None, :], y[:, None]


def test_parse(benchmark: Any, shape: Subject) -> None:
    assert ivm.parse(str(shape.tape)) == shape.tape
    benchmark(ivm.parse, shape.text)


def test_load(benchmark: Any, shape: Subject) -> None:
    assert ivm.load(shape.path) == shape.tape
    benchmark(ivm.load, shape.path)


def test_print(benchmark: Any, shape: Subject) -> None:
    assert ivm.parse(str(shape.tape)) == shape.tape
    benchmark(str, shape.tape)


def test_pickle(benchmark: Any, shape: Subject) -> None:
    def there_and_back() -> ivm.Tape:
        tape: ivm.Tape = pickle.loads(pickle.dumps(shape.tape))
        return tape

    assert there_and_back() == shape.tape
    benchmark(there_and_back)


def test_interval(benchmark: Any, shape: Subject) -> None:
    box, values = ivm.interval(shape.tape, x=X, y=Y), shape.tape(*points())
    assert box.lower <= values.min() <= values.max() <= box.upper
    benchmark(lambda: ivm.interval(shape.tape, x=X, y=Y))


@pytest.mark.parametrize("keep", ["value", "sign"])
def test_simplify(benchmark: Any, shape: Subject, keep: Keep) -> None:
    short, values = ivm.simplify(shape.tape, x=X, y=Y, keep=keep), shape.tape(*points())
    assert len(short) < len(shape.tape) / 4
    if keep == "value":
        np.testing.assert_array_equal(short(*points()), values)
    else:
        np.testing.assert_array_equal(short(*points()) < 0, values < 0)
    benchmark(lambda: ivm.simplify(shape.tape, x=X, y=Y, keep=keep))


def test_evaluate_points(benchmark: Any, shape: Subject) -> None:
    """4,096 points that are no grid: every clause costs NumPy a call, whatever it computes."""
    x, y = np.random.default_rng(1).uniform(-1, 1, (2, 4096)).astype(np.float32)
    naive = ivm.evaluate(shape.tape, x, y, engine="naive")
    np.testing.assert_array_equal(ivm.evaluate(shape.tape, x, y), naive)
    benchmark(ivm.evaluate, shape.tape, x, y)
