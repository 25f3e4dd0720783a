"""Reading a Python file that names a shape, as ``FILE.py`` or ``FILE.py:NAME``.

It runs in a process of its own, see ``script_process``, which can be ended at any time, and sends
the shape as text: nothing that it sends is run here.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from intervalvm.errors import DoesNotFit, FileError, IntervalvmError
from intervalvm.expr import expression
from intervalvm.expr.paint import NO_COLOUR, Paint
from intervalvm.formats import script_process
from intervalvm.formats.vm import MOST_BYTES, MOST_CLAUSES, error_at, opened, parse
from intervalvm.memory import Amount, as_bytes, in_units
from intervalvm.tape import Tape

NAMED = re.compile(r"(?P<path>.*\.py)(?::(?P<name>[^\W\d]\w*))?", re.DOTALL)
TURN_SECONDS = 0.1
"""How long a wait takes no notice of an interrupt, where the system does not break it off."""


@dataclass(frozen=True, eq=False)
class Named:
    """The shape that a file names: a tape, defaults of its variables, and colours."""

    _tape: Tape
    defaults: dict[str, float] = field(default_factory=dict)
    _paint: Paint = NO_COLOUR

    def tape(self) -> Tape:
        """The tape, negative inside."""
        return self._tape


def is_script(file: str) -> bool:
    """Whether the name is that of a Python file, perhaps with that of a shape in it."""
    return NAMED.fullmatch(file) is not None


def path_of(file: str) -> str:
    """The path in ``FILE.py:NAME``."""
    found = NAMED.fullmatch(file)
    return found["path"] if found else file


def load_script(
    file: str, *, max_bytes: Amount = MOST_BYTES, max_clauses: int = MOST_CLAUSES
) -> Named:
    """The shape that a Python file names, once it has run.

    Raises FormatError for an error of the file, at its line, FileError if it cannot be read or
    names no shape, and DoesNotFit for a shape beyond the limits.
    """
    script = Script(file, max_bytes=max_bytes, max_clauses=max_clauses)
    try:
        while not script.wait(TURN_SECONDS):
            pass
        return script.shape()
    finally:
        script.stop()


class Script:
    """A Python file that runs, until it has named a shape or is stopped.

    Raises FileError if it cannot be read.
    """

    def __init__(
        self, file: str, *, max_bytes: Amount = MOST_BYTES, max_clauses: int = MOST_CLAUSES
    ) -> None:
        found = NAMED.fullmatch(file)
        assert found is not None, file
        self.path: str = found["path"]
        self._limits = as_bytes("max_bytes", max_bytes), max_clauses
        self._answer = b""
        opened(self.path).close()
        self._process = subprocess.Popen(
            [sys.executable, "-P", script_process.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a group that gets no interrupts, and is ended as one
        )
        order = {"path": self.path, "name": found["name"], "sys.path": sys.path}
        with suppress(OSError):  # then there is no answer either
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            self._answer = stream.readline(self._limits[0] + 1)

    def wait(self, seconds: float) -> bool:
        """Whether it has answered or ended, after so many seconds at most."""
        end = time.monotonic() + seconds
        self._reader.join(seconds)
        if self._reader.is_alive():
            return False
        if self._answer.endswith(b"\n") or len(self._answer) > self._limits[0]:
            return True
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, end - time.monotonic()))
        return self._process.returncode is not None

    def stop(self) -> None:
        """End the process, and what it has started."""
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        # what has left the group may hold the other end of the answer for ever
        self._reader.join(TURN_SECONDS)
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def shape(self) -> Named:
        """The shape, once it has ended. Raises as ``load_script`` does."""
        if len(self._answer) > self._limits[0]:
            raise DoesNotFit(
                f"{self.path}: its shape takes more than {in_units(self._limits[0])} as text: "
                "raise max_bytes (on the command line: --max-bytes)"
            )
        if not self._answer.endswith(b"\n"):
            status = self._process.wait()
            how = f"signal {-status}" if status < 0 else f"status {status}"
            raise FileError(f"{self.path}: its process ended, with {how}")
        try:
            return self._named(json.loads(self._answer))
        except IntervalvmError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise FileError(f"{self.path}: it wrote in the place of its answer") from None

    def _named(self, answer: dict[str, Any]) -> Named:
        """The shape of an answer. Raises as ``load_script`` does, or what reading it raises."""
        if "error" in answer:
            raise self._error(answer)
        paint = answer["paint"]
        defaults = {str(name): float(value) for name, value in answer["defaults"].items()}
        return Named(
            self._parsed(answer["field"]),
            defaults,
            NO_COLOUR if paint is None else expression(self._parsed(paint)),
        )

    def _parsed(self, text: str) -> Tape:
        return parse(text, name=self.path, max_clauses=self._limits[1])

    def _error(self, answer: dict[str, Any]) -> IntervalvmError:
        """What an answer says is wrong."""
        if "line" not in answer:
            return FileError(f"{self.path}: {answer['error']}")
        first, number = answer["first"], answer["line"] - 1
        last = max(answer["last"], first + 1)
        return error_at(answer["error"], self.path, answer["text"], number, first, last)
