"""The walk on a GPU, as far as that goes without one: simulated, compiled, its rules run here.

Tests at the end, marked ``gpu``, run on a device and skip with the reason where there is none.
"""

from __future__ import annotations

import importlib.util
import pickle
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.cuda_simulator import run_simulated
from support.gpu_code import ARCHITECTURES, needs_numba_cuda, rounds_otherwise
from support.operations import DTYPES
from support.places import TOP
from support.scenes import scenes

import intervalvm as ivm
from intervalvm import BackendError, OptionError, Region, Tape
from intervalvm.arith.arrays import IntervalArrays
from intervalvm.gpu.kinds import KINDS, Function
from intervalvm.raster.image import Image


def test_the_kernels_thread_by_thread() -> None:
    run_simulated("walk")


# --- what is compiled -----------------------------------------------------------------------------


@needs_numba_cuda
@pytest.mark.parametrize("capability", ARCHITECTURES, ids=str)
def test_a_contraction_would_be_found(capability: tuple[int, int]) -> None:
    from numba import cuda
    from numba.cuda import types

    def contracted(x: Any) -> None:
        x[0] = x[0] * x[1] + x[2]

    ptx, _ = cuda.compile_ptx(contracted, types.void(types.float32[::1]), cc=capability)
    assert rounds_otherwise(ptx) == ["fma.rn.f32"]


@needs_numba_cuda
@pytest.mark.parametrize("capability", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("tame", [True, False], ids=["tame", "careful"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_rule_rounds_otherwise(dtype: str, tame: bool, capability: tuple[int, int]) -> None:
    """All rules of a kernel; the kernels themselves compute no number without them."""
    from numba import cuda
    from numba.cuda import types

    from intervalvm.gpu.rules import device_functions

    made = device_functions(dtype, tame=tame)
    point, bounds, literal, constant = made.point, made.bounds, made.literal, made.constant
    strict, dual = made.strict, made.dual

    def all_of_them(v: Any, x: Any) -> None:
        x[0] = point(v, x[0], x[1], x[2])
        low, high, nan = constant(x[3])
        x[4], x[5], nan, left, right = bounds(v, low, high, nan, x[6], x[7], nan, x[8], x[9], nan)
        x[10], x[11] = literal(v, low, high, left, x[6], x[7], nan, x[8], x[9], right)
        x[4], x[5], nan, left, right = strict(v, low, high, nan, x[6], x[7], nan, x[8], x[9], nan)
        x[0], x[1], x[2], x[3], left, right = dual(
            v, v, x[0], x[1], x[2], x[3], left, x[4], x[5], x[6], x[7], right
        )

    signature = types.void(types.int64, getattr(types, dtype)[::1])
    ptx, _ = cuda.compile_ptx(all_of_them, signature, cc=capability)
    assert len(re.findall(r"\b(?:add|mul|div|sqrt)\.rn\.f\d\d", ptx)) > 300
    assert rounds_otherwise(ptx) == []


# --- the rules as they are compiled, on this processor --------------------------------------------


def numbers(dtype: str) -> Any:
    info = np.finfo(dtype)
    some = [0.0, 1.0, 0.5, 2.5, 3.0, 1e-30, 1e30, 1e5, 7.0, 0.1, np.pi, 2.0**24 + 1, np.inf]
    edges = [info.max, info.tiny, info.smallest_subnormal]
    positive = np.array([*some, *edges], dtype)
    return np.concatenate([positive, -positive, np.array([np.nan], dtype)])


@needs_numba_cuda
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", KINDS)
def test_the_code_of_a_thread_gives_the_bits_of_numpy(name: str, dtype: str) -> None:
    from support.thread_rules import thread_results

    random, kind, tame = np.random.default_rng(1), KINDS[name], False
    function, xp = Function(name, dtype, tame), IntervalArrays(np.dtype(dtype))
    xp.slack = 1.0 if name == "strict" else 4.0  # as NumPy's, or as in the careful lanes
    known = numbers(dtype)
    for variant in kind.variants or [None]:
        operands = random.choice(known, (200, kind.count, len(kind.operand)))
        if kind.is_of_boxes:
            known_ends = known[~np.isnan(known)]
            operands[:, :, :2] = np.sort(random.choice(known_ends, (200, kind.count, 2)), axis=2)
        is_truth = [letter == "t" for letter in kind.operand]
        operands[:, :, is_truth] = random.integers(0, 2, (200, kind.count, sum(is_truth)))
        if name == "dual":  # ties, with equal slopes and with others
            operands[::3, 1], operands[1::3, 1, 0] = operands[::3, 0], operands[1::3, 0, 0]
        operands = operands.reshape(200, -1)
        words = random.integers(0, 1 << kind.bits, 200)
        found = thread_results(name, dtype, tame, variant, operands, words)
        columns = [
            column != 0 if truth else column
            for truth, column in zip(is_truth * kind.count, operands.T.copy(), strict=True)
        ]
        bits = [(words >> k & 1) != 0 for k in range(kind.bits)]
        with np.errstate(all="ignore"):
            parts = function.compute(xp, variant, columns, bits)
        for k, part in enumerate(parts):
            expected = np.broadcast_to(np.asarray(part, dtype), len(found))
            assert_array_equal(found[:, k], expected, err_msg=str(variant))
            is_zero = expected == 0
            signs = np.signbit(found[is_zero, k]), np.signbit(expected[is_zero])
            assert_array_equal(*signs, err_msg=f"the sign of 0 of {variant}")


# --- what a caller sees ---------------------------------------------------------------------------


def test_only_the_pruned_engine_walks() -> None:
    with pytest.raises(OptionError, match="'dense' has no back end 'cuda'"):
        ivm.render(ivm.parse("x var-x"), size=4, engine="dense", backend="cuda")


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="CuPy is installed")
def test_without_cupy_the_error_says_how_to_install_it() -> None:
    with pytest.raises(BackendError, match=r"pip install 'cupy-cuda"):
        ivm.render(ivm.parse("x var-x"), size=4, backend="cuda")


class OnDevice:
    """An array as CuPy has it: it comes to the host when asked."""

    def __init__(self, values: Any) -> None:
        self.values, self.shape, self.dtype = values, values.shape, values.dtype
        self.asked = 0

    def get(self) -> Any:
        self.asked += 1
        return self.values


def test_pixels_stay_on_the_device_until_they_are_asked_for() -> None:
    array = OnDevice(np.zeros((2, 3), np.uint8))
    drawn = ivm.render(ivm.parse("x var-x"), size=2)
    image = Image(array, Region.square(), drawn.stats, drawn.samples())
    assert image.device_pixels is array
    assert (image.width, image.height, image.mode) == (3, 2, "bitmap")
    assert array.asked == 0
    assert image.pixels is array.values
    assert image.bitmap() is array.values
    assert array.asked == 1
    assert pickle.loads(pickle.dumps(image)).device_pixels is None


def test_pixels_of_a_cpu_are_on_no_device() -> None:
    assert ivm.render(ivm.parse("x var-x"), size=2).device_pixels is None


# --- on a device ----------------------------------------------------------------------------------


def agrees(tape: Tape, **options: Any) -> None:
    """Pixels are those of dense evaluation, and what was proven is what the CPU's walk proves."""
    for mode in ("bitmap", "value"):
        found = ivm.render(tape, backend="cuda", mode=mode, **options)
        expected = ivm.render(tape, mode=mode, **options)
        assert_array_equal(found.pixels, expected.pixels)
        assert found.stats.levels == expected.stats.levels
        assert found.stats.pixels == expected.stats.pixels


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1, 64, 100, (257, 31), 1024, (2048, 1000)], ids=str)
def test_a_gpu_draws_the_same_pixels(size: Any, dtype: str) -> None:
    x, y, _ = ivm.axes()
    disc = ivm.sqrt(x * x + y * y) - 0.75
    shapes = [
        ivm.minimum(disc, x * y + 0.25),
        ivm.minimum(ivm.sqrt(x), y),
        ivm.sin(9 * x) * ivm.exp(y) - ivm.atan2(y, x) * 0.25,
        ivm.rand(ivm.mix(x * 1.37, y)) - 0.5,
        ivm.tan(x * 1e6) % (y + 0.5) - ivm.ln(x),
    ]
    for shape in shapes:
        agrees(shape.tape(), size=size, dtype=dtype)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_a_gpu_draws_any_scene() -> None:
    @given(tape=scenes(), dtype=st.sampled_from(DTYPES), depth=st.integers(0, 7))
    def check(tape: Tape, dtype: str, depth: int) -> None:
        agrees(tape, size=(200, 130), depth=depth, dtype=dtype)

    check()


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("size", [64, 512, 1024, 2048])
def test_a_gpu_draws_prospero(size: int) -> None:
    agrees(ivm.load(TOP / "prospero.vm"), size=size)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(("items", "arena"), [(1, 1 << 20), (1 << 20, 0), (5, 1000)])
