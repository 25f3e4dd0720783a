"""A stand-in for CuPy on a machine without a GPU: NumPy behind CuPy's rules and CuPy's errors.

It is stricter than NumPy where CuPy is: arrays do not mix with NumPy's, are copied to the host only
by ``get``, and are freed when nobody holds them; to its own functions a subnormal float32 is 0.
``FakeDevice`` has a budget of memory and can be lost in the middle. What the project uses of CuPy
is here, and no more: an attribute that is missing is an AttributeError, not a guess.
"""

from __future__ import annotations

import operator
import sys
import threading
import time
import weakref
from functools import partial
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from support import programs, slotted_programs

from intervalvm.arith.arrays import Arrays
from intervalvm.compiler.program import VARIANTS, Program
from intervalvm.gpu import device, devices, target
from intervalvm.gpu.kernels import Kernel
from intervalvm.jit import layout as c
from intervalvm.ops import OPS


class CUDARuntimeError(RuntimeError):
    __module__ = "cupy_backends.cuda.api.runtime"


class OutOfMemoryError(MemoryError):
    __module__ = "cupy.cuda.memory"


LOST = CUDARuntimeError("cudaErrorIllegalAddress: an illegal memory access was encountered")
"""What a device that is lost answers to every call from then on."""


class FakeDevice:
    """What is true of the device: its memory, how many there are, and what it answers."""

    def __init__(self, memory: int = 1 << 34, *, promised: int | None = None) -> None:
        self.memory = memory
        self.promised = memory if promised is None else promised  # what memGetInfo says is free
        self.held = self.most_held = self.kernels = self.copies_down = 0
        self.lost_after: int | None = None  # kernels
        self.id, self.count, self.capability = 0, 1, "90"
        self.refusal: Exception | None = None  # of the driver

    def answer(self) -> None:
        if self.lost_after is not None and self.kernels >= self.lost_after:
            raise LOST

    def take(self, size: int) -> None:
        self.answer()
        if self.held + size > self.memory:
            raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes (allocated so far: …)")
        self.held += size
        self.most_held = max(self.most_held, self.held)

    def give(self, size: int) -> None:
        self.held -= size


CURRENT = threading.local()
"""The stream of each thread that is not the default one."""


class FakeStream:
    """Does what it is given as late as it may: when somebody waits for it."""

    def __init__(self, device: FakeDevice, *, non_blocking: bool) -> None:
        assert non_blocking, "one that waits for the default stream would overlap with nothing"
        self.device, self.waiting = device, []  # type: ignore[var-annotated]

    def later(self, work: Any) -> None:
        self.device.answer()
        self.waiting.append(work)

    def __enter__(self) -> None:
        CURRENT.stream = self

    def __exit__(self, *_: Any) -> None:
        CURRENT.stream = None

    def synchronize(self) -> None:
        waiting, self.waiting = self.waiting, []
        for work in waiting:
            work()
        self.device.answer()


class FakeEvent:
    """A moment, as far as the host knows it."""

    def record(self, stream: Any = None) -> None:
        self.time = time.perf_counter()

    def synchronize(self) -> None:
        pass


class FakeContext:
    """``cupy.cuda.Device`` as a context of one thread."""

    def __init__(self, number: int = 0) -> None:
        self.id = number

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        pass


