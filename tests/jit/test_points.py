"""Points and gradients by the compiled evaluator: the bits of NumPy's, however they are sorted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import intervalvm as ivm
from intervalvm.evaluate.evaluator import NumpyEvaluator
from intervalvm.jit import points, request
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.tape import Tape
from tests.support.strategies import INTERESTING, shapes, tapes

INPUTS = ("x", "y", "z", "r")
BOTH = ("float32", "float64")
SETS = ["uniform", "grid", "line", "same", "clustered", "special", "huge", "column"]


@pytest.fixture(scope="session")
def prospero(model: Callable[[str], Path]) -> Tape:
    return ivm.load(model("prospero.vm"))


def assert_same_bits(found: Any, expected: Any) -> None:
    """The same bits, but for the payload and sign of a NaN."""
    assert found.dtype == expected.dtype
    bits = f"u{found.itemsize}"
    same = (found.view(bits) == expected.view(bits)) | (np.isnan(found) & np.isnan(expected))
    wrong = np.flatnonzero(~same)
    assert not wrong.size, (wrong[:5], found.ravel()[wrong[:5]], expected.ravel()[wrong[:5]])


@contextmanager
def always_split(arena: int = points.MOST_ARENA) -> Iterator[None]:
    """Every split and every program pays, down to cells of a few points."""
    free = np.zeros(6)
    free[request.VALUE] = free[request.RECORD] = 1
    with (
        mock.patch.dict(points.COSTS, points=free, duals=free),
        mock.patch.multiple(
            points, MOST_FEW=1, FIRST_RATE=50, MOST_ARENA=arena, TOGETHER=150, MOST_KEPT=99
        ),
    ):
        yield


def point_set(kind: str, count: int, dtype: Any, seed: int) -> list[Any]:
    """Numbers of x, y, z and r at some points, as float64 arrays or numbers."""
    rng = np.random.default_rng(seed)
    found = list(rng.uniform(-2, 2, (4, count)))
    if kind == "grid":
        found[:2] = (np.indices((20, 20)).reshape(2, -1)[:, :count] - 10) / 4
    elif kind == "line":
        found = [t * found[0] + 0.5 for t in (1.0, -1.0, 0.5, 1.0)]
    elif kind == "same":
        found = [np.full(count, row[0]) for row in found]
    elif kind == "clustered":
        found = [rng.choice([-1.0, 1.0], count) + row * 1e-3 for row in found]
        found[0][:1] = 1e6
    elif kind == "special":
        found = [rng.choice(INTERESTING, count) for _ in found]
    elif kind == "huge":
        found = [row * (float(np.finfo(dtype).max) / 2) for row in found]
    elif kind == "column":
        found[1:] = [np.array(row[0]) for row in found[1:]]
    with np.errstate(over="ignore", under="ignore"):
        return [np.asarray(row, dtype) for row in found]


def both_of(tape: Tape, dtype: Any) -> tuple[CompiledEvaluator, NumpyEvaluator]:
    inputs = (*INPUTS[:3], *tape.variables)
    return CompiledEvaluator(tape, inputs, np.dtype(dtype)), NumpyEvaluator(
        tape, inputs, np.dtype(dtype)
    )


def check(tape: Tape, dtype: Any, kind: str, count: int, seed: int) -> None:
    """Values and derivatives are those of NumPy."""
    compiled, numpy = both_of(tape, dtype)
    given = point_set(kind, count, dtype, seed)[: len(compiled.inputs)]
    assert_same_bits(compiled.values(given), numpy.values(given))
    for by in (compiled.inputs[:2], compiled.inputs):
        found, expected = compiled.gradients(given, by), numpy.gradients(given, by)
        assert_same_bits(found[0], expected[0])
        assert_same_bits(found, expected)


any_points = given(
    kind=st.sampled_from(SETS), count=st.integers(1, 400), seed=st.integers(0, 99), data=st.data()
)


@pytest.mark.parametrize("dtype", BOTH)
@any_points
def test_random_tapes_have_the_bits_of_numpy(
    dtype: str, kind: str, count: int, seed: int, data: st.DataObject
) -> None:
    tape = data.draw(tapes(30, variables=("r",)))
    check(tape, dtype, kind, count, seed)
    with always_split():
        check(tape, dtype, kind, count, seed)


@pytest.mark.parametrize("dtype", BOTH)
@any_points
def test_pictures_have_the_bits_of_numpy_through_a_tree(
    dtype: str, kind: str, count: int, seed: int, data: st.DataObject
) -> None:
    tape = data.draw(shapes())
    with always_split():
        check(tape, dtype, kind, count, seed)


@any_points
def test_ties_and_kinks_of_choices_survive_pruning(
    kind: str, count: int, seed: int, data: st.DataObject
) -> None:
    """Points on whole numbers and tapes of choices meet where operands are equal."""
    linear = {"const", "var-x", "var-y", "var", "add", "sub", "neg", "abs", "square", "sqrt"}
    whole = st.integers(-2, 2).map(lambda n: (float(n), np.float32(n)))
    tape = data.draw(tapes(30, ops=linear | {"min", "max"}, variables=("r",), values=whole))
    compiled, numpy = both_of(tape, "float32")
    given = point_set(kind, count, np.float32, seed)[: len(compiled.inputs)]
    with np.errstate(over="ignore"):
        given = [np.asarray(np.round(row * 2) / 2) for row in given]
    with always_split():
        for by in (compiled.inputs, ("y",), ("x", "x", *compiled.inputs)):
            assert_same_bits(compiled.gradients(given, by), numpy.gradients(given, by))


@given(kind=st.sampled_from(SETS), seed=st.integers(0, 99), room=st.integers(0, 40), data=st.data())
def test_cells_whose_programs_find_no_room_are_evaluated_all_the_same(
    kind: str, seed: int, room: int, data: st.DataObject
) -> None:
    tape = data.draw(shapes())
    with always_split(room):
        check(tape, "float32", kind, 400, seed)


def test_programs_get_shorter_and_points_come_back_in_order(prospero: Tape) -> None:
    """Without pruning the records would be those of a straight evaluation."""
    compiled, numpy = both_of(prospero, "float32")
    given = point_set("uniform", 3000, np.float32, 1)[:3]
    assert_array_equal(compiled.values(given), numpy.values(given))
    (work,) = compiled.points._idle
    assert work.context[request.RATE] < 90
    shape = (10, 3, 100)
    reshaped = compiled.values([row.reshape(shape) for row in given])
    assert_array_equal(reshaped, compiled.values(given).reshape(shape))


def test_one_point_without_an_axis_is_settled() -> None:
    x, _, _ = ivm.axes()
    compiled, _ = both_of(ivm.where(x > 0, -x, abs(x)).tape(), "float32")
    found = compiled.gradients([np.zeros((), "f4")] * 3, ("x",))
    assert found.tolist() == [0.0, -1.0]


def test_inputs_broadcast_and_results_go_to_out(prospero: Tape) -> None:
    compiled, numpy = both_of(prospero, "float32")
    x, y = np.linspace(-1, 1, 37, dtype="f4"), np.linspace(-1, 1, 41, dtype="f4")[:, None]
    given, out = [x, y, np.zeros((), "f4")], np.empty((41, 37), "f4")
    assert compiled.values(given, out) is out
    assert_array_equal(out, numpy.values(given))
    slopes = np.empty((3, 41, 37), "f4")
    assert compiled.gradients(given, ("y", "z"), slopes) is slopes
    assert_array_equal(slopes, numpy.gradients(given, ("y", "z")))
    assert compiled.values([x[:0], x[:0], x[:0]]).shape == (0,)
    assert compiled.gradients([x[:0]] * 3, ("x",)).shape == (2, 0)
    assert compiled.values([np.float32(0.25).reshape(())] * 3).shape == ()


def test_threads_share_an_evaluator(prospero: Tape) -> None:
    compiled, _ = both_of(prospero, "float32")
    sets = [point_set("uniform", 2000, np.float32, seed)[:3] for seed in range(4)]
    alone = [compiled.gradients(given, ("x", "y")) for given in sets]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(5):
            if not np.array_equal(compiled.gradients(sets[k], ("x", "y")), alone[k]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("turns", [1, 2, 7])
def test_an_interrupt_between_two_turns_leaves_no_trace(
    turns: int, prospero: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a small budget a kernel returns often; whatever is raised then drops the workspace."""
    compiled, numpy = both_of(prospero, "float32")
    given = point_set("uniform", 3000, np.float32, 2)[:3]
    monkeypatch.setattr(points, "BUDGET", 1)
    load, left = points.native.kernel, [turns]

    def interrupted(*which: Any) -> Any:
        kernel = load(*which)

        def turn(address: int) -> int:
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
            return kernel(address)

        return turn

    monkeypatch.setattr(points.native, "kernel", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compiled.values(given)
    assert compiled.points._idle == []
    assert_array_equal(compiled.values(given), numpy.values(given))
    assert left[0] < -10
