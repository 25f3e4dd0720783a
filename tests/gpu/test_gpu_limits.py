"""What kernels ask of a GPU and its driver, read from their code: it needs no GPU to be known.

A kernel that asks for more than there is fails at its first launch; what each may ask for is in
``docs/gpu.md``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.gpu_code import ARCHITECTURES, needs_numba_cuda, rounds_otherwise

from intervalvm import BackendError
from intervalvm.gpu import kernels, switches
from intervalvm.gpu.devices import flattened
from intervalvm.gpu.kernels import (
    ALL_REGISTERS,
    BUILDERS,
    ENTRY,
    Kernel,
    code_of,
    limited,
    machine_code,
    ptx,
)
from intervalvm.gpu.switches import Switch

pytestmark = needs_numba_cuda
H200 = (9, 0)
SHARED_BYTES = 48 << 10
"""Of a block's static arrays; more is for a launch to ask for."""
STACK_BYTES = 1 << 10
"""Of a thread. The driver takes them for all threads that a GPU can hold: 264 MiB on an H200."""
ADDRESS = 1 << 40
BARE = ("paint", "inside", "convert", "extremes", "find_cells", "sort")
"""Kernels that compute no value."""
OF_PIXELS = ("leaves", "short", "long")
KERNELS = [
    Kernel(kind, dtype, tame=False, is_bitmap=is_bitmap)
    for kind in BUILDERS
    for dtype in ("float32", "float64")
    for is_bitmap in ((True, False) if kind in OF_PIXELS else (True,))
]
SMALL = Kernel("inside", "float32", tame=False, is_bitmap=True)
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=str)


@lru_cache
def text_of(kernel: Kernel) -> str:
    return ptx(kernel, H200)


def linked(kernel: Kernel) -> str:
    """What ptxas says of a kernel."""
    from cuda.bindings import nvjitlink

    text, limits = limited(text_of(kernel), kernel.most_registers)
    code, options = text.encode(), ["-arch=sm_90", "-verbose", *limits]
    handle = nvjitlink.create(len(options), options)
    try:
        nvjitlink.add_data(handle, nvjitlink.InputType.PTX, code, len(code), "kernel")
        nvjitlink.complete(handle)
        said = bytearray(nvjitlink.get_info_log_size(handle))
        nvjitlink.get_info_log(handle, said)
    finally:
        nvjitlink.destroy(handle)
    return said.decode()


def of_an_array(values: Any) -> Any:
    """A stand-in for an array of a device."""
    return SimpleNamespace(
        size=values.size, itemsize=values.itemsize, data=SimpleNamespace(ptr=ADDRESS)
    )


# --- what is in the code --------------------------------------------------------------------------


@every_kernel
def test_parameters_are_what_is_passed(kernel: Kernel) -> None:
    """As many as ``flattened`` makes of the arguments, 64 bits each."""
    given = flattened(
        tuple(
            0 if dtype is None else of_an_array(np.zeros(6, dtype))
            for dtype in kernel.parameters.values()
        )
    )
    _, _, head = text_of(kernel).partition(".visible .entry ")
    taken = re.findall(r"\.param \.([a-z])(\d+)", head[: head.index(")")])
    assert [bits for _, bits in taken] == ["64"] * len(given)
    assert {kind for kind, _ in taken} <= set("ubs"), "a number that is not an integer"


def reads_its_size(a: Any, out: Any) -> None:
    out[0] = a.size


def reads_its_shape(a: Any, out: Any) -> None:
    out[0] = a.shape[0]


def reads_an_item(a: Any, out: Any) -> None:
    out[0] = a[0]


@pytest.mark.parametrize(
    ("kernel", "place"), [(reads_its_size, 2), (reads_its_shape, 5), (reads_an_item, 4)]
)
def test_the_numbers_of_an_array_are_in_their_places(kernel: Any, place: int) -> None:
    """The parameter that each is read from is the one where ``flattened`` has it."""
    from numba import cuda
    from numba.cuda import types

    given = flattened((of_an_array(np.zeros(6)), of_an_array(np.zeros(1))))
    assert given == (0, 0, 6, 8, ADDRESS, 6, 8, 0, 0, 1, 8, ADDRESS, 1, 8)
    array = types.int64[::1]
    text, _ = cuda.compile(kernel, types.void(array, array), device=False, abi="numba", cc=H200)
    read = re.findall(r"ld\.param\.\w+\s+%\w+, \[\w+_param_(\d+)\]", text)
    assert sorted(map(int, read)) == [place, 7 + 4]


@every_kernel
def test_blocks_have_the_registers_and_the_memory(kernel: Kernel) -> None:
    said = linked(kernel)
    (registers,) = map(int, re.findall(r"used (\d+) registers", said))
    assert registers * kernel.most_threads <= ALL_REGISTERS
    assert registers <= (kernel.most_registers or registers)
    assert sum(map(int, re.findall(r"(\d+) bytes smem", said))) <= SHARED_BYTES
    (stack,) = map(int, re.findall(r"(\d+) stack", said))
    assert stack <= STACK_BYTES


