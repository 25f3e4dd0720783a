"""What the process of one step runs: see ``process``.

The function takes a ``Job``, which says what to measure and takes what was found. The process ends
with status 0, with 1 and a traceback, or with 3 where there is no device.
"""

from __future__ import annotations

import faulthandler
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

from bench.gpu.process import NO_DEVICE, TOP

if TYPE_CHECKING:
    from bench.subject import Subject


@dataclass
class Job:
    """What a step is to measure, and where what it finds goes."""

    file: str
    """A ``.vm`` file; "" for the project's own subject."""
    sizes: tuple[int, ...]
    """Pixels a side."""
    large: tuple[int, ...]
    points: int
    rounds: int
    argument: str = ""
    """What a step of a kind is about: a file of tests."""
    kernels: str = ""
    """A folder of prepared kernels, or ""."""
    seconds: float = 60.0
    """Until this process is killed."""
    rehearses: bool = False
    """There is no device: whatever can be tried is tried."""
    is_retry: bool = False
    stream: TextIO | None = None
    start: float = field(default_factory=time.monotonic)
    differing: list[str] = field(default_factory=list)

    @cached_property
    def subject(self) -> Subject:
        """What is drawn. Imported here: not every step survives NumPy and the compilers."""
        from bench.subject import Subject, subject

        return Subject(Path(self.file)) if self.file else subject()

    def words(self) -> str:
        """As ``Job.of`` takes it."""
        own = {"stream", "start", "differing"}
        return json.dumps({key: value for key, value in asdict(self).items() if key not in own})

    @staticmethod
    def of(words: str) -> Job:
        given = json.loads(words)
        return Job(**{**given, "sizes": tuple(given["sizes"]), "large": tuple(given["large"])})

    def left(self) -> float:
        """Seconds until this process is killed."""
        return self.seconds - (time.monotonic() - self.start)

    # --- what was found ---------------------------------------------------------------------------

    def fact(self, what: str, value: Any) -> None:
        self._tell({"kind": "fact", "what": what, "value": value})

    def check(self, what: str, against: str, different: int, of: int, size: int = 0) -> None:
        """How many of so many pixels or numbers differ. ``ended`` fails where some do."""
        self._tell(
            {"kind": "check", "what": what, "size": size, "against": against}
            | {"different": int(different), "of": int(of)}
        )
        if different:
            self.differing.append(f"{what}{f' at {size}' if size else ''}: {different:,} of {of:,}")

    def time(self, what: str, size: int, wall: float, **parts: float | None) -> None:
        """Seconds: by the wall, and ``busy``, ``up`` and ``down`` by events of the device."""
        known = {key: value for key, value in parts.items() if value is not None}
        self._tell({"kind": "time", "what": what, "size": size, "wall": wall, **known})

    def _tell(self, finding: dict[str, Any]) -> None:
        assert self.stream is not None
        print(json.dumps(finding, default=str), file=self.stream, flush=True)

    def ended(self) -> None:
        """Fail where something that was checked differs."""
        assert not self.differing, f"differs: {'; '.join(self.differing)}"


@contextmanager
def stand_in(kind: str) -> Iterator[None]:
    """What a rehearsal has in place of a GPU and of CuPy: "cupy", "simulator" or ""."""
    if not kind:
        yield
        return
    import pytest

    simulator = import_module("support.cuda_simulator")
    with pytest.MonkeyPatch.context() as patch:
        if kind == "cupy":
            simulator.simulate_with_cupy(patch)
        else:
            simulator.let_threads_share_cuda(patch)
        yield


def _end_with_reader(pipe: int) -> None:
    """Kill this process and its children when nobody is left who reads from a pipe, or kills it."""

    def watch() -> None:
        poll = select.poll()
        poll.register(pipe, 0)
        # no longer at once: while it waits, the pipe cannot be closed
        while not (found := poll.poll(100)):
            pass
        if found[0][1] & select.POLLERR:
            os.killpg(os.getpid(), signal.SIGKILL)

    Thread(target=watch, daemon=True).start()


def main(words: list[str]) -> int:
    """Run ``[descriptor of the pipe, module:function, kind of stand-in, job]``."""
    descriptor, place, kind, given = words
    _end_with_reader(int(descriptor))
    faulthandler.enable()
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGTERM, all_threads=True, chain=True)
    sys.path.append(str(TOP / "tests"))  # whose tests and stand-ins some steps run
    module, _, name = place.partition(":")
    try:
        with os.fdopen(int(descriptor), "w") as stream:
            job = Job.of(given)
            job.stream = stream
            run: Callable[[Job], None] = getattr(import_module(module), name)
            with stand_in(kind if job.rehearses else ""):
                run(job)
            job.ended()
    except Exception as error:
        traceback.print_exc()
        # by name: the package itself may be what cannot be imported
        kinds = [kind.__name__ for kind in type(error).__mro__]
        return NO_DEVICE if "DeviceError" in kinds and name == "stack" else 1
    return 0