class FakeArray:
    """``cupy.ndarray``: the operators, views and copies that the project uses."""

    __array_priority__ = 100

    def __init__(self, device: FakeDevice, values: Any, *, is_view: bool = False) -> None:
        self.device, self.values = device, values
        self.owner: Any = None  # of the memory, of a view
        if not is_view:
            device.take(values.nbytes)
            weakref.finalize(self, device.give, values.nbytes)

    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)
    size = property(lambda self: self.values.size)
    itemsize = property(lambda self: self.values.itemsize)
    nbytes = property(lambda self: self.values.nbytes)
    strides = property(lambda self: self.values.strides)
    flags = property(lambda self: self.values.flags)
    data = property(lambda self: SimpleNamespace(ptr=self.values.ctypes.data))

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return dict(self.values.__array_interface__)

    def __iter__(self) -> Any:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self.values)))

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        return bool(self.get())

    def get(self, stream: Any = None, out: Any = None, blocking: bool = True) -> Any:
        self.device.answer()
        self.device.copies_down += 1
        if out is None:
            return self.values.copy()
        assert out.shape == self.shape
        assert out.dtype == self.dtype
        assert not blocking
        stream.later(lambda: np.copyto(out, self.values))
        return out

    def set(self, arr: Any, stream: Any = None) -> None:
        self.device.answer()
        assert type(arr) is np.ndarray
        assert arr.shape == self.shape
        assert arr.dtype == self.dtype
        stream.later(lambda: np.copyto(self.values, arr))

    def new(self, values: Any) -> FakeArray:
        self.device.kernels += 1
        return FakeArray(self.device, np.asarray(values))

    def computed(self, function: Any, *operands: Any) -> FakeArray:
        """What one of CuPy's kernels makes of them."""
        return self.new(flushed(function(*(flushed(plain(operand)) for operand in operands))))

    def part(self, values: Any) -> FakeArray:
        found = FakeArray(self.device, values, is_view=True)
        found.owner = self
        return found

    def view(self, dtype: Any) -> FakeArray:
        return self.part(self.values.view(dtype))

    @property
    def is_flat(self) -> bool:
        return bool(self.values.flags.c_contiguous)

    def reshape(self, shape: Any) -> FakeArray:
        return self.part(self.values.reshape(shape))

    def ravel(self) -> FakeArray:
        return self.part(self.values.reshape(-1))

    def astype(self, dtype: Any) -> FakeArray:
        with np.errstate(all="ignore"):
            return self.computed(lambda values: values.astype(dtype), self)

    def fill(self, value: Any) -> None:
        self.device.kernels += 1
        self.values.fill(value)

    def any(self) -> FakeArray:
        return self.new(self.values.any())

    def all(self) -> FakeArray:
        return self.new(self.values.all())

    def __getitem__(self, key: Any) -> FakeArray:
        if isinstance(key, FakeArray):
            return self.new(self.values[key.values])
        found = self.values[key]
        if not isinstance(found, np.ndarray):  # one number is an array too
            found = self.values[(*key, ...) if isinstance(key, tuple) else (key, ...)]
        return self.part(found)

    def __setitem__(self, key: Any, values: Any) -> None:
        self.device.answer()
        self.device.kernels += 1
        if isinstance(values, FakeArray) and values.dtype.kind == "f":
            assert self.dtype == values.dtype, "CuPy flushes subnormal numbers to 0"
        self.values[key.values if isinstance(key, FakeArray) else key] = plain(values)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        assert method == "__call__"
        assert not options
        if ufunc in COMPARISONS:  # NumPy makes arrays of its scalars here, and CuPy undoes that
            inputs = tuple(
                value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
                for value in inputs
            )
        return self.computed(ufunc, *inputs)


class Tensor:
    """An array of another library, on a device of DLPack's; its memory is shared as PyTorch's."""

    def __init__(self, array: FakeArray, *, on: Any = (2, 0), grad: bool = False) -> None:
        self.array, self.on, self.requires_grad = array, on, grad
        self.streams: list[int] = []  # those that waited for it

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.on

    def __dlpack__(self, *, stream: int) -> FakeArray:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        self.streams.append(stream)
        return self.array

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self.requires_grad:
            raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad.")
        return self.array.__cuda_array_interface__


class Described:
    """An array of a library that has only the CUDA array interface."""

    def __init__(self, array: FakeArray, *, read_only: bool = False) -> None:
        self.array, found = array, array.__cuda_array_interface__
        self.__cuda_array_interface__ = found | {"data": (found["data"][0], read_only)}


