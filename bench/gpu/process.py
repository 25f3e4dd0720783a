"""One step in a process of its own: it may fail, crash or hang, and what it found by then is kept.

A step's process writes its findings, a line of JSON each, into a pipe, so that no disk is needed
and a killed step leaves what it had. Of what it prints the last lines are kept.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

TOP = Path(__file__).resolve().parents[2]
PROGRAM = "import sys; from bench.gpu.step import main; sys.exit(main(sys.argv[1:]))"
MOST_LINES, MOST_COLUMNS = 40, 400
"""Of what a step prints, and of each line."""
GRACE = 3.0
"""Seconds to print a traceback in, for a step that has run over."""
NO_DEVICE = 3
"""The exit status of a step, and of all, where there is no device."""

Finding = dict[str, Any]


@dataclass
class Outcome:
    """How a step ended: "ok", "failed", "crashed", "ran over", "no device" or "interrupted"."""

    status: str
    seconds: float
    findings: list[Finding] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    """The last lines that it printed, but for "ok"."""

    @property
    def is_ok(self) -> bool:
        return self.status == "ok"

    @property
    def why(self) -> str:
        return last_words(self.tail)


def last_words(tail: Sequence[str]) -> str:
    """The last line that says something; ""."""
    return next((line.strip() for line in reversed(tail) if line.strip()), "")


class Running:
    """A step that has been started."""

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        seconds: float,
        tell: Callable[[Finding], None] = lambda _: None,
    ) -> None:
        self._start, self._limit, self._tell = time.monotonic(), seconds, tell
        self._ended: float | None = None
        self.findings: list[Finding] = []
        """What it has found so far."""
        self._tail: deque[str] = deque(maxlen=MOST_LINES)
        ours, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-c", PROGRAM, str(theirs), *words],
                cwd=TOP,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs],
                start_new_session=True,  # its children are killed with it
            )
        finally:
            os.close(theirs)
        assert self._process.stdout is not None
        self._readers = [
            _reading(os.fdopen(ours, "rb"), self._found, self._note_end),
            _reading(self._process.stdout, self._printed),
        ]

    def wait(self) -> Outcome:
        """To its end, or to its limit; it is killed there, and by whatever interrupts this."""
        status = "interrupted"
        try:
            left = self._limit - (time.monotonic() - self._start)
            code = self._process.wait(max(left, 0.0))
            status = _status(code)
        except subprocess.TimeoutExpired:
            status = "ran over"
            self._signal(signal.SIGTERM)  # it prints where it is
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
        finally:
            self.end()
            for reader in self._readers:
                reader.join(GRACE)  # a child that has left the session could hold the pipe
        seconds = (self._ended or time.monotonic()) - self._start
        if status == "crashed":
            self._tail.append(f"killed by {_signal_name(code)}")
        elif status == "ran over":
            self._tail.append(f"killed after {self._limit:.0f} s")
        tail = [] if status == "ok" else list(self._tail)
        return Outcome(status, seconds, list(self.findings), tail)

    def end(self) -> None:
        """Kill it with its children. One that the driver holds on to is left behind."""
        self._signal(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _note_end(self) -> None:
        """Nobody may be waiting for it yet."""
        self._ended = time.monotonic()

    def _found(self, line: bytes) -> None:
        with suppress(ValueError):  # the last line of a killed step may be half a line
            finding: Finding = json.loads(line)
            self.findings.append(finding)
            self._tell(finding)

    def _printed(self, line: bytes) -> None:
        self._tail.append(line.decode(errors="replace").rstrip()[:MOST_COLUMNS])


def _reading(
    stream: BinaryIO | Any, take: Callable[[bytes], None], finish: Callable[[], object] = bool
) -> Thread:
    def read(lines: Iterable[bytes]) -> None:
        with stream:
            for line in lines:
                take(line)
        finish()

    found = Thread(target=read, args=(stream,), daemon=True)
    found.start()
    return found


def _status(code: int) -> str:
    if code < 0:
        return "crashed"
    return {0: "ok", NO_DEVICE: "no device"}.get(code, "failed")


def _signal_name(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
