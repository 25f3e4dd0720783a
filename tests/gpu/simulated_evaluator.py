"""The kernels of evaluators, thread by thread: run by ``test_gpu_evaluator``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.cuda_simulator import let_threads_share_cuda
from support.operations import DTYPES, bits
from support.strategies import INTERESTING, tapes

from intervalvm import Tape
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.evaluate.points import reads
from intervalvm.gpu.evaluator import CudaEvaluator
from intervalvm.gpu.target import SIMULATED
from intervalvm.ops import AXES
from intervalvm.ops.row import Interval

assert SIMULATED
VARIABLES = ("r", "s", "t")
SHAPES = [(), (1,), (3,), (0,), (2, 3), (2, 1), (3, 2, 3)]
"""Each broadcasts with some of the others."""
FEW = settings(max_examples=40)


@pytest.fixture(autouse=True, scope="module")
def quick_threads() -> Iterator[None]:
    """The simulator looks all the time whether threads wait, and they wait for it to let go."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(autouse=True, scope="module")
def shared_cuda() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        let_threads_share_cuda(patch)
        yield


def both(tape: Tape, inputs: tuple[str, ...], dtype: str) -> tuple[CudaEvaluator, NumpyEvaluator]:
    kind = np.dtype(dtype)
    return CudaEvaluator(tape, inputs, kind), NumpyEvaluator(tape, inputs, kind)


def inputs_of(data: st.DataObject, tape: Tape) -> tuple[str, ...]:
    """What the tape reads, and perhaps more, in any order."""
    more = data.draw(st.sets(st.sampled_from([*AXES, *tape.variables])))
    return tuple(data.draw(st.permutations(sorted(reads(tape) | more) or ["x"])))


def arrays_of(data: st.DataObject, count: int, dtype: str) -> list[Any]:
    """So many arrays that broadcast, of numbers at which something may happen."""
    whole = data.draw(st.sampled_from(SHAPES))
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    with np.errstate(over="ignore", under="ignore"):
        numbers = np.array([*INTERESTING, *random.normal(size=20)], dtype)
    fitting = st.sampled_from([shape for shape in SHAPES if _fits(shape, whole)])
    return [np.array(random.choice(numbers, data.draw(fitting))) for _ in range(count)]


def boxes_of(data: st.DataObject, count: int, dtype: str) -> list[Interval]:
    """So many sides that broadcast; some are points, some may be NaN."""
    found = []
    for ends in arrays_of(data, count, dtype):
        low = np.nan_to_num(ends, nan=0.5, posinf=np.inf, neginf=-np.inf)
        other = low[..., ::-1] if low.ndim else low
        maybe_nan = np.asarray(data.draw(st.booleans())) if low.size > 2 else np.asarray(low > 2)
        found.append(Interval(np.minimum(low, other), np.maximum(low, other), maybe_nan))
    return found


def _fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, whole) == whole
    except ValueError:
        return False


@FEW
@given(data=st.data(), dtype=st.sampled_from(DTYPES), tape=tapes(20, variables=VARIABLES))
def test_values_are_those_of_numpy(data: st.DataObject, dtype: str, tape: Tape) -> None:
    inputs = inputs_of(data, tape)
    points = arrays_of(data, len(inputs), dtype)
    found, expected = (each.values(points) for each in both(tape, inputs, dtype))
    assert_array_equal(bits(found), bits(expected))


@FEW
@given(data=st.data(), dtype=st.sampled_from(DTYPES), tape=tapes(20, variables=VARIABLES))
def test_bounds_are_those_of_numpy(data: st.DataObject, dtype: str, tape: Tape) -> None:
    inputs = inputs_of(data, tape)
    boxes = boxes_of(data, len(inputs), dtype)
    found, expected = (each.bounds(boxes) for each in both(tape, inputs, dtype))
    for part, other in zip(found, expected, strict=True):
        assert part.dtype == other.dtype
        assert_array_equal(part, other)


@FEW
@given(data=st.data(), dtype=st.sampled_from(DTYPES), tape=tapes(20, variables=VARIABLES))
def test_derivatives_are_those_of_numpy(data: st.DataObject, dtype: str, tape: Tape) -> None:
    """Where branches meet too, by more than three inputs, and by some that are not read."""
    inputs = inputs_of(data, tape)
    by = tuple(data.draw(st.permutations(inputs)))[: data.draw(st.integers(0, 6))]
    points = arrays_of(data, len(inputs), dtype)
    found, expected = (each.gradients(points, by) for each in both(tape, inputs, dtype))
    assert_array_equal(bits(found[0]), bits(expected[0]))
    known = ~np.isnan(expected[0])
    assert_array_equal(bits(found[1:, known]), bits(expected[1:, known]))