COMPARISONS = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)


def plain(value: Any) -> Any:
    """What a kernel computes with: the array behind a fake, or a scalar; never NumPy's arrays."""
    if isinstance(value, FakeArray):
        return value.values
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    return value


def flushed(value: Any) -> Any:
    """As CuPy compiles its functions: a subnormal float32 is read, and written, as 0."""
    if getattr(value, "dtype", None) != np.float32:
        return value
    zero = np.copysign(np.float32(0), value)
    return np.where(abs(value) < np.finfo(np.float32).tiny, zero, value)


def _operator(name: str, *, swap: bool) -> Any:
    function = getattr(operator, name)

    def apply(self: FakeArray, other: Any) -> FakeArray:
        return self.computed(function, *((other, self) if swap else (self, other)))

    return apply


for _name in ("add", "sub", "mul", "truediv", "and_", "or_", "xor", "lshift", "rshift"):
    setattr(FakeArray, f"__{_name.strip('_')}__", _operator(_name, swap=False))
    setattr(FakeArray, f"__r{_name.strip('_')}__", _operator(_name, swap=True))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(FakeArray, f"__{_name}__", _operator(_name, swap=False))
FakeArray.__neg__ = lambda self: self.computed(operator.neg, self)  # type: ignore[attr-defined]
FakeArray.__invert__ = lambda self: self.new(~self.values)  # type: ignore[attr-defined]

UFUNCS = (
    *("abs", "floor", "ceil", "trunc", "sqrt", "fmod", "copysign", "isnan", "nextafter"),
    *("signbit", "minimum", "maximum", "where"),
)
COPYING = ("where", "copysign", "signbit")
"""Those that look at bits, or write what they read."""


def fake_cupy(device: FakeDevice) -> ModuleType:
    """The module, for one device."""

    def array(values: Any, dtype: Any = None) -> FakeArray:
        if isinstance(values, FakeArray):
            same = dtype is None or dtype == values.dtype
            return values.new(values.values.copy()) if same else values.astype(dtype)
        if hasattr(values, "__cuda_array_interface__"):
            described = SimpleNamespace(__array_interface__=values.__cuda_array_interface__)
            return FakeArray(device, np.asarray(described), is_view=True)
        device.kernels += 1
        found = np.array(values, dtype)
        if not found.ndim and found == 0:
            found = np.zeros_like(found)  # which sets bytes to 0, also for -0
        return FakeArray(device, found)

    def asarray(values: Any, dtype: Any = None) -> FakeArray:
        if isinstance(values, FakeArray) and (dtype is None or dtype == values.dtype):
            return values
        return array(values, dtype)

    def from_dlpack(values: Any) -> FakeArray:
        assert values.__dlpack_device__()[0] in (2, 13)
        found = values.__dlpack__(stream=1)
        assert isinstance(found, FakeArray)
        return found.part(found.values)

    def broadcast_to(values: FakeArray, shape: tuple[int, ...]) -> FakeArray:
        if not isinstance(values, FakeArray):
            raise TypeError("Argument 'array' has incorrect type (expected cupy.ndarray)")
        return values.part(np.broadcast_to(values.values, shape))

    def kernel(name: str) -> Any:
        def run(*operands: Any) -> FakeArray:
            device.answer()
            device.kernels += 1
            seen = (lambda value: value) if name in COPYING else flushed
            found = getattr(np, name)(*(seen(plain(operand)) for operand in operands))
            return FakeArray(device, np.asarray(seen(found)))

        return run

    def get_device_count() -> int:
        if device.refusal is not None:
            raise device.refusal
        return device.count

    def mem_get_info() -> tuple[int, int]:
        device.answer()
        return device.promised - device.held, device.promised

    class Device(FakeContext):
        compute_capability = property(lambda self: device.capability)
        attributes: ClassVar[dict[str, int]] = {"MultiProcessorCount": 132, "ClockRate": 1_980_000}

        def synchronize(self) -> None:
            device.answer()

    module = ModuleType("cupy")
    found: dict[str, Any] = {name: kernel(name) for name in UFUNCS}
    found |= {
        "array": array,
        "asarray": asarray,
        "broadcast_to": broadcast_to,
        "from_dlpack": from_dlpack,
        "may_share_memory": lambda a, b: np.may_share_memory(a.values, b.values),
        "ascontiguousarray": lambda a: a if a.is_flat else a.new(np.ascontiguousarray(a.values)),
        "cumsum": lambda a, dtype: a.new(np.cumsum(a.values, dtype=dtype)),
        "ndarray": FakeArray,
        "zeros": lambda shape, dtype: FakeArray(device, np.zeros(shape, dtype)),
        "empty": lambda shape, dtype: FakeArray(device, np.full(shape, 77, dtype)),
        "get_default_memory_pool": lambda: SimpleNamespace(
            free_bytes=lambda: 0,
            free_all_blocks=lambda: None,
            total_bytes=lambda: device.most_held,
        ),
        "cuda": SimpleNamespace(
            Device=Device,
            Stream=lambda *, non_blocking: FakeStream(device, non_blocking=non_blocking),
            Event=FakeEvent,
            get_elapsed_time=lambda start, end: 1e3 * (end.time - start.time),
            get_current_stream=lambda: None,
            alloc_pinned_memory=lambda size: memoryview(bytearray(size)),
            runtime=SimpleNamespace(
                CUDARuntimeError=CUDARuntimeError,
                getDevice=lambda: device.id,
                getDeviceCount=get_device_count,
                memGetInfo=mem_get_info,
                driverGetVersion=lambda: 13020,
                runtimeGetVersion=lambda: 13020,
                getDeviceProperties=lambda _: {"name": b"a stand-in", "totalGlobalMem": 1 << 34},
            ),
        ),
    }
    vars(module).update(found)
    return module


