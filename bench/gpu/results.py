"""What was found: one JSON file, written anew after each step; the tables are made from it."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

from bench.gpu.process import Finding, Outcome, last_words


def write_whole(path: Path, text: str) -> None:
    """Write a file of text in place of what is there, whole or not at all. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


@dataclass
class StepResult:
    """One step: how it ended, what it found, and by which fall-backs it was tried again."""

    name: str
    status: str
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    fall_backs: list[str] = field(default_factory=list)
    """With which it ran."""
    tries: list[dict[str, Any]] = field(default_factory=list)
    """Each other try: its fall-back, how it ended, the last thing that it said."""
    helped: str = ""
    """The fall-back that it ran with when it succeeded after a failure."""

    @property
    def why(self) -> str:
        return last_words(self.tail)

    def take(self, outcome: Outcome) -> None:
        self.status, self.seconds = outcome.status, outcome.seconds
        self.findings = outcome.findings
        self.tail = outcome.tail


@dataclass
class Results:
    """All that a run has found so far."""

    command: list[str]
    started: str = field(default_factory=lambda: time.strftime("%Y-%m-%d %H:%M:%S %z"))
    rehearsal: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    """Of the run itself: which wheels and kernels it uses."""
    steps: list[StepResult] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._written: Path | None = None

    def found(self, kind: str) -> Iterator[Finding]:
        """All findings of a kind, in order."""
        for step in self.steps:
            yield from (each for each in step.findings if each["kind"] == kind)

    def fact(self, what: str) -> Any:
        """The last value of a fact, or None."""
        values = [each["value"] for each in self.found("fact") if each["what"] == what]
        return values[-1] if values else None

    def time(self, what: str, size: int) -> Finding | None:
        """A time, or None if it was not measured."""
        all_of_it = ((each["what"], each["size"], each) for each in self.found("time"))
        return next((each for *key, each in all_of_it if key == [what, size]), None)

    @property
    def name(self) -> str:
        """Of the file: that of the device."""
        device = str(self.fact("device") or "unknown device")
        name = re.sub(r"[^a-z0-9.]+", "-", device.lower()).strip("-.") or "unknown-device"
        return f"{name}-rehearsed" if self.rehearsal else name

    def write(self, folder: Path) -> Path:
        """Write the file anew, by way of another, so that it is never half a file.

        Files of other runs are left: a second one has a number. Raises OSError.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path, before = self._free(folder), self._written
        write_whole(path, json.dumps(asdict(self), indent=1))
        self._written = path
        if before is not None and before != path:  # from before the device's name was known
            with suppress(OSError):
                before.unlink()
                before.with_suffix(".md").unlink()
        return path

    def _free(self, folder: Path) -> Path:
        """The path that was written before under this name, or one that nothing has."""
        numbered = (f"-{number}" for number in count(2))
        paths = (folder / f"{self.name}{each}.json" for each in chain([""], numbered))

        def is_free(path: Path) -> bool:
            return not (path.exists() or path.with_suffix(".md").exists())

        return next(path for path in paths if path == self._written or is_free(path))
