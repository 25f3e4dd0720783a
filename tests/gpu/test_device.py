"""The GPU's errors, and the dense engine on it: on a stand-in, which has CuPy's rules and errors.

What the real library answers where there is no GPU is tried at the end, where it is installed.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from support.fake_cupy import CUDARuntimeError, FakeArray, FakeDevice, install
from support.places import TOP
from support.strategies import tapes

import intervalvm as ivm
from intervalvm import BackendError, DeviceError, DoesNotFit, Tape
from intervalvm.cli import main
from intervalvm.gpu import device, target
from intervalvm.ops import ROWS


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    """A device of 16 GiB; a test changes what it says."""
    found = FakeDevice()
    install(monkeypatch, found)
    return found


def disc() -> Tape:
    x, y, _ = ivm.axes()
    return (ivm.sqrt(x * x + y * y) - 0.75).tape()


def dense(tape: Tape, **options: Any) -> Any:
    return ivm.render(tape, engine="dense", **options).pixels


# --- the values ---------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(tape=tapes(max_clauses=30), dtype=st.sampled_from(["float32", "float64"]))
def test_random_tapes_have_the_values_of_numpy(gpu: FakeDevice, tape: Tape, dtype: str) -> None:
    points = np.linspace(-2, 2, 7)
    options = {"dtype": dtype, "variables": dict.fromkeys(tape.variables, 0.5)}
    found = ivm.evaluate(tape, points, points[:, None], 0.25, backend="cupy", **options)
    assert isinstance(found, FakeArray), "what was asked for on the device stays there"
    assert_array_equal(found.get(), ivm.evaluate(tape, points, points[:, None], 0.25, **options))


@pytest.mark.parametrize("op", [op.name for op in ROWS if op.arity])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_operation_has_the_bits_of_numpy(gpu: FakeDevice, op: str, dtype: str) -> None:
    """Also of constants alone, which are NumPy's scalars on the device as well."""
    special = [0.0, -0.0, 0.5, -1.5, 2.5, 3.0, 1e-30, np.inf, -np.inf, np.nan]
    a, b = (grid.ravel() for grid in np.meshgrid(special, special))
    arity = ivm.ops.OPS[op].arity
    tape = ivm.parse(f"x var-x\ny var-y\nv {op} {'x y' if arity == 2 else 'x'}")
    found = ivm.evaluate(tape, a, b, backend="cupy", dtype=dtype).get()
    expected = ivm.evaluate(tape, a, b, dtype=dtype)
    assert_array_equal(found, expected)
    assert_array_equal(np.signbit(found)[found == 0], np.signbit(expected)[expected == 0])
    constant = ivm.parse(f"x const 0.75\ny const 2\nv {op} {'x y' if arity == 2 else 'x'}")
    found = ivm.evaluate(constant, a, b, backend="cupy", dtype=dtype).get()
    assert_array_equal(found, ivm.evaluate(constant, a, b, dtype=dtype))


@pytest.mark.parametrize("mode", ["bitmap", "value"])
@pytest.mark.parametrize("engine", ["dense", "naive"])
def test_a_picture_is_that_of_numpy(gpu: FakeDevice, engine: str, mode: str) -> None:
    options: dict[str, Any] = {"size": (33, 17), "mode": mode}
    image = ivm.render(disc(), engine=engine, backend="cupy", **options)
    assert type(image.pixels) is np.ndarray
    assert_array_equal(image.pixels, dense(disc(), **options))
    assert (image.stats.engine, image.stats.backend) == (engine, "cupy")
    assert gpu.copies_down >= 1


@pytest.mark.parametrize("op", [op.name for op in ROWS if op.arity])
def test_gradients_are_those_of_numpy(gpu: FakeDevice, op: str) -> None:
    values = np.linspace(-2, 2, 9)
    tape = ivm.parse(f"x var-x\ny var-y\nv {op} {'x y' if ivm.ops.OPS[op].arity == 2 else 'x'}")
    found = ivm.grad(tape, values, values[:, None], backend="cupy")
    for part, expected in zip(found, ivm.grad(tape, values, values[:, None]), strict=True):
        assert_array_equal(part.get(), expected)


