"""A GPU through CuPy: its memory, and kernels from ``compile`` loaded and launched."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.gpu.compile import Capability, code_of
from intervalvm.gpu.device import cupy, device_errors
from intervalvm.gpu.kernels import Kernel

FEWER = "draw a smaller image, or choose backend='cupy' or 'numba'"
"""The way out if the device's memory is too small."""
SPLIT_BLOCKS, LEAF_BLOCKS = 16, 8
"""Blocks for each multiprocessor."""


class CupyDevice:
    """One GPU. Everything runs on CuPy's current stream, in order."""

    most_warps = 16
    paint_threads = 256

    def __init__(self, device_id: int) -> None:
        self.id = device_id
        with device_errors(FEWER):
            found = cupy().cuda.Device(device_id)
            self.processors = int(found.attributes["MultiProcessorCount"])
            digits = str(found.compute_capability)
        self.capability: Capability = int(digits[:-1]), int(digits[-1])
        self.split_blocks = SPLIT_BLOCKS * self.processors
        self.leaf_blocks = LEAF_BLOCKS * self.processors
        self._functions: dict[Kernel, Any] = {}

    def load(self, kernel: Kernel) -> None:
        """Compile a kernel, which takes seconds the first time on a machine, and load it."""
        if kernel in self._functions:
            return
        code, name = code_of(kernel, self.capability)
        with device_errors(FEWER):
            module = cupy().cuda.function.Module()
            module.load(code)
            self._functions[kernel] = module.get_function(name)

    def empty(self, count: int, dtype: Any) -> Any:
        with device_errors(FEWER):
            return cupy().empty(count, dtype)

    def array(self, values: NDArray[Any]) -> Any:
        with device_errors(FEWER):
            return cupy().asarray(np.ascontiguousarray(values))

    def upload(self, array: Any, values: NDArray[Any]) -> None:
        with device_errors(FEWER):
            array.set(values)

    def launch(self, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        with device_errors(FEWER):
            self._functions[kernel]((blocks,), (threads,), flattened(arguments))

    def recorded(self, work: Callable[[], None]) -> Callable[[], None]:
        """As a CUDA graph: launching one takes about as long as launching a kernel."""
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


def flattened(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """Arguments as numba-cuda's kernels take them: an array is seven numbers of 64 bits.

    Two are used by CPUs only; then the number of items, the item size, the address, the shape and
    the stride.
    """
    words: list[int] = []
    for argument in arguments:
        if isinstance(argument, int):
            words.append(argument)
        else:
            size, itemsize = argument.size, argument.itemsize
            words += (0, 0, size, itemsize, argument.data.ptr, size, itemsize)
    return tuple(words)


@lru_cache
def device(device_id: int) -> CupyDevice:
    return CupyDevice(device_id)


def current() -> CupyDevice:
    """CuPy's current device."""
    with device_errors(FEWER):
        current_id = int(cupy().cuda.runtime.getDevice())
    return device(current_id)