def test_a_gpu_without_room_walks_in_passes(
    items: int, arena: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intervalvm.gpu import descent, walk

    monkeypatch.setattr(descent, "MOST_ITEMS", items)
    monkeypatch.setattr(walk, "MOST_ARENA", arena)
    x, y, _ = ivm.axes()
    agrees((ivm.sqrt(x * x + y * y) - 0.75).tape(), size=128, depth=4)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_frames_drawn_where_one_was_before_are_new() -> None:
    """Launches are recorded for a place in memory, and the region is none of them."""
    x, y, _ = ivm.axes()
    shape = (ivm.sqrt(x * x + y * y) - 0.75).tape()
    places = set()
    for i in range(8):
        options = {"size": 256, "region": Region.around((0.1 * i, 0), 1)}
        image = ivm.render(shape, backend="cuda", **options)
        places.add(image.device_pixels.data.ptr)
        assert_array_equal(image.pixels, ivm.render(shape, **options).pixels)
        del image
    assert len(places) < 4, "the pool gives the same memory again"


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_pixels_that_a_gpu_drew_stay_there() -> None:
    import cupy

    x, y, _ = ivm.axes()
    shape = (x * x + y * y - 0.5).tape()
    first, second = (ivm.render(shape, size=64, backend="cuda") for _ in "ab")
    assert isinstance(first.device_pixels, cupy.ndarray)
    assert first.device_pixels.data.ptr != second.device_pixels.data.ptr
    assert_array_equal(cupy.asnumpy(first.device_pixels), second.pixels)