def test_gradients_where_branches_meet_are_those_of_numpy(gpu: FakeDevice) -> None:
    x, y, _ = ivm.axes()
    values = np.linspace(-1, 1, 9)
    jumps = np.where(x > 0, -x, abs(x)) + (y % 1)
    for shape in (ivm.shapes.box(1, 1, 1), ivm.sqrt(ivm.maximum(x, 0)), jumps):
        found = ivm.grad(shape, values, values[:, None], backend="cupy")
        expected = ivm.grad(shape, values, values[:, None])
        for part, same in zip(found, expected, strict=True):
            assert_array_equal(part.get(), same)
    assert ivm.grad(jumps, 0.0, 0.25, backend="cupy").dx.get() == -1


@pytest.mark.parametrize("engine", ["dense", "naive", "pruned"])
def test_a_setting_keeps_the_sign_of_its_zero(gpu: FakeDevice, engine: Any) -> None:
    """CuPy fills an array of no dimension with its number, and -0 with bytes that are 0."""
    x, _, z = ivm.axes()
    settings: list[dict[str, Any]] = [{"z": -0.0}, {"variables": {"r": -0.0}}]
    for shape, setting in zip((x + 1 / z, x + 1 / ivm.var("r")), settings, strict=True):
        found = ivm.render(shape, size=16, engine=engine, backend="cupy", **setting).pixels
        assert found.all()
        assert_array_equal(found, ivm.render(shape, size=16, engine="dense", **setting).pixels)


def test_subnormal_derivatives_count(gpu: FakeDevice) -> None:
    """CuPy's own functions, which computed them once, made 0 of them."""
    x, y, _ = ivm.axes()
    values = np.array([1e-40, -3e-39, 1e-45, 0.5], np.float32)
    found = ivm.grad(x * x * y, values, 1.0, backend="cupy")
    expected = ivm.grad(x * x * y, values, 1.0)
    assert expected.dx[:3].all()
    for part, same in zip(found, expected, strict=True):
        assert_array_equal(part.get(), same)


def test_subnormal_numbers_count(gpu: FakeDevice) -> None:
    """CuPy's own functions would take them for 0: no question is put to those."""
    x, y, _ = ivm.axes()
    region = ivm.Region((-1e-20, 1e-20), (-1e-20, 1e-20))
    options: dict[str, Any] = {"size": 16, "region": region, "engine": "dense"}
    expected = ivm.render(x * y, **options).pixels
    assert 0 < np.count_nonzero(expected) < expected.size
    assert_array_equal(ivm.render(x * y, backend="cupy", **options).pixels, expected)


@pytest.mark.parametrize("shapes", [((5,), (3, 1)), ((), (4,)), ((2, 1, 3), (4, 1)), ((0,), ())])
def test_inputs_broadcast(gpu: FakeDevice, shapes: Any) -> None:
    rng = np.random.default_rng(1)
    x, y = (rng.normal(size=shape) for shape in shapes)
    found = ivm.evaluate(disc(), x, y, backend="cupy")
    assert_array_equal(found.get(), ivm.evaluate(disc(), x, y))


# --- bands --------------------------------------------------------------------------------------


def test_bands_fit_the_memory_that_is_free(gpu: FakeDevice) -> None:
    gpu.memory = gpu.promised = 500_000
    told: list[tuple[int, int]] = []
    image = ivm.render(
        disc(), size=256, engine="dense", backend="cupy", progress=lambda *step: told.append(step)
    )
    assert_array_equal(image.pixels, dense(disc(), size=256))
    assert gpu.most_held <= 500_000
    assert len(told) > 3
    assert told == sorted(told)
    assert told[-1] == (256 * 256, 256 * 256)


