"""The target of kernels: a GPU, or the simulator of numba-cuda.

The simulator runs a kernel as Python, each thread of a block as a thread of the process. The
environment variable ``NUMBA_ENABLE_CUDASIM=1`` selects it before numba is imported.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import Any

import numpy as np
from numba import cuda
from numba.core import config

from intervalvm.errors import BackendError, install_line
from intervalvm.gpu import device as gpu_device

SIMULATED = bool(config.ENABLE_CUDASIM)
WARP = 32
FULL = 0xFFFFFFFF
"""All lanes of a warp."""

HAS_NUMBA_CUDA = find_spec("numba_cuda") is not None


def check_target() -> None:
    """Raise BackendError if kernels can neither be compiled nor simulated.

    A GPU needs CuPy too; its presence is checked on use.
    """
    if SIMULATED:
        return
    gpu_device.cupy()  # says how to install it
    if not HAS_NUMBA_CUDA:
        raise BackendError(
            "the back end 'cuda' needs numba-cuda, which is not installed: " + install_line("cuda")
        )


types: Any = None
intrinsic: Any = None
if not SIMULATED and HAS_NUMBA_CUDA:
    if not hasattr(np, "row_stack"):
        # numba-cuda up to 0.30 looks for it when it first compiles, and NumPy 2.5 has it no more
        np.row_stack = np.vstack
        import_module("numba.cuda.np.arrayobj")
        del np.row_stack
    types, extending = import_module("numba.cuda.types"), import_module("numba.cuda.extending")
    if not hasattr(types, "float32"):  # numba-cuda took over numba's types and tools by and by
        types = import_module("numba.types")
    if not hasattr(extending, "intrinsic"):
        extending = import_module("numba.extending")
    intrinsic = extending.intrinsic

device = cuda.jit(device=True, inline="always")
"""What makes a function one that kernels call."""


_VOTING = Lock()

if SIMULATED:

    @device
    def vote(words: Any, place: int, truth: Any, lane: int) -> None:
        """Each lane's truth as a bit of ``words[place]``, visible after the next barrier.

        Called by all lanes of a warp together.
        """
        bit = 1 << int(lane)
        with _VOTING:  # its atomics have a lock for each operation, and here there are two
            others = int(words[place]) & ~bit
            words[place] = np.uint32(others | bit if truth else others)

else:

    @device
    def vote(words: Any, place: int, truth: Any, lane: int) -> None:
        word = cuda.ballot_sync(FULL, truth)
        if lane == 0:
            words[place] = word
