"""Devices of a walk's arrays and kernels: a GPU, through CuPy, or the simulator.

Both take kernels as ``kernels.Kernel`` and their own arrays. Launches run in order, and ``host``
waits for them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.target import SIMULATED, check_target
from intervalvm.memory import address_of


class Device(Protocol):
    """The interface of a device."""

    processors: int
    """Its multiprocessors."""
    split_blocks: int
    leaf_blocks: int
    """Blocks that share the work of a launch, at most."""
    most_warps: int
    """Warps of a block that splits, at most."""
    paint_threads: int
    """Threads of a block that paints."""

    def load(self, kernel: Kernel) -> None:
        """Prepare a kernel for launches."""

    def empty(self, count: int, dtype: Any) -> Any:
        """An array of the device, uninitialised."""

    def array(self, values: NDArray[Any]) -> Any:
        """A copy of an array on the device."""

    def upload(self, array: Any, values: NDArray[Any]) -> None:
        """Write ``values`` over an array of the device of the same size."""

    def launch(self, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        """Run a kernel after all that was launched before. Arguments are arrays and integers."""

    def recorded(self, work: Callable[[], None]) -> Callable[[], None]:
        """A function that repeats the launches of ``work`` as one."""

    def address(self, array: Any) -> int:
        """Where an array lies."""

    def host(self, array: Any) -> NDArray[Any]:
        """A copy of an array, after all that was launched."""


class Simulator:
    """The simulator of numba-cuda: arrays are NumPy's, blocks run one after the other."""

    processors = split_blocks = leaf_blocks = 2
    most_warps = 1
    paint_threads = 32

    def load(self, kernel: Kernel) -> None:
        _simulated(kernel)

    def empty(self, count: int, dtype: Any) -> Any:
        filled = np.empty(count, dtype)
        filled.view(np.uint8)[:] = 0xA5  # not zeros, which nothing may rely on
        return filled

    def array(self, values: NDArray[Any]) -> Any:
        return values.copy()

    def upload(self, array: Any, values: NDArray[Any]) -> None:
        array[:] = values

    def launch(self, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

        # it copies what is no array of its own, also arrays that overlap
        passed = [FakeCUDAArray(a) if isinstance(a, np.ndarray) else a for a in arguments]
        _simulated(kernel)[blocks, threads](*passed)

    def recorded(self, work: Callable[[], None]) -> Callable[[], None]:
        return work

    def address(self, array: Any) -> int:
        return address_of(array)

    def host(self, array: Any) -> NDArray[Any]:
        copied: NDArray[Any] = array.copy()
        return copied


@lru_cache
def _simulated(kernel: Kernel) -> Any:
    from numba import cuda

    return cuda.jit(kernel.function)


@lru_cache
def _simulator() -> Simulator:
    return Simulator()


def current() -> Device:
    """The device that this process uses: the current one of CuPy, or the simulator.

    Raises BackendError where something is not installed, DeviceError where no GPU can be used.
    """
    check_target()
    if SIMULATED:
        return _simulator()
    from intervalvm.gpu import cupy_device

    return cupy_device.current()