def test_a_whole_image_that_fits_is_one_band(gpu: FakeDevice) -> None:
    told: list[tuple[int, int]] = []
    ivm.render(
        disc(), size=64, engine="dense", backend="cupy", progress=lambda *step: told.append(step)
    )
    assert told == [(4096, 4096)]


def test_a_band_that_does_not_fit_after_all_is_halved(gpu: FakeDevice) -> None:
    """Somebody else took the memory that was free when the bands were cut."""
    gpu.memory, gpu.promised = 60_000, 1 << 30
    image = ivm.render(disc(), size=256, engine="dense", backend="cupy")
    assert_array_equal(image.pixels, dense(disc(), size=256))
    assert gpu.most_held <= 60_000


def test_max_memory_bounds_the_arrays_on_the_device(gpu: FakeDevice) -> None:
    image = ivm.render(disc(), size=256, engine="dense", backend="cupy", max_memory=300_000)
    assert_array_equal(image.pixels, dense(disc(), size=256))
    assert gpu.most_held <= 300_000


def test_a_row_that_does_not_fit_is_an_error(gpu: FakeDevice) -> None:
    gpu.memory, gpu.promised = 3_000, 1 << 30
    with pytest.raises(DoesNotFit, match=r"one row at a time: use engine='pruned'"):
        ivm.render(disc(), size=256, engine="dense", backend="cupy")
    gpu.promised = 3_000
    with pytest.raises(DoesNotFit, match=r"on the GPU, of which it may take .*'pruned'"):
        ivm.render(disc(), size=256, engine="dense", backend="cupy")


def test_the_naive_engine_refuses_what_does_not_fit(gpu: FakeDevice) -> None:
    gpu.memory = gpu.promised = 500_000
    before = gpu.kernels
    with pytest.raises(DoesNotFit, match="use engine='dense' or 'pruned'"):
        ivm.render(disc(), size=256, engine="naive", backend="cupy")
    assert gpu.kernels == before, "it says so before it starts"
    gpu.promised = 1 << 30
    with pytest.raises(DoesNotFit, match="ran out of memory on the GPU: use engine='dense'"):
        ivm.render(disc(), size=256, engine="naive", backend="cupy")


def test_evaluate_says_that_the_device_is_full(gpu: FakeDevice) -> None:
    gpu.memory = 10_000
    with pytest.raises(DoesNotFit, match=r"the GPU ran out of memory .* fewer points at a time"):
        ivm.evaluate(disc(), np.zeros(2000), 0, backend="cupy")


def test_nothing_stays_on_the_device(gpu: FakeDevice) -> None:
    gpu.memory, gpu.promised = 60_000, 1 << 30
    ivm.render(disc(), size=256, engine="dense", backend="cupy")
    gc.collect()
    assert gpu.held == 0


# --- no device, an old one, a lost one ------------------------------------------------------------

CALLS = {
    "evaluate": lambda: ivm.evaluate(disc(), 0, 0, backend="cupy"),
    "dense": lambda: ivm.render(disc(), size=8, engine="dense", backend="cupy"),
    "naive": lambda: ivm.render(disc(), size=8, engine="naive", backend="cupy"),
    "pruned": lambda: ivm.render(disc(), size=8, backend="cupy"),
    "grad": lambda: ivm.grad(disc(), 0, 0, backend="cupy"),
    "Evaluator": lambda: ivm.Evaluator(disc(), backend="cuda").values(0, 0),
}


def fails(call: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words) as found:
        CALLS[call]()
    assert found.type is kind


