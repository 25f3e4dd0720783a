"""What is measured: a tape, the right picture of it, and on which machine."""

from __future__ import annotations

import argparse
import hashlib
import platform
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
from llvmlite import binding
from numpy.typing import NDArray

import intervalvm as ivm
from intervalvm.api.limits import usable_cpus

TOP = Path(__file__).resolve().parents[1]
CHALLENGE = TOP.parent / "shared" / "models" / "prospero.vm"
OWN = TOP / "prospero.vm"

DENSE_MEMORY = 4 << 30
"""Bytes that a dense evaluation may take where it only says what is right: it goes in bands."""

OWNERS = {"b93ab2d3240c": "the Prospero Challenge's ", "10630c733431": "this project's "}
"""Whose file it is, by its digest."""

INSIDE = {
    "b93ab2d3240c": {256: 8150, 512: 32920, 1024: 132033, 2048: 528232, 4096: 2113201},
    "10630c733431": {256: 8554, 512: 33891, 1024: 136671, 2048: 547284, 4096: 2191061},
}
"""Pixels inside, counted by the dense evaluator in float32: by digest of the file, then by size."""


@dataclass(frozen=True)
class Subject:
    """A ``.vm`` file and its tape."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    @cached_property
    def tape(self) -> ivm.Tape:
        return ivm.load(self.path)

    def dense(self, size: int | tuple[int, int], dtype: str = "float32") -> ivm.Image:
        """The image as the definition has it."""
        return ivm.render(
            self.tape, size=size, engine="dense", dtype=dtype, max_memory=DENSE_MEMORY
        )

    def check(self, pixels: NDArray[np.uint8]) -> None:
        """Assert that a bitmap in float32 has as many pixels inside as the dense evaluator says.

        Where nobody has counted them yet, the dense evaluator does it now.
        """
        if not self.check_known(pixels):
            height, width = pixels.shape
            self._compare(pixels, int(np.count_nonzero(self.dense((width, height)).pixels)))

    def check_known(self, pixels: NDArray[np.uint8]) -> bool:
        """The same where they were counted before; False where they were not."""
        height, width = pixels.shape
        known = INSIDE.get(self.digest, {})
        if width != height or width not in known:
            return False
        self._compare(pixels, known[width])
        return True

    def _compare(self, pixels: NDArray[np.uint8], expected: int) -> None:
        found = int(np.count_nonzero(pixels))
        assert found == expected, f"{found} pixels inside, not {expected}: nothing is timed"

    def __str__(self) -> str:
        return f"{OWNERS.get(self.digest, '')}{self.path.name}, {len(self.tape)} clauses"


def subject() -> Subject:
    """The challenge's own file where it lies beside the project, else the project's."""
    return Subject(CHALLENGE if CHALLENGE.is_file() else OWN)


def parser(name: str, about: str | None, *, rounds: int) -> argparse.ArgumentParser:
    """The options of ``python -m bench NAME`` that most have: ``file``, a Subject; ``rounds``."""
    found = argparse.ArgumentParser(prog=f"python -m bench {name}", description=about)
    found.add_argument(
        "file", nargs="?", type=_subject_of, default=subject(), help="a .vm file (prospero.vm)"
    )
    found.add_argument(
        "--rounds", type=int, default=rounds, help=f"how often each takes its turn ({rounds})"
    )
    return found


def _subject_of(word: str) -> Subject:
    return Subject(Path(word))


cpus = usable_cpus
"""CPUs that this process may use."""


def machine() -> str:
    """The processor and the versions that a time depends on, in a line."""
    return (
        f"{_processor()} ({binding.get_host_cpu_name()}), {cpus()} CPUs, {platform.system()}; "
        f"Python {platform.python_version()}, NumPy {version('numpy')}, numba {version('numba')}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
