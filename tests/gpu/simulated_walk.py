"""The walk on a device, thread by thread in numba-cuda's simulator: run by ``test_gpu_walk``.

Images are tiny, for each thread of a block is one of the process, but they have all that larger
ones have: several steps, regions that do not divide evenly, NaN, choices, room that runs out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.cuda_simulator import let_threads_share_cuda
from support.scenes import scenes
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import Region, Tape
from intervalvm.compiler.program import INPUTS, VARIANT_MASK, VARIANTS
from intervalvm.gpu import descent, devices, walk
from intervalvm.gpu.layout import in_waves
from intervalvm.gpu.target import SIMULATED
from intervalvm.jit.plan import plan_of
from intervalvm.words import Meaning, Question

assert SIMULATED


@pytest.fixture(autouse=True)
def shared_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    let_threads_share_cuda(monkeypatch)


def check(tape: Tape, *modes: str, **options: Any) -> None:
    """Pixels agree with dense evaluation, and what was proven with the compiled walk."""
    dense = ivm.render(tape, engine="dense", **options).pixels
    for mode in modes or ("bitmap", "value"):
        found = ivm.render(tape, backend="cuda", mode=mode, **options)
        assert_array_equal(found.bitmap(), dense)
        expected = ivm.render(tape, mode=mode, **options)
        assert_array_equal(found.pixels, expected.pixels)
        assert found.stats.levels == expected.stats.levels
        assert found.stats.pixels == expected.stats.pixels


x, y, _ = ivm.axes()
DISC = (ivm.sqrt(x * x + y * y) - 0.75).tape()
SCENE = ivm.maximum(
    ivm.minimum(ivm.sqrt(x * x + y * y) - 0.5, abs(x - 0.3) + abs(y) - 0.2), x * y - 0.1
).tape()
NOISE = ivm.parse(
    "x var-x\ny var-y\nk const 1.37\na mul x k\nb mix a y\nc rand b\nh const 0.5\nv sub c h"
)
"""Nothing can be proven of it, and no choice makes it shorter."""


@pytest.mark.parametrize(("size", "depth"), [(1, 0), (20, 0), ((50, 37), 2), ((9, 40), 5)], ids=str)
def test_sizes_and_depths(size: Any, depth: int) -> None:
    """One leaf of several blocks, cells of unequal size, cells without pixels, two steps."""
    check(DISC, "bitmap", size=size, depth=depth)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_steps(dtype: str) -> None:
    check(SCENE, size=16, depth=4, dtype=dtype)


def test_nan_and_infinity() -> None:
    shapes = [
        ivm.minimum(ivm.sqrt(x), y),
        ivm.maximum(ivm.ln(x) + y, ivm.and_(ivm.sqrt(y), x)),
        ivm.minimum(x, 0) / 0 + ivm.or_(y, 1 / x),
    ]
    for shape in shapes:
        check(shape.tape(), size=8, depth=2)


def test_constants_that_are_chosen() -> None:
    """Their clauses are not aliases of an operand but copies of the constant."""
    shape = ivm.minimum(ivm.maximum(x, -0.25), 0.25) * ivm.maximum(y + x, 0.5) - 0.0625
    check(shape.tape(), size=12, depth=3)


def test_nothing_to_prove_and_nothing_to_leave_out() -> None:
    check(NOISE, "bitmap", size=10, depth=3)


def test_a_second_frame_starts_anew() -> None:
    for region in (Region.square(), Region.around((0.5, 0.5), 0.25), Region.square()):
        check(SCENE, "bitmap", size=12, depth=2, region=region)


def test_memory_that_is_drawn_into_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The launches of its first frame are repeated, for another region."""
    memory: dict[int, Any] = {}
    empty = devices.Simulator.empty

    def again(self: Any, count: int, dtype: Any) -> Any:
        if count != 100:
            return empty(self, count, dtype)
        return memory.setdefault(0, empty(self, count, dtype))

    recorded = []
    monkeypatch.setattr(devices.Simulator, "empty", again)
    monkeypatch.setattr(
        devices.Simulator, "recorded", lambda self, work: recorded.append(work) or work
    )
    tape = ivm.parse(str(DISC))
    for x_center in (0.0, 0.5, -0.5):
        check(tape, "bitmap", size=10, depth=1, region=Region.around((x_center, 0), 1))
    assert len(recorded) == 1


@settings(max_examples=4, phases=[Phase.generate])
@given(tape=scenes(max_shapes=5), dtype=st.sampled_from(["float32", "float64"]))
def test_scenes(tape: Tape, dtype: str) -> None:
    check(tape, "bitmap", size=(13, 10), depth=3, dtype=dtype)


@settings(max_examples=6, phases=[Phase.generate])
@given(tape=tapes(max_clauses=12), mode=st.sampled_from(["bitmap", "value"]))
def test_tapes_of_any_operations(tape: Tape, mode: str) -> None:
    check(tape, mode, size=(5, 4), depth=2)


# --- room ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("items", "arena"), [(1, 1 << 20), (1 << 20, 0), (5, 100)])
def test_children_without_room_are_walked_later(
    items: int, arena: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descent, "MOST_ITEMS", items)
    monkeypatch.setattr(walk, "MOST_ARENA", arena)
    again = ivm.parse(str(SCENE))  # nothing is kept for it
    check(again, "bitmap", size=9, depth=2)
    if (items, arena) == (5, 100):
        check(again, "value", size=16, depth=4)


def test_every_child_has_to_wait_for_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_ARENA", 0)
    check(ivm.parse(str(NOISE)), "bitmap", size=4, depth=2)


def test_programs_too_long_for_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have launches of their own, in which short ones are left alone."""
    monkeypatch.setattr(descent, "SHORT", 6)
    monkeypatch.setattr(walk, "SHORT_LEAF", 3)
    check(ivm.parse(str(SCENE)), "bitmap", size=16, depth=4)


def test_several_warps_share_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices.Simulator, "most_warps", 3)
    check(ivm.parse(str(SCENE)), "bitmap", size=16, depth=3)


# --- waves --------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(tape=scenes(), sign_only=st.booleans())
def test_records_of_a_wave_read_none_of_it(tape: Tape, sign_only: bool) -> None:
    question = Question.SIGN if sign_only else Question.VALUE
    dtype = np.dtype(np.float32)
    program = plan_of(tape, question, Meaning.FLOAT, dtype, {"var-z": 0.0}, 16.0).program
    ordered, table = in_waves(program)
    assert len(ordered) == len(program)
    start = 0
    for entry in table.tolist():
        end, combines = entry >> 1, entry & 1
        assert end > start
        for number, *places in ordered.records[start:end].tolist():
            variant = VARIANTS[number & VARIANT_MASK]
            assert (variant.kinds == "tt") == combines
            for kind, place in zip(variant.kinds, places, strict=False):
                assert kind == "k" or place < start + INPUTS
        start = end
    assert start == len(program)