@pytest.mark.parametrize("call", CALLS)
def test_cupy_is_not_installed(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    device.cupy.cache_clear()
    fails(call, BackendError, r"pip install 'cupy-cuda")


def test_an_evaluator_says_so_when_it_is_made(
    gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu.count = 0
    with pytest.raises(DeviceError, match="no NVIDIA GPU"):
        ivm.Evaluator(disc(), backend="cuda")
    monkeypatch.setattr(target, "HAS_NUMBA_CUDA", False)
    gpu.count = 1
    with pytest.raises(BackendError, match="numba-cuda"):
        ivm.Evaluator(disc(), backend="cuda")


@pytest.mark.parametrize("call", CALLS)
def test_numba_cuda_is_not_installed(
    call: str, gpu: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "HAS_NUMBA_CUDA", False)
    fails(call, BackendError, r"numba-cuda, .* pip install 'cupy-cuda")


@pytest.mark.parametrize("call", CALLS)
def test_there_is_no_driver(call: str, gpu: FakeDevice) -> None:
    gpu.refusal = CUDARuntimeError(
        "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version"
    )
    fails(call, DeviceError, "no NVIDIA driver .* 580 .*backend='numba'")


@pytest.mark.parametrize("call", CALLS)
def test_there_is_no_device(call: str, gpu: FakeDevice) -> None:
    gpu.refusal = CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")
    fails(call, DeviceError, "no NVIDIA GPU can be used: .*nvidia-smi.*backend='numba'")
    gpu.refusal, gpu.count = None, 0
    fails(call, DeviceError, "no NVIDIA GPU .* CUDA_VISIBLE_DEVICES")


@pytest.mark.parametrize("call", CALLS)
def test_the_device_is_too_old(call: str, gpu: FakeDevice) -> None:
    gpu.capability = "61"
    fails(call, DeviceError, r"compute capability 6\.1, but CUDA 13 makes code for 7\.5")
    gpu.capability = "75"
    CALLS[call]()
    gpu.capability = "120"
    CALLS[call]()


@pytest.mark.parametrize("call", CALLS)
def test_the_device_is_lost(call: str, gpu: FakeDevice) -> None:
    CALLS[call]()  # what is tried once has been tried
    gpu.lost_after = gpu.kernels + 3
    fails(call, DeviceError, "the GPU failed .*IllegalAddress.* nothing was written")


def test_an_error_of_the_project_is_not_taken_for_the_device_s() -> None:
    with pytest.raises(ZeroDivisionError), device.device_errors():
        raise ZeroDivisionError


def test_an_error_leaves_nothing_on_the_device(gpu: FakeDevice) -> None:
    """The arrays of its frames go with it, at once: they are in no circle."""

    @device.device_errors()
    def keeps_an_array() -> None:
        array = FakeArray(gpu, np.zeros(100))
        gpu.take(gpu.memory)
        assert array is None

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(DoesNotFit) as found:
            keeps_an_array()
        assert gpu.held == 800
        del found
        assert gpu.held == 0
    finally:
        gc.enable()


def test_the_command_line_says_so_and_writes_nothing(
    gpu: FakeDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disc.vm").write_text(str(disc()))
    words = ["disc.vm", "--engine", "dense", "--backend", "cupy", "--size", "32"]
    assert main(words) == 0
    first = (tmp_path / "disc.png").read_bytes()
    gpu.lost_after = gpu.kernels + 3
    assert main(words) == 3
    assert "start a new one" in capsys.readouterr().err
    gpu.lost_after, gpu.memory = None, 0
    assert main(words) == 3
    assert "use --engine pruned" in capsys.readouterr().err
    assert (tmp_path / "disc.png").read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disc.png", "disc.vm"]


# --- the real library ---------------------------------------------------------------------------


@pytest.mark.skipif(importlib.util.find_spec("cupy") is None, reason="CuPy is not installed")
def test_the_real_library_without_a_driver() -> None:
    """In a process that sees no device, whether the machine has one or not."""
    code = (
        "import sys, intervalvm as ivm\n"
        "try:\n"
        "    ivm.evaluate(ivm.parse('x var-x'), 0, 0, backend='cupy')\n"
        "except ivm.DeviceError as error:\n"
        "    print(error.exit_status, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(TOP), "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.stdout.startswith("3 no NVIDIA ")
