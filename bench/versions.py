"""Versions of the package, each in a process of its own, that take turns with one another.

Only public calls are made, so that versions may differ in all else. ``python -m bench.versions
FOLDER FILE`` reads lines of JSON, [what, options of a render], and answers each with another:
[pixels inside, a digest of the pixels, [seconds of each run]].
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from bench.processes import searching
from bench.timing import turn

TOP = Path(__file__).resolve().parents[1]


class Answer(NamedTuple):
    """A picture's pixels inside and a digest of all, and the seconds of each run of a turn."""

    inside: int
    digest: str
    seconds: list[float]


class Version:
    """The version in ``folder``, asked about ``file``; a context manager."""

    def __init__(self, folder: Path, file: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.versions", str(folder.resolve()), str(file.resolve())],
            cwd=TOP,
            env=searching(TOP),
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

    def frame(self, **options: Any) -> Answer:
        """A turn of warm frames."""
        return self._ask("frame", options)

    def first(self, **options: Any) -> Answer:
        """A turn of what comes before a tape's first frame, and of that frame."""
        return self._ask("first", options)

    def _ask(self, what: str, options: dict[str, Any]) -> Answer:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([what, options]) + "\n")
        process.stdin.flush()
        return Answer(*json.loads(process.stdout.readline()))


def _serve(folder: str, file: str) -> None:
    sys.path.insert(0, folder)
    import intervalvm as ivm

    assert Path(folder) in Path(ivm.__file__).parents, f"{ivm.__file__} is not in {folder}"
    text = Path(file).read_text(encoding="utf-8")
    tape = ivm.parse(text)
    calls: dict[str, Callable[..., Any]] = {
        "frame": partial(ivm.render, tape),
        "first": lambda **options: ivm.render(ivm.parse(text), **options),
    }
    for line in sys.stdin:
        what, options = json.loads(line)
        run = partial(calls[what], **options)
        pixels = run().pixels
        digest = hashlib.sha256(pixels.tobytes()).hexdigest()
        print(json.dumps([int((pixels != 0).sum()), digest, turn(run)]), flush=True)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
