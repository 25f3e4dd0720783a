"""The switches, and the device of CuPy, on a stand-in whose kernels run in the simulator.

Run by ``test_switches``. The stand-in takes what a driver does: code, grids, and the 64-bit numbers
of a kernel's parameters. Arrays are found again by their addresses, so a picture is right only if
all numbers are in their places.
"""

from __future__ import annotations

import ctypes
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numba import cuda
from numpy.testing import assert_array_equal
from support.cuda_simulator import let_threads_share_cuda

import intervalvm as ivm
from intervalvm.gpu import devices, switches
from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.target import SIMULATED
from intervalvm.memory import address_of

assert SIMULATED
PIXELS = 64
CAPTURING = 7
"""The handle of a stream; that of the null stream is 0."""


class Array(np.ndarray):
    """What ``cupy.ndarray`` has besides the methods of NumPy's."""

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=address_of(self))

    def set(self, values: Any) -> None:
        self[...] = values

    def get(self) -> Any:
        return np.array(self)


class Standin:
    """A device and its libraries: what runs at once, what is captured, and what was called."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.threads: set[int] = set()
        self.captured: list[Callable[[], None]] | None = None
        self.image: Any = np.zeros(PIXELS, np.uint8).view(Array)
        self.stream = SimpleNamespace(ptr=0, synchronize=partial(self.calls.append, "wait"))
        self.module = SimpleNamespace(
            empty=self.empty,
            asarray=lambda values: values.copy().view(Array),
            cuda=SimpleNamespace(
                Device=lambda _: SimpleNamespace(
                    attributes={"MultiProcessorCount": 1}, compute_capability="90"
                ),
                Stream=partial(Stream, self),
                get_current_stream=lambda: self.stream,
                function=SimpleNamespace(Module=partial(Module, self)),
            ),
        )

    def empty(self, count: int, dtype: Any) -> Any:
        """Frames are drawn into the same memory, as happens to those that are dropped."""
        return self.image if count == PIXELS else np.full(count, 77, dtype).view(Array)

    def launch(self, way: str, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        run = partial(devices.Simulator().launch, kernel, blocks, threads, *arguments)
        self.calls.append(way)
        self.threads.add(threads)
        if self.captured is None:
            run()
        else:
            self.captured.append(run)

    def jit(self, function: Any, *, launch_bounds: int) -> Any:
        """Stands for ``numba.cuda.jit`` of a kernel."""
        (kernel,) = (k for k in KERNELS if k.function is function)
        assert launch_bounds == kernel.most_threads

        class Jitted:
            def __getitem__(_, config: tuple[int, int, int]) -> Any:  # noqa: N805
                blocks, threads, stream = config
                assert stream == self.stream.ptr
                return partial(self.launch, "numba", kernel, blocks, threads)

        return Jitted()


class Stream:
    """One that captures launches while it is the current one."""

    ptr = CAPTURING

    def __init__(self, standin: Standin, *, non_blocking: bool) -> None:
        assert non_blocking
        self.standin = standin

    def __enter__(self) -> None:
        self.before, self.standin.stream = self.standin.stream, self

    def __exit__(self, *_: object) -> None:
        self.standin.stream = self.before

    def begin_capture(self) -> None:
        self.standin.captured = []

    def end_capture(self) -> Any:
        captured, self.standin.captured = self.standin.captured or [], None

        def launch() -> None:
            self.standin.calls.append("graph")
            for run in captured:
                run()

        return SimpleNamespace(launch=launch)


class Module:
    def __init__(self, standin: Standin) -> None:
        self.standin = standin

    def load(self, code: bytes) -> None:
        self.kernel = pickle.loads(code)

    def get_function(self, name: str) -> Any:
        assert name == "entry"

        def function(grid: tuple[int], block: tuple[int], words: tuple[int, ...]) -> None:
            assert all(type(word) is int for word in words), "others are not passed as 64 bits"
            arguments = passed(self.kernel, iter(words))
            self.standin.launch("cupy", self.kernel, *grid, *block, *arguments)

        return function


def passed(kernel: Kernel, words: Iterator[int]) -> Iterator[Any]:
    """The arguments that a kernel has of its parameters."""
    for dtype in kernel.parameters.values():
        if dtype is None:
            yield next(words)
            continue
        _, _, size, itemsize, address, count, stride = islice(words, 7)
        assert (size, itemsize) == (count, stride) == (size, np.dtype(dtype).itemsize)
        memory = (ctypes.c_uint8 * (size * itemsize)).from_address(address)
        yield np.frombuffer(memory, dtype)
    assert next(words, None) is None


KERNELS = [
    Kernel(kind, "float32", tame=True, is_bitmap=True) for kind in ("split", "leaves", "paint")
]
x, y, _ = ivm.axes()
SCENE = ivm.maximum(ivm.minimum(x * x + y * y - 0.5, abs(x - 0.3) + abs(y) - 0.2), x * y - 0.1)


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    let_threads_share_cuda(monkeypatch)
    found = Standin()
    monkeypatch.setattr(devices, "cupy", lambda: found.module)
    monkeypatch.setattr(devices, "code_of", lambda kernel, _: (pickle.dumps(kernel), "entry"))
    for kernel in KERNELS:
        devices._simulated(kernel)  # before its compiler is replaced
    monkeypatch.setattr(cuda, "jit", found.jit)
    monkeypatch.setattr(cuda, "external_stream", lambda pointer: pointer, raising=False)
    monkeypatch.setattr(cuda, "as_cuda_array", lambda a, sync: np.asarray(a), raising=False)
    switches.value.cache_clear()
    yield found
    switches.value.cache_clear()


def draw(monkeypatch: pytest.MonkeyPatch, *scales: float) -> None:
    """Frames of one tape, each of another region, with the device of CuPy."""
    device = devices.CupyDevice(0)
    monkeypatch.setattr(devices, "current", lambda: device)
    tape = SCENE.tape()
    for scale in scales:
        options: dict[str, Any] = {"size": 8, "region": ivm.Region.around((0, 0), scale)}
        found = ivm.render(tape, backend="cuda", depth=1, **options)
        assert_array_equal(found.pixels, ivm.render(tape, engine="dense", **options).pixels)


@pytest.mark.parametrize(
    ("graphs", "launch"), [("on", "cupy"), ("off", "cupy"), ("on", "numba")], ids=str
)
def test_every_way_draws_the_same_pictures(
    graphs: str, launch: str, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(switches.GRAPHS.name, graphs)
    monkeypatch.setenv(switches.LAUNCH.name, launch)
    monkeypatch.setenv(switches.WARPS.name, "1")
    draw(monkeypatch, 1, 0.5, 2, 1)
    *_, first, second, third, fourth = " ".join(standin.calls).split("wait")
    launches = first.split()
    assert launches == [launch] * 3, "a split, the leaves, what is proven"
    replayed = ["graph"] if graphs == "on" else launches
    assert second.split() == (launches + replayed if graphs == "on" else launches)
    assert third.split() == fourth.split() == replayed


def test_blocks_have_no_more_warps_than_the_switch_says(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(switches.WARPS.name, "2")
    draw(monkeypatch, 1)
    assert standin.threads == {64, 256}
