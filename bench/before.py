"""Another version of the package, in a process of its own, that takes its turns with this one.

``python -m bench.before DIR FILE`` reads lines "size threads" and answers each with a line of JSON:
[pixels inside, [seconds of each run]].
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.timing import turn

TOP = Path(__file__).resolve().parents[1]


class Before:
    """The version in ``folder``, rendering ``file``; a context manager."""

    def __init__(self, folder: Path, file: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.before", str(folder.resolve()), str(file.resolve())],
            cwd=TOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def render(self, size: int, threads: int) -> tuple[int, list[float]]:
        """Pixels inside, and the seconds of each run of a turn."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{size} {threads}\n")
        process.stdin.flush()
        inside, seconds = json.loads(process.stdout.readline())
        return inside, seconds


def _serve(folder: str, file: str) -> None:
    sys.path.insert(0, folder)
    import intervalvm as ivm

    assert Path(folder) in Path(ivm.__file__).parents, f"{ivm.__file__} is not in {folder}"
    tape = ivm.load(file)
    for line in sys.stdin:
        size, threads = map(int, line.split())
        options: dict[str, Any] = {"size": size, "threads": threads}
        inside = int((ivm.render(tape, **options).pixels != 0).sum())
        seconds = turn(lambda options=options: ivm.render(tape, **options))  # type: ignore[misc]
        print(json.dumps([inside, seconds]), flush=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
