"""The evaluator on a GPU, as far as that goes without one: simulated, compiled, its rules run here.

Tests at the end, marked ``gpu``, run on a device and skip with the reason where there is none.
"""

from __future__ import annotations

from support.cuda_simulator import run_simulated


def test_the_kernels_thread_by_thread() -> None:
    run_simulated("evaluator")
