"""A device of the stand-in for CuPy that runs the real kernels, in numba-cuda's simulator."""

from __future__ import annotations

import threading
from typing import Any

from support.fake_cupy import FakeLauncher

from intervalvm.gpu import devices
from intervalvm.gpu.kernels import Kernel

ONE_AT_A_TIME = threading.Lock()
"""The simulator runs one kernel at a time."""


class Launcher(FakeLauncher):
    """The real kernels, on the stand-in's arrays, when its streams get to it."""

    processors = split_blocks = leaf_blocks = 2
    most_warps, paint_threads = 1, 32

    def run(self, kernel: Kernel, blocks: int, threads: int, *arguments: Any) -> None:
        with ONE_AT_A_TIME:
            devices.Simulator().launch(kernel, blocks, threads, *arguments)
