"""Kernels on a CPU: numba-cuda's simulator, in a process of its own.

The simulator has to be chosen before numba is imported, so a test of kernels stands in a file whose
name begins with ``simulated_`` and is run by pytest in a process where it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
