"""Devices of a walk's arrays and kernels: a GPU, through CuPy, or the simulator.

Both take kernels as ``kernels.Kernel`` and their own arrays. Launches run in order, and ``host``
waits for them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.gpu import switches
from intervalvm.gpu.device import cupy, device_errors, free_bytes
from intervalvm.gpu.kernels import Capability, Kernel, code_of
from intervalvm.gpu.target import SIMULATED, check_target
from intervalvm.memory import address_of, available

FEWER = (
    "draw a smaller image or evaluate fewer points at a time, or choose backend='cupy' or 'numba'"
)
"""The way out if the device's memory is too small."""
SPLIT_BLOCKS, LEAF_BLOCKS = 16, 8
"""Blocks for each multiprocessor."""
INTEGERS = (int, np.integer)
"""Types of arguments that are no arrays."""


class Simulator:
    """The simulator of numba-cuda: arrays are NumPy's, blocks run one after the other."""

    module = np
    """The library of its arrays."""
    processors = 2
    """Its multiprocessors."""
    split_blocks = leaf_blocks = 2
    """Blocks that share the work of a launch, at most."""
    most_warps = 1
    """Warps of a block that splits, at most."""
    paint_threads = 32
    """Threads of a block that paints."""

    def load(self, kernel: Kernel) -> None:
        """Prepare a kernel for launches."""
        _simulated(kernel)

    def empty(self, count: int, dtype: Any) -> Any:
        """An array of the device, uninitialised."""
        filled = np.empty(count, dtype)
        filled.view(np.uint8)[:] = 0xA5  # not zeros, which nothing may rely on
        return filled

    def array(self, values: NDArray[Any]) -> Any:
        """A copy of an array on the device."""
        return values.copy()

    def upload(self, array: Any, values: NDArray[Any]) -> None:
        """Write ``values`` over an array of the device of the same size."""
        array[:] = values

    def launch(self, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        """Run a kernel after all that was launched before. Arguments are arrays and integers."""
        from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

        # it copies what is no array of its own, also arrays that overlap
        passed = [FakeCUDAArray(a) if isinstance(a, np.ndarray) else a for a in arguments]
        _simulated(kernel)[blocks, threads](*passed)

    def wait(self) -> None:
        """Wait for all that was launched and copied."""

    def free_bytes(self) -> int:
        """Bytes for arrays of the device."""
        return available()

    def recorded(self, work: Callable[[], None]) -> Callable[[], None]:
        """A function that repeats the launches of ``work`` as one."""
        return work

    def address(self, array: Any) -> int:
        """Where an array lies."""
        return address_of(array)

    def host(self, array: Any) -> NDArray[Any]:
        """A copy of an array, after all that was launched."""
        copied: NDArray[Any] = array.copy()
        return copied


@lru_cache
def _simulated(kernel: Kernel) -> Any:
    from numba import cuda

    return cuda.jit(kernel.function)


class CupyDevice:
    """One GPU, with the methods of the simulator. All runs on CuPy's current stream, in order."""

    paint_threads = 256

    def __init__(self, device_id: int) -> None:
        self.id = device_id
        self.module = cupy()
        """The library of its arrays."""
        with device_errors(FEWER):
            found = self.module.cuda.Device(device_id)
            self.processors = int(found.attributes["MultiProcessorCount"])
            digits = str(found.compute_capability)
        self.capability: Capability = int(digits[:-1]), int(digits[-1])
        self.split_blocks = SPLIT_BLOCKS * self.processors
        self.leaf_blocks = LEAF_BLOCKS * self.processors
        self.most_warps = int(switches.value(switches.WARPS))
        self._launchers: dict[Kernel, Launcher] = {}

    def load(self, kernel: Kernel) -> None:
        """Compile a kernel, which takes seconds the first time on a machine, and load it."""
        if kernel not in self._launchers:
            by_cupy = switches.is_default(switches.LAUNCH)
            launcher = _of_cupy(kernel, self.capability) if by_cupy else _of_numba(kernel)
            self._launchers[kernel] = launcher

    def empty(self, count: int, dtype: Any) -> Any:
        with device_errors(FEWER):
            return cupy().empty(count, dtype)

    def array(self, values: NDArray[Any]) -> Any:
        with device_errors(FEWER):
            return cupy().asarray(np.ascontiguousarray(values))

    def upload(self, array: Any, values: NDArray[Any]) -> None:
        with device_errors(FEWER):
            array.set(values)
        self.wait()  # until they have been read: the caller may drop or change them

    def launch(self, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        with device_errors(FEWER):
            self._launchers[kernel](blocks, threads, arguments)

    def wait(self) -> None:
        with device_errors(FEWER):
            cupy().cuda.get_current_stream().synchronize()

    def free_bytes(self) -> int:
        return free_bytes()

    def recorded(self, work: Callable[[], None]) -> Callable[[], None]:
        """As a CUDA graph: launching one takes about as long as launching a kernel."""
        if not switches.is_default(switches.GRAPHS):
            return work
        with device_errors(FEWER):
            stream = cupy().cuda.Stream(non_blocking=True)
            with stream:
                stream.begin_capture()
                try:
                    work()
                finally:
                    graph = stream.end_capture()

        def replay() -> None:
            with device_errors(FEWER):
                graph.launch()

        return replay

    def address(self, array: Any) -> int:
        return int(array.data.ptr)

    def host(self, array: Any) -> NDArray[Any]:
        with device_errors(FEWER):
            copied: NDArray[Any] = array.get()
        return copied


Launcher = Callable[[int, int, tuple[Any, ...]], None]
"""Launches one kernel on CuPy's current stream: blocks, threads of each, arguments."""


def _of_cupy(kernel: Kernel, capability: Capability) -> Launcher:
    code, name = code_of(kernel, capability)
    with device_errors(FEWER):
        module = cupy().cuda.function.Module()
        module.load(code)
        function = module.get_function(name)
    return lambda blocks, threads, arguments: function((blocks,), (threads,), flattened(arguments))


def _of_numba(kernel: Kernel) -> Launcher:
    """numba-cuda compiles and loads the kernel at its first launch."""
    from numba import cuda

    jitted = cuda.jit(kernel.function, launch_bounds=kernel.most_threads)

    def launch(blocks: int, threads: int, arguments: tuple[Any, ...]) -> None:
        stream = cuda.external_stream(int(cupy().cuda.get_current_stream().ptr))
        passed = [
            # a stream that waited here could not be captured
            int(a) if isinstance(a, INTEGERS) else cuda.as_cuda_array(a.ravel(), sync=False)
            for a in arguments
        ]
        with warnings.catch_warnings():  # a small picture has few blocks
            warnings.filterwarnings("ignore", "Grid size .* low occupancy")
            configured = jitted[blocks, threads, stream]
        configured(*passed)

    return launch


def flattened(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """Arguments as numba-cuda's kernels take them: an array is seven numbers of 64 bits.

    Two are used by CPUs only; then the number of items, the item size, the address, the shape and
    the stride. CuPy passes a Python integer as 64 bits, any other with its own size.
    """
    words: list[int] = []
    for argument in arguments:
        if isinstance(argument, INTEGERS):
            words.append(int(argument))
        else:
            size, itemsize = argument.size, argument.itemsize
            words += (0, 0, size, itemsize, argument.data.ptr, size, itemsize)
    return tuple(words)


Device = CupyDevice | Simulator
_simulator = lru_cache(Simulator)
_gpu = lru_cache(CupyDevice)


def current() -> Device:
    """The device that this process uses: the current one of CuPy, or the simulator.

    Raises BackendError where something is not installed, DeviceError where no GPU can be used.
    """
    check_target()
    if SIMULATED:
        return _simulator()
    with device_errors(FEWER):
        current_id = int(cupy().cuda.runtime.getDevice())
    return _gpu(current_id)
