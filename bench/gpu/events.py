"""How long the device's own work took, by its events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from unittest.mock import patch

import intervalvm as ivm
from intervalvm.gpu import batches, device, devices
from intervalvm.gpu.walk import Walk

REPEATS = 5


@dataclass(frozen=True)
class Spans:
    """Seconds by the device's events: of its kernels, of copies to it and from it."""

    busy: float | None = None
    up: float | None = None
    down: float | None = None


class Span:
    """The time between two events of a stream, by default the current one."""

    def __init__(self, module: ModuleType, stream: Any) -> None:
        self.module, self.stream = module, stream
        self.start, self.end = module.cuda.Event(), module.cuda.Event()

    def __enter__(self) -> Span:
        self.start.record(self.stream)
        return self

    def __exit__(self, *_: object) -> None:
        self.end.record(self.stream)

    def seconds(self) -> float:
        self.end.synchronize()
        return float(self.module.cuda.get_elapsed_time(self.start, self.end)) / 1e3


def of_calls(draw: Callable[[], object]) -> Spans:
    """Of work in the current stream: from the first kernel of one call to the last."""
    module = device.cupy()
    with Span(module, None) as span:
        draw()
    return Spans(span.seconds())


def of_walk(draw: Callable[[], ivm.Image], repeats: int = REPEATS) -> Spans:
    """Of a walk on the device: from its first launch to its last; uploads; the picture's download.

    Of a few frames, the best.
    """
    module, frames = device.cupy(), []
    for _ in range(repeats):
        with _timed(Walk, ["_draw"]) as drawn, _timed(type(devices.current()), ["upload"]) as up:
            image = draw()
        with Span(module, None) as down:
            _ = image.pixels
        frames.append(Spans(_sum(drawn["_draw"]), _sum(up["upload"]), down.seconds()))
    return min(frames, key=lambda frame: frame.busy or 0.0)


def of_batches(draw: Callable[[], object], repeats: int = REPEATS) -> Spans:
    """Of all batches of a frame, added, as if none overlapped; of a few frames, the best."""
    frames = []
    for _ in range(repeats):
        with _timed(batches.Batch, ("_launch", "_upload", "_download")) as spans:
            draw()
        frames.append(Spans(*map(_sum, spans.values())))
    return min(frames, key=lambda frame: frame.busy or 0.0)


def _sum(spans: list[Span]) -> float:
    return sum(span.seconds() for span in spans)


@contextmanager
def _timed(kind: type, methods: Sequence[str]) -> Iterator[dict[str, list[Span]]]:
    """Events around each call of ``methods``, in the stream of its object or the current one."""
    module, lock = device.cupy(), threading.Lock()
    spans: dict[str, list[Span]] = {name: [] for name in methods}

    def timed(name: str, original: Any) -> Any:
        def run(self: Any, *arguments: Any) -> None:
            with Span(module, getattr(self, "stream", None)) as span:
                original(self, *arguments)
            with lock:
                spans[name].append(span)

        return run

    with patch.multiple(kind, **{name: timed(name, getattr(kind, name)) for name in methods}):
        yield spans
