"""A progress bar on standard error, for work that takes a while and a person who watches."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE = 0.3
"""Seconds before a bar appears: most pictures are done sooner than rich is imported."""


class Progress:
    """A context whose call ``(done, total)`` moves the bar, from any thread.

    It shows nothing unless ``wanted`` and standard error is a terminal.
    """

    def __init__(self, what: str, *, wanted: bool) -> None:
        self._what = what
        self._bar: Any = None
        self._task: Any = None
        self._lock = threading.Lock()
        self._since = time.perf_counter()
        self.shown = wanted and sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        if not self.shown or time.perf_counter() - self._since < PATIENCE:
            return
        with self._lock:
            if self._bar is None:
                self._bar, self._task = _start(self._what)
            self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
            self.shown = False


def _start(what: str) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import Progress as Bar

    bar = Bar(console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=None)
    bar.start()
    return bar, task
