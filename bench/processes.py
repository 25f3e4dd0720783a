"""Whole processes: how long one takes, and the most memory that it holds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# The child asks about itself: what a parent is told of its children counts from before the child's
# own program begins, when it still shares the parent's memory.
PROGRAM = """
import sys
from intervalvm.cli import main
status = main(sys.argv[1:])
try:
    lines = open("/proc/self/status").read().splitlines()
    peak = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
except OSError:
    import resource
    unit = 1 if sys.platform == "darwin" else 1024
    peak = unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak)
sys.exit(status)
"""


@dataclass(frozen=True)
class Run:
    """A command line of intervalvm that has run: its peak memory in bytes, and what it said."""

    seconds: float
    peak: int
    said: str


def run(*arguments: str, folder: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Run ``intervalvm ARGUMENTS`` in ``folder``; raises CalledProcessError where it fails."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - start
    return Run(seconds, int(done.stdout.split()[-1]), done.stderr)


def start(folder: Path, words: list[str], *, within: Path) -> None:
    """Run ``python WORDS`` to its end in ``within``, with the package of ``folder``."""
    subprocess.run(
        [sys.executable, *words],
        cwd=within,
        env=searching(folder),
        capture_output=True,
        check=True,
    )


def searching(folder: Path) -> dict[str, str]:
    """An environment where ``folder`` is searched for packages first."""
    return {**os.environ, "PYTHONPATH": str(folder.resolve())}