class FakeLauncher:
    """Stands for ``gpu.devices.Device``: kernels by their definitions in NumPy, record by record.

    ``launches`` has the kind and the integers of each launch.
    """

    module: ModuleType
    """The stand-in for CuPy."""
    leaf_blocks, paint_threads = 2, 256

    def __init__(self, device: FakeDevice) -> None:
        self.device, self.lock = device, threading.Lock()
        self.loaded: set[Kernel] = set()
        self.launches: list[tuple[str, list[int]]] = []

    def load(self, kernel: Kernel) -> None:
        self.device.answer()
        self.loaded.add(kernel)

    def empty(self, count: int, dtype: Any) -> FakeArray:
        return FakeArray(self.device, np.full(count, 77).astype(dtype))

    def array(self, values: Any) -> FakeArray:
        return FakeArray(self.device, values.copy())

    def upload(self, array: FakeArray, values: Any) -> None:
        self.device.answer()
        array.values[...] = values

    def host(self, array: FakeArray) -> Any:
        return array.get()

    def address(self, array: FakeArray) -> int:
        return int(array.values.ctypes.data)

    def wait(self) -> None:
        self.device.answer()

    def free_bytes(self) -> int:
        return device.free_bytes()

    def recorded(self, work: Any) -> Any:
        return work

    def launch(self, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        self.device.answer()
        assert kernel in self.loaded
        if find_spec("numba_cuda") or target.SIMULATED:  # else there is no function to ask
            expected = list(kernel.parameters.values())
            assert [None if isinstance(a, int) else str(a.dtype) for a in arguments] == expected
        assert all(isinstance(a, int) or a.is_flat for a in arguments)
        with self.lock:
            self.device.kernels += 1
            numbers = [blocks, *(a for a in arguments if isinstance(a, int))]
            self.launches.append((kernel.kind, numbers))
        plain = [a if isinstance(a, int) else a.values.reshape(-1) for a in arguments]
        work = partial(self.run, kernel, blocks, threads, *plain)
        stream = getattr(CURRENT, "stream", None)
        if stream is None:
            work()
        else:
            stream.later(work)

    def run(self, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        assert threads == 256
        DEFINITIONS[kernel.kind](kernel, blocks, *arguments)


def define_clause(
    kernel: Kernel, blocks: int, variant: int, count: int, out: Any, a: Any, a_stride: int, b: Any,
    b_stride: int,
) -> None:  # fmt: skip
    assert 256 * (blocks - 1) < count <= 256 * blocks
    op = OPS[VARIANTS[variant].op]
    operands = [x if step else x[0] for x, step in ((a, a_stride), (b, b_stride))][: op.arity]
    with np.errstate(all="ignore"):
        out[:count] = op.point(Arrays(np, np.dtype(kernel.dtype)), *operands)


def define_inside(kernel: Kernel, blocks: int, count: int, values: Any, image: Any) -> None:
    assert 256 * (blocks - 1) < count <= 256 * blocks
    image[:count] = np.where(values < 0, 255, 0)


def define_convert(kernel: Kernel, blocks: int, count: int, out: Any, other: Any) -> None:
    assert 256 * (blocks - 1) < count <= 256 * blocks
    with np.errstate(all="ignore"):
        out[:count] = other


def define_short(
    kernel: Kernel, count: int, blocks: Any, records: Any, constants: Any, x: Any, y: Any,
    results: Any,
) -> None:  # fmt: skip
    records, results = records.reshape(-1, 4), results.reshape(-1, 8 if kernel.is_bitmap else 256)
    for i, block in enumerate(blocks.reshape(-1, c.BLOCK_WORDS)[:count].tolist()):
        first, length, result, left, top, columns, rows, _ = block
        assert 1 <= columns <= 16
        assert 1 <= rows <= 16
        program = Program(records[first : first + length], constants, result)
        value = programs.run(program, x[left : left + 16], y[top : top + 16, None])
        value = np.broadcast_to(value, (16, 16))
        if kernel.is_bitmap:
            results[i] = np.packbits(value, bitorder="little").view(np.uint32)
        else:
            results[i] = value.ravel()


def define_long(kernel: Kernel, at_once: int, *arguments: Any) -> None:
    *arrays, scratch, count, told, places = arguments
    assert told == at_once
    assert len(scratch) >= at_once * places * 256
    define_short(kernel, count, *arrays)


ONE_AT_A_TIME = threading.Lock()
"""The simulator runs one kernel at a time."""


class SimulatedLauncher(FakeLauncher):
    """The real kernels, in the simulator, when the stand-in's streams get to it."""

    processors = split_blocks = leaf_blocks = 2
    most_warps, paint_threads = 1, 32

    def run(self, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        with ONE_AT_A_TIME:
            devices.Simulator().launch(kernel, blocks, threads, *arguments)


DEFINITIONS: dict[str, Any] = {
    "values": slotted_programs.define_values,
    "duals": slotted_programs.define_duals,
    "boxes": slotted_programs.define_boxes,
    "clause": define_clause,
    "inside": define_inside,
    "convert": define_convert,
    "short": define_short,
    "long": define_long,
}


def install(
    monkeypatch: pytest.MonkeyPatch, gpu: FakeDevice, launcher: FakeLauncher | None = None
) -> FakeLauncher:
    """Have ``import cupy`` find the fake for one test; returns what launches kernels."""
    monkeypatch.setitem(sys.modules, "cupy", fake_cupy(gpu))
    device.cupy.cache_clear()
    # whatever the test leaves, the next one looks for the real one
    monkeypatch.setattr(device, "cupy", device.cupy.__wrapped__)
    found = launcher or FakeLauncher(gpu)
    found.module = sys.modules["cupy"]
    monkeypatch.setattr(devices, "current", lambda: found)
    monkeypatch.setattr(target, "HAS_NUMBA_CUDA", True)
    return found