@every_kernel
def test_a_launch_asks_for_nothing_special(kernel: Kernel) -> None:
    """No memory that a launch would size, no barrier of a grid, no function found elsewhere."""
    text = text_of(kernel)
    assert ".extern" not in text
    assert "cudaCG" not in text
    assert not re.search(r"barrier\.cluster|griddepcontrol|nanosleep", text)
    assert f".maxntid {kernel.most_threads}, 1, 1" in text


@every_kernel
def test_no_instruction_rounds_otherwise(kernel: Kernel) -> None:
    """No multiplication and addition in one, nothing approximate, no subnormal lost.

    Only where a cell is looked for there is a guess, whose rounding does not matter.
    """
    text = text_of(kernel)
    if kernel.kind not in BARE:
        assert len(re.findall(r"\b(?:add|mul|div|sqrt)\.rn\.f\d\d", text)) > 20
    found = rounds_otherwise(text)
    assert found == (["add.f64", "sub.f64"] if kernel.kind == "find_cells" else [])


@every_kernel
def test_the_oldest_driver_takes_the_text(kernel: Kernel) -> None:
    """The compiler here is a newer one, which states its own version unless it is told."""
    assert re.findall(r"^\.version (\S+)", text_of(kernel), re.MULTILINE) == ["9.0"]


@pytest.mark.parametrize("capability", ARCHITECTURES, ids=str)
def test_all_architectures_are_in_that_version(capability: tuple[int, int]) -> None:
    assert machine_code(ptx(SMALL, capability), capability).startswith(b"\x7fELF")


def test_kernels_compile_without_what_numpy_dropped() -> None:
    """numba-cuda up to 0.30 looks for ``numpy.row_stack``, which NumPy 2.5 has no more."""
    code = (
        "import numpy\n"
        "if hasattr(numpy, 'row_stack'):\n"
        "    del numpy.row_stack\n"
        "    numpy.__all__.remove('row_stack')\n"
        "from intervalvm.gpu.kernels import Kernel, ptx\n"
        "print(len(ptx(Kernel('inside', 'float32', tame=False, is_bitmap=True), (9, 0))))\n"
        "print(hasattr(numpy, 'row_stack'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    length, is_there = done.stdout.split()
    assert int(length) > 1000
    assert is_there == "False"


# --- switches -------------------------------------------------------------------------------------


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield tmp_path / "intervalvm"
    switches.value.cache_clear()


def turn(monkeypatch: pytest.MonkeyPatch, switch: Switch, value: str) -> None:
    monkeypatch.setenv(switch.name, value)
    switches.value.cache_clear()


def test_who_makes_machine_code(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for linker in switches.LINKER.values:
        turn(monkeypatch, switches.LINKER, linker)
        found[linker] = code_of(SMALL, H200)
        assert code_of(SMALL, H200) == found[linker], "it is kept"
    (machine, name), (text, same_name) = found["nvjitlink"], found["driver"]
    assert machine.startswith(b"\x7fELF")
    assert name.encode() in machine
    assert ENTRY.findall(text.decode()) == [same_name]
    assert text.endswith(b"\0"), "the driver reads it as text that ends"
    assert len(list(cache_folder.iterdir())) == 2, "one does not hide the other"


def test_what_ptxas_says_is_told(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer version of PTX, as an older linker sees it, is left to the driver."""
    monkeypatch.setattr(kernels, "OLDEST_VERSION", ".version 99.0")
    with pytest.raises(BackendError, match=r"Unsupported .version 99.0.* set .*LINKER=driver"):
        machine_code(ptx(SMALL, H200), H200)
    assert b".version 99.0" in code_of(SMALL, H200)[0]
    assert "Unsupported .version 99.0" in caplog.text


def test_how_hard_ptxas_tries(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel("clause", "float32", tame=False, is_bitmap=False)
    sizes = {}
    for level in switches.OPTIMIZE.values:
        turn(monkeypatch, switches.OPTIMIZE, level)
        sizes[level] = len(code_of(kernel, H200)[0])
    assert sizes["0"] > sizes["1"]
    assert sizes["0"] > sizes["3"]
    assert len(list(cache_folder.iterdir())) == 3


def test_how_many_registers_a_thread_has(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels that divide keep theirs, and are not compiled again for it."""
    divides = Kernel("split", "float32", tame=True, is_bitmap=True)
    kernel = Kernel("cell_duals", "float32", tame=False, is_bitmap=False)
    used = []
    for registers in sorted(switches.REGISTERS.values, key=int):
        turn(monkeypatch, switches.REGISTERS, registers)
        (found,) = re.findall(r"used (\d+) registers", linked(kernel))
        assert int(found) <= int(registers)
        used.append(int(found))
        assert divides.most_registers is None
        code_of(kernel, H200)
    assert used == sorted(set(used)), "each leaves more than the one before"
    assert len(list(cache_folder.iterdir())) == len(used)
