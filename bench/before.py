"""This tree beside another version: the same pictures, and how long they take.

The other version is a folder, or a commit that git knows. Frames are warm; a first frame is of a
tape that was just parsed, so all that is done once a tape is in it.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.page import ms, table, times
from bench.processes import start
from bench.subject import TOP, Subject, cpus, machine, parser
from bench.timing import Times, Turn, in_turns, taking_turns
from bench.versions import Answer, Version

SIZES = (1024, 4096)
SIDES = ("this", "before")


def main(words: list[str]) -> int:
    """Measure both and print a table; 2 if there is no such version."""
    options = parser("before", __doc__, rounds=5)
    options.add_argument(
        "--version", default="HEAD^", help="the folder or the commit to compare with (HEAD^)"
    )
    chosen = options.parse_args(words)
    print(f"{machine()}\n{chosen.file}\n", flush=True)
    try:
        with checkout(chosen.version) as folder:
            print(compared(chosen.file, folder, rounds=chosen.rounds))
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


@contextmanager
def checkout(version: str) -> Iterator[Path]:
    """The folder of a version; of a commit, for as long as the context lasts.

    FileNotFoundError if there is neither.
    """
    if Path(version).is_dir():
        yield Path(version)
        return
    with tempfile.TemporaryDirectory() as folder:
        command = ["git", "archive", "--format=tar", version, "intervalvm"]
        done = subprocess.run(command, cwd=TOP, capture_output=True, check=False)
        if done.returncode:
            raise FileNotFoundError(f"neither a folder nor a commit: {version}")
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def compared(shape: Subject, folder: Path, *, rounds: int) -> str:
    """A row for each thing that is timed."""
    folders = dict(zip(SIDES, (TOP, folder), strict=True))
    rows = []
    with Version(TOP, shape.path) as this, Version(folder, shape.path) as before:
        sides = dict(zip(SIDES, (this, before), strict=True))
        for name, turns in _frames(sides):
            rows.append(_row(name, taking_turns(turns, rounds=rounds)))
    with tempfile.TemporaryDirectory() as within:
        for name, words in _processes(shape).items():
            runs = {
                side: partial(start, where, words, within=Path(within))
                for side, where in folders.items()
            }
            for run in runs.values():
                run()
            rows.append(_row(name, in_turns(runs, rounds=2 * rounds, most=1)))
    return table(("what", *(f"{side}, ms" for side in SIDES), "this / before"), rows)


def _frames(sides: dict[str, Version]) -> Iterator[tuple[str, dict[str, Turn]]]:
    """What is timed in processes that go on, after both have drawn the same."""
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        f"{size}, {threads} thread{'s' if threads > 1 else ''}": (
            "frame",
            {"size": size, "threads": threads},
        )
        for size in SIZES
        for threads in sorted({1, cpus()})
    }
    calls["values, 1024, 1 thread"] = "frame", {"size": 1024, "threads": 1, "mode": "value"}
    calls["first frame, 64, 1 thread"] = "first", {"size": 64, "threads": 1}
    for name, (what, options) in calls.items():
        asks = {side: partial(getattr(found, what), **options) for side, found in sides.items()}
        digests = {ask().digest for ask in asks.values()}
        assert len(digests) == 1, f"{name}: two pictures, nothing is timed"
        yield name, {side: partial(_seconds, ask) for side, ask in asks.items()}


def _seconds(ask: Callable[[], Answer]) -> list[float]:
    return ask().seconds


def _processes(shape: Subject) -> dict[str, list[str]]:
    file = str(shape.path.resolve())
    return {
        "`import intervalvm`": ["-c", "import intervalvm"],
        "`python -m intervalvm FILE`": ["-m", "intervalvm", file, "--out", "out.png"],
    }


def _row(name: str, taken: dict[str, Times]) -> tuple[str, ...]:
    this, before = (taken[side].median for side in SIDES)
    return name, ms(this), ms(before), times(this / before)
