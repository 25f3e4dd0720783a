"""Evaluators on a GPU as callers see them: the real kernels, on the arrays of a stand-in for CuPy.

Run by ``test_exchange``. At the end the simulator's own arrays, which are NumPy's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.cuda_simulator import let_threads_share_cuda
from support.fake_cupy import (
    Described,
    FakeArray,
    FakeDevice,
    SimulatedLauncher,
    Tensor,
    install,
)
from support.operations import DTYPES, bits
from support.strategies import INTERESTING, tapes

import intervalvm as ivm
from intervalvm import Evaluator, Tape

BUMPS = ivm.parse(
    "x var-x\ny var-y\nr var-r\na mul x x\nb mul y y\nc add a b\nd sub c r\ne sin x\nf min d e"
)
KINDS = ["float32", "float64", "float16", "int32", "uint8", "bool"]
SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (0,)]
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
"""Of the simulator, whose threads round as NumPy does."""
FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True, scope="module")
def quick_threads() -> Iterator[None]:
    """The simulator looks all the time whether threads wait, and they wait for it to let go."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    found = FakeDevice()
    let_threads_share_cuda(monkeypatch)
    install(monkeypatch, found, SimulatedLauncher(found))
    return found


WHERE: dict[str, Any] = {
    "host": lambda _, array: array,
    "list": lambda _, array: array.tolist(),
    "cupy": FakeArray,
    "tensor": lambda gpu, array: Tensor(FakeArray(gpu, array)),
    "managed": lambda gpu, array: Tensor(FakeArray(gpu, array), on=(13, 0)),
    "described": lambda gpu, array: Described(FakeArray(gpu, array)),
}


def inputs(data: st.DataObject, gpu: FakeDevice, count: int) -> tuple[list[Any], list[Any]]:
    """Numbers that broadcast, of any dtypes, as NumPy's arrays and wherever they may lie."""
    whole = data.draw(st.sampled_from(SHAPES))
    random = np.random.default_rng(data.draw(st.integers(0, 1000)))
    mine, theirs = [], []
    for _ in range(count):
        shape = data.draw(st.sampled_from([s for s in SHAPES if fits(s, whole)]))
        kind = data.draw(st.sampled_from(KINDS))
        with np.errstate(all="ignore"):
            numbers = np.array([*INTERESTING, *random.normal(size=20)])
            array = np.array(random.choice(numbers, shape)).astype(kind)
        where = WHERE[data.draw(st.sampled_from(list(WHERE)))]
        mine.append(array)
        theirs.append(where(gpu, array.copy()))
    return mine, theirs


def fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, whole) == whole
    except ValueError:
        return False


def on_both(tape: Tape, **options: Any) -> tuple[Evaluator, Evaluator]:
    return (
        Evaluator(tape, backend="cuda", **options),
        Evaluator(tape, backend="numpy", **options),
    )


@FEW
@given(data=st.data(), tape=tapes(10, variables=["r"]), dtype=st.sampled_from(DTYPES))
def test_values_are_those_of_numpy_wherever_the_inputs_lie(
    gpu: FakeDevice, data: st.DataObject, tape: Tape, dtype: str
) -> None:
    found, expected = on_both(tape, dtype=dtype)
    mine, theirs = inputs(data, gpu, len(found.inputs))
    values = found.values(*theirs)
    assert isinstance(values, FakeArray)
    assert_array_equal(bits(values.get()), bits(expected.values(*mine)))
