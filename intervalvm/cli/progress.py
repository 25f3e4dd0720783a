"""A progress bar on standard error, if that is a terminal."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE = 0.3
"""Seconds before a bar appears: most pictures take less time than the import of rich."""


class Progress:
    """A context that shows the current stage; calls ``(done, total)`` report its progress.

    The bar appears after ``PATIENCE`` seconds, and pulses until the first call of a stage. Calls
    may come from any thread. Nothing is shown unless ``wanted`` and standard error is a terminal.
    """

    def __init__(self, *, wanted: bool) -> None:
        self._what, self._done, self._total = "", 0, 0
        self._bar: Any = None
        self._task: Any = None
        self._ended = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(PATIENCE, self._appear)
        self._timer.daemon = True
        self.shown = wanted and sys.stderr is not None and sys.stderr.isatty()

    def stage(self, what: str) -> None:
        """Begin the stage ``what``, of unknown progress."""
        with self._lock:
            self._what, self._done, self._total = what, 0, 0
            if self._bar is not None:
                self._bar.remove_task(self._task)
                self._show()

    def __call__(self, done: int, total: int) -> None:
        with self._lock:
            self._done, self._total = done, total
            if self._bar is not None:
                self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        if self.shown:
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._ended = True
        if self.shown:
            self._timer.cancel()
            self._timer.join()
        if self._bar is not None:
            self._bar.stop()

    def _appear(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
        bar = Bar(
            *columns,
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,  # which may be taking the picture
        )
        with self._lock:
            if not self._ended:
                self._bar = bar
                self._show()
                bar.start()

    def _show(self) -> None:
        total = self._total or None  # None moves to and fro
        self._task = self._bar.add_task(self._what, completed=self._done, total=total)
