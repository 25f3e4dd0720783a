"""Fidget's published crate as a process that is asked: its program is ``src/main.rs``.

It is built by cargo where that is there, outside the package, once: minutes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import timing
from bench.subject import TOP
from intervalvm.jit.cache import cache_folder

HERE = TOP / "bench" / "peers"
SOURCES = ("Cargo.toml", "src/main.rs")


class NoCargo(Exception):
    """Rust's cargo is not there, or could not build the program."""


def program() -> Path:
    """The program, built if that was not done before. Raises NoCargo."""
    folder = built_folder()
    found = folder / "target" / "release" / f"intervalvm-peers{'.exe' * (sys.platform == 'win32')}"
    if found.exists():
        return found
    if shutil.which("cargo") is None:
        raise NoCargo("cargo is not there, which builds Fidget: install Rust")
    print(f"building Fidget in {folder}: once, minutes", file=sys.stderr, flush=True)
    for name in SOURCES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / name, folder / name)
    done = subprocess.run(
        ["cargo", "build", "--release", "--target-dir", "target"],
        cwd=folder,
        env={"CARGO_BUILD_JOBS": "1", **os.environ},
        check=False,
    )
    if done.returncode or not found.exists():
        raise NoCargo(f"cargo could not build {folder}")
    return found


def built_folder() -> Path:
    """Where the program of these sources is, or would be, built."""
    sources = b"".join((HERE / name).read_bytes() for name in SOURCES)
    return cache_folder().parent / "intervalvm-peers" / hashlib.sha256(sources).hexdigest()[:12]


@dataclass(frozen=True)
class Question:
    """What Fidget is asked: see ``main.rs``."""

    what: str
    number: float = 0.0
    given: NDArray[Any] | list[int] | None = None


class Peer:
    """Fidget with a file, in a process of its own."""

    def __init__(self, built: Path, file: Path) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [built, file.resolve()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._line() == "ready"

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "Fidget's process has ended"
        return line

    def ask(self, kind: str, question: Question) -> tuple[list[float], NDArray[np.float32]]:
        """The seconds of each run, and what one has found."""
        given, out = (Path(self._folder.name) / name for name in ("given", "out"))
        if question.given is not None:
            given.write_bytes(np.asarray(question.given, "<f4").tobytes())
        source = "-" if question.given is None else given
        limits = f"{timing.TURN_SECONDS} {timing.MOST_RUNS}"
        assert self._process.stdin is not None
        self._process.stdin.write(
            f"{question.what} {kind} {question.number} {source} {out} {limits}\n"
        )
        self._process.stdin.flush()
        seconds = [float(word) for word in self._line().split()]
        return seconds, np.fromfile(out, "<f4")

    def seconds(self, kind: str, question: Question) -> list[float]:
        """The seconds of each run."""
        return self.ask(kind, question)[0]
