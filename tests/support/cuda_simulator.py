"""Kernels on a CPU: numba-cuda's simulator, in a process of its own.

The simulator has to be chosen before numba is imported, so a test of kernels stands in a file whose
name begins with ``simulated_`` and is run by pytest in a process where it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from support.fake_cupy import FakeDevice, SimulatedLauncher, install
from support.places import TESTS


def run_simulated(name: str) -> None:
    """Run ``tests/gpu/simulated_NAME.py`` in the simulator; fails with what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"simulated_{name}.py"],
        cwd=TESTS / "gpu",
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


class _Cuda:
    """``numba.cuda`` of whatever kernel is running."""

    def __getattr__(self, name: str) -> Any:
        from numba import cuda
        from numba.cuda.simulator.kernel import _get_kernel_context

        running = _get_kernel_context()
        return getattr(running if hasattr(running, name) else cuda, name)


def shared_array(shared: Any, shape: int, dtype: Any) -> Any:
    """In place of ``cuda.shared.array``: one for each line that asks, whichever thread is first.

    The simulator looks for it and makes it in two steps, between which another thread may make its
    own, and it reads the source of the whole stack to know the line.
    """
    caller = sys._getframe(1)
    place = caller.f_code.co_filename, caller.f_lineno
    return shared._allocations.setdefault(place, np.empty(shape, dtype))  # in one step


def let_threads_share_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the kernels' modules find the running kernel's ``cuda`` for one test.

    The simulator swaps the name in the module of a device function while a thread is in it. The
    first thread that leaves takes it from all others that are still there.
    """
    from numba.cuda.simulator.kernelapi import FakeCUDAShared

    monkeypatch.setattr(FakeCUDAShared, "array", shared_array)
    for name, module in list(sys.modules.items()):
        if name.startswith("intervalvm.gpu.") and hasattr(module, "cuda"):
            monkeypatch.setattr(module, "cuda", _Cuda())


def simulate_with_cupy(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    """Have ``import cupy`` find the stand-in for one test, and the simulator run its kernels."""
    found = FakeDevice()
    let_threads_share_cuda(monkeypatch)
    install(monkeypatch, found, SimulatedLauncher(found))
    return found
