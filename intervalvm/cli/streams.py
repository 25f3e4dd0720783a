"""The streams of a command: FILE, the standard streams, the library's log and a progress bar."""

from __future__ import annotations

import itertools
import os
import shlex
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

from intervalvm.errors import FileError, OptionError
from intervalvm.files import descriptor_of, file_errors, same_file
from intervalvm.formats.script import is_script, load_script, path_of
from intervalvm.formats.vm import load, read

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping
    from typing import TextIO

    from intervalvm.expr import TapeLike

STANDARD = "-"
"""Standard input as FILE, and standard output as the name of an output."""
PATIENCE = 0.3
"""Seconds before a bar appears: most pictures take less time than the import of rich."""


def limits_of(options: argparse.Namespace) -> dict[str, Any]:
    """How much of FILE is read at most."""
    given = {name: getattr(options, name) for name in ("max_bytes", "max_clauses")}
    return {name: value for name, value in given.items() if value is not None}


def read_shape(options: argparse.Namespace) -> TapeLike:
    """The tape of FILE, or the shape that it names, within the limits of the options."""
    limits = limits_of(options)
    if is_script(options.file):
        return load_script(options.file, **limits)
    if options.file != STANDARD:
        return load(options.file, **limits)
    if sys.stdin is None:
        raise FileError("standard input is closed: give the name of a .vm file")
    return read(sys.stdin.buffer, "standard input", **limits)


def solid_of(file: str, command: str = "render3d") -> str:
    """The command line that draws the solid of FILE, or does something else with it."""
    return f"intervalvm {command} {shlex.quote(file)}"


def is_standard_output(path: str) -> bool:
    """Whether a name is standard output: ``-``, or a path of it."""
    return path == STANDARD or descriptor_of(path) == 1


def check_apart(file: str, outputs: Mapping[str, str | None]) -> None:
    """Raise OptionError if an output of an option would overwrite FILE or another output.

    If FILE would be overwritten and is no tape, raises what ``load`` does.
    """
    source = "/dev/stdin" if file == STANDARD else path_of(file)
    named = {option: path for option, path in outputs.items() if path is not None}
    places = {o: "/dev/stdout" if path == STANDARD else path for o, path in named.items()}
    for option, place in places.items():
        if os.path.isfile(source) and same_file(place, source):
            if file != STANDARD and not is_script(file):
                load(file)  # what is no tape is told so first: no other name would help
            raise OptionError(
                f"{named[option]} is the file that is read, and would be overwritten: "
                f"give {option} another name"
            )
    for one, other in itertools.combinations(places, 2):
        if same_file(places[one], places[other]):
            raise OptionError(f"{one} and {other} both write to {named[other]}: give two names")


def say(text: str) -> None:
    """Print ``text`` on standard output at once; raises FileError where it cannot take it."""
    with file_errors("standard output"):
        _print(text, sys.stdout)


def tell(text: str) -> None:
    """Print ``text`` on standard error, and ignore errors of that."""
    with suppress(OSError):
        _print(text, sys.stderr)


def _print(text: str, stream: TextIO | None) -> None:
    """Escape what the stream's encoding lacks, such as part of a file's name."""
    if stream is not None:  # else it is closed
        encoding = stream.encoding or "utf-8"
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        print(shown, file=stream, flush=True)


def write_bytes(data: bytes | memoryview) -> None:
    """Write to standard output at once; raises FileError where it cannot take it."""
    if sys.stdout is None:
        raise FileError("standard output is closed: give --out a file name")
    with file_errors("standard output"):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def log_shown(*, quiet: bool) -> Iterator[None]:
    """Show the library's log on standard error, such as that kernels compile.

    With ``quiet`` only warnings are shown.
    """
    import logging

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # to whatever stands there by now: a progress bar, which prints it above itself
            tell(f"intervalvm: {record.getMessage()}")

    log, handler = logging.getLogger("intervalvm"), Shown()
    before = log.level
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


class Progress:
    """A context that shows the current stage; calls ``(done, total)`` report its progress.

    The bar appears after ``PATIENCE`` seconds, and pulses until the first call of a stage. Calls
    may come from any thread. Nothing is shown unless ``wanted`` and standard error is a terminal.
    """

    def __init__(self, *, wanted: bool) -> None:
        self._facts: dict[str, Any] = {"description": "", "total": None}
        self._bar: Any = None
        self._task: Any = None
        self._ended = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(PATIENCE, self._appear)
        self._timer.daemon = True
        self._watching = ExitStack()
        self.shown = wanted and sys.stderr is not None and sys.stderr.isatty()

    def stage(self, what: str) -> None:
        """Begin the stage ``what``, of unknown progress."""
        with self._lock:
            # without a total it moves to and fro
            self._facts = {"description": what, "completed": 0, "total": None}
            if self._bar is not None:
                self._bar.remove_task(self._task)
                self._task = self._bar.add_task(**self._facts)

    def __call__(self, done: int, total: int) -> None:
        with self._lock:
            self._facts |= {"completed": done, "total": total}
            if self._bar is not None:
                self._bar.update(self._task, **self._facts)

    def compiling(self, done: int, total: int, share: float) -> None:
        """Show kernels that are compiled within a stage, and then the stage again."""
        facts = {"description": f"compiling kernels, {done} of {total}", "completed": share}
        with self._lock:
            if self._bar is not None:
                shown = self._facts if done == total else {**facts, "total": 1.0}
                self._bar.update(self._task, **shown)

    def __enter__(self) -> Self:
        if self.shown:
            from intervalvm.jit.notices import watched

            self._watching.enter_context(watched(self.compiling))
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watching.close()
        with self._lock:
            self._ended = True
        if self.shown:
            self._timer.cancel()
            self._timer.join()
        if self._bar is not None:
            self._bar.stop()

    def _appear(self) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bar
        from rich.progress import TimeElapsedColumn

        bar = Bar(
            *Bar.get_default_columns()[:3],
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,  # which may be taking the picture
        )
        with self._lock:
            if not self._ended:
                self._bar, self._task = bar, bar.add_task(**self._facts)
                bar.start()
