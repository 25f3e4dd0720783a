"""What a window shows: a shape, or a file that is read anew whenever it changes."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intervalvm.errors import FileError, FormatError, IntervalvmError
from intervalvm.formats.script import Script, is_script, path_of
from intervalvm.formats.vm import load
from intervalvm.viewer.scene import Scene

POLL_SECONDS = 0.2
RUN_SECONDS = 120.0
"""That a Python file may run to name its shape."""
STOP_SECONDS = 0.3
"""That its end waits for what the thread does, such as to open a file of a disk that hangs."""
Changed = Callable[[], None]


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be shown now; ``line`` is counted from 1."""

    message: str
    line: int | None

    @classmethod
    def of(cls, error: BaseException) -> Problem:
        """The problem that an error tells of."""
        line = error.line if isinstance(error, FormatError) else None
        return cls(str(error) or "there is not enough memory to read the file", line)


class Source:
    """The scene that is shown, which sessions read. ``revision`` counts changes."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.revision = scene, 0
        self.problem: Problem | None = None
        self._listeners: set[Changed] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to make the scene ready."""
        self._prepare(self.scene)

    def stop(self) -> None:
        """End what goes on in the background."""

    def listen(self, changed: Changed) -> Callable[[], None]:
        """Call ``changed()``, which must not wait, after each change, from any thread.

        Returns the function that ends it.
        """
        with self._lock:
            self._listeners.add(changed)

        def end() -> None:
            with self._lock:
                self._listeners.discard(changed)

        return end

    def _prepare(self, scene: Scene) -> None:
        """Make a scene ready in the background, and tell its bounds."""

        def run() -> None:
            scene.prepare()
            if scene.bounds is not None and scene is self.scene:
                self._tell()

        threading.Thread(target=run, daemon=True).start()

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for changed in listeners:
            changed()


Stamp = tuple[int, ...]
"""What changes when a file is written or replaced."""


class FileSource(Source):
    """A file, which a thread looks at every ``POLL_SECONDS``.

    An editor may write a file in parts, or replace it: so an error is told only if the file is
    still the same at the next look. Then the last good shape stays. A Python file that changes
    while it runs is stopped, and runs anew.

    Parameters
    ----------
    file : str
        A ``.vm``, or a Python file as ``FILE.py`` or ``FILE.py:NAME``.
    variables : dict of str to float
        In place of defaults.
    **limits
        Those of ``load``.

    Raises
    ------
    IntervalvmError
        As ``load`` and ``load_script`` do, if it cannot be shown now.
    """

    def __init__(self, file: str, variables: Mapping[str, float], **limits: Any) -> None:
        self._file, self._path = file, path_of(file)
        self._variables, self._limits = variables, limits
        self._ended = threading.Event()
        while (scene := self._read(stamp := self._look())) is None:
            pass
        scene.tape.known(variables)
        self._stamp = stamp
        super().__init__(scene)

    def start(self) -> None:
        super().start()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def stop(self) -> None:
        """End the thread, and a Python file that runs."""
        self._ended.set()
        self._watching.join(STOP_SECONDS)

    def _look(self) -> Stamp | None:
        """The file as it is now; None without one."""
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino

    def _watch(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            stamp = self._look()
            if stamp == self._stamp:
                continue
            try:
                scene = self._read(stamp)
            except (IntervalvmError, MemoryError) as error:
                self._ended.wait(POLL_SECONDS)
                if self._look() == stamp and not self._ended.is_set():
                    self._stamp = stamp
                    self._change(self.scene, Problem.of(error))
                continue
            if scene is not None:
                self._stamp = stamp
                self._change(scene, None)
                self._prepare(scene)

    def _change(self, scene: Scene, problem: Problem | None) -> None:
        self.scene, self.problem, self.revision = scene, problem, self.revision + 1
        self._tell()

    def _read(self, stamp: Stamp | None) -> Scene | None:
        """The scene of the file, or None if it has changed meanwhile. Raises as ``load`` does."""
        name = Path(self._path).name
        if _never_ends(self._path):
            raise FileError(f"{self._path}: it is a pipe or a device: give a file")
        if not is_script(self._file):
            return Scene(load(self._path, **self._limits), name, self._variables)
        script, start = Script(self._file, **self._limits), time.monotonic()
        try:
            while not script.wait(POLL_SECONDS):
                if self._look() != stamp or self._ended.is_set():
                    return None
                if time.monotonic() - start > RUN_SECONDS:
                    raise FileError(
                        f"{self._path}: no shape after {RUN_SECONDS:g} s: it may run without end, "
                        "or draw and save what its main part should"
                    )
            return Scene(script.shape(), name, self._variables)
        finally:
            script.stop()


def _never_ends(path: str) -> bool:
    """Whether opening or reading a file may wait for ever, as of a pipe."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
