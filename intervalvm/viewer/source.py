"""What a window shows: a shape, or a file that is read anew whenever it changes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intervalvm.errors import FormatError, IntervalvmError
from intervalvm.expr import TapeLike
from intervalvm.viewer.scene import Scene

POLL_SECONDS = 0.2
Changed = Callable[[], None]


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be shown now."""

    message: str
    line: int | None


class Source:
    """The scene that is shown, which sessions read. ``revision`` counts changes."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.problem, self.revision = scene, None, 0
        self._listeners: set[Changed] = set()
        self._lock = threading.Lock()

    problem: Problem | None

    def start(self) -> None:
        """Begin to make the scene ready."""
        threading.Thread(target=self._prepare, args=(self.scene,), daemon=True).start()

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
        scene.prepare()
        if scene.bounds is not None and scene is self.scene:
            self._tell()

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for changed in listeners:
            changed()


Stamp = tuple[int, int, int]


class FileSource(Source):
    """A file, which a thread looks at every ``POLL_SECONDS``.

    An editor may write a file in parts, or replace it: so an error is told only if the file is
    still the same at the next look. Then the last good shape stays.
    """

    def __init__(
        self,
        path: str,
        load: Callable[[str], TapeLike],
        variables: Mapping[str, float] | None = None,
    ) -> None:
        self._path, self._load, self._variables = path, load, variables
        self._stamp = _stamp(path)
        self._ended = threading.Event()
        super().__init__(self._read())

    def start(self) -> None:
        super().start()
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _read(self) -> Scene:
        return Scene(self._load(self._path), Path(self._path).name, self._variables)

    def _watch(self) -> None:
        doubted: Any = None  # the stamp of a file that had an error
        while not self._ended.wait(POLL_SECONDS):
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                continue
            try:
                scene = self._read()
            except (IntervalvmError, MemoryError) as error:
                if stamp == doubted:
                    self._stamp = stamp
                    self._broken(error)
                doubted = stamp
                continue
            self._stamp, doubted = stamp, None
            self.scene, self.problem = scene, None
            self.revision += 1
            self._tell()
            self._prepare(scene)

    def _broken(self, error: BaseException) -> None:
        line = error.line if isinstance(error, FormatError) else None
        self.problem = Problem(str(error), line)
        self.revision += 1
        self._tell()


def _stamp(path: str) -> Stamp | None:
    """What changes when a file is written or replaced; None without a file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
