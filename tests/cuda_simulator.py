"""Kernels on a CPU: numba-cuda's simulator, in a process of its own.

The simulator has to be chosen before numba is imported, so a test of kernels stands in a file whose
name begins with ``simulated_`` and is run by pytest in a process where it is. There,
``as_device_array`` makes an array that a kernel takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def run_simulated(name: str) -> None:
    """Run ``tests/simulated_NAME.py`` in the simulator; fails with what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"simulated_{name}.py"],
        cwd=HERE,
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def as_device_array(array: Any) -> Any:
    """A NumPy array as one of the simulated device's, which a kernel writes to."""
    from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

    return FakeCUDAArray(array)
