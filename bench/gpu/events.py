"""How long the device's own work took, by its events, and the least that it could take."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

import intervalvm as ivm
from bench.page import ms
from intervalvm.gpu import batches, device, devices
from intervalvm.gpu.walk import Walk
from intervalvm.raster.stats import Stats

LANES_A_PROCESSOR = 128
"""float32 operations that a multiprocessor of the last generations starts each cycle."""
REPEATS = 5


@dataclass(frozen=True)
class Spans:
    """Seconds by the device's events: of its kernels, of copies to it and from it."""

    busy: float | None = None
    up: float | None = None
    down: float | None = None


class _Span:
    """The time between two events of a stream, by default the current one."""

    def __init__(self, module: ModuleType, stream: Any) -> None:
        self.module, self.stream = module, stream
        self.start, self.end = module.cuda.Event(), module.cuda.Event()

    def __enter__(self) -> _Span:
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
    with _Span(module, None) as span:
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
        with _Span(module, None) as down:
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


def _sum(spans: list[_Span]) -> float:
    return sum(span.seconds() for span in spans)


@contextmanager
def _timed(kind: type, methods: Sequence[str]) -> Iterator[dict[str, list[_Span]]]:
    """Events around each call of ``methods``, in the stream of its object or the current one."""
    module, lock = device.cupy(), threading.Lock()
    spans: dict[str, list[_Span]] = {name: [] for name in methods}

    def timed(name: str, original: Any) -> Any:
        def run(self: Any, *arguments: Any) -> None:
            with _Span(module, getattr(self, "stream", None)) as span:
                original(self, *arguments)
            with lock:
                spans[name].append(span)

        return run

    with patch.multiple(kind, **{name: timed(name, getattr(kind, name)) for name in methods}):
        yield spans


def floor(size: int, stats: Stats) -> tuple[str, ...]:
    """A row: what a frame cannot do without, and how long the device takes over each."""
    module = device.cupy()
    image = module.empty((size, size), np.uint8)
    stream = module.cuda.Stream(non_blocking=True)
    memory = module.cuda.alloc_pinned_memory(size * size)
    host = np.frombuffer(memory, np.uint8, size * size).reshape(size, size)
    filling, copying = [], []
    for _ in range(REPEATS):
        filling.append(of_calls(lambda: image.fill(0)).busy or 0.0)
        module.cuda.Device().synchronize()
        with _Span(module, stream) as span:
            image.get(out=host, stream=stream, blocking=False)
        stream.synchronize()
        copying.append(span.seconds())
    records, operations = counted(stats)
    speed = _operations_a_second(module)
    return (
        f"{size:,}",
        f"{size * size / (1 << 20):,.0f}",
        ms(min(filling)),
        ms(min(copying)),
        f"{records:,.0f}",
        f"{operations:,.0f}",
        ms(operations / speed) if speed else "",
    )


def counted(stats: Stats) -> tuple[float, float]:
    """Records that the regions of a walk are left with, and operations at the least for them.

    A record of a region that is split is computed at both ends of 64 bounds; one of a leaf at its
    pixels. The root's program is not counted: it is short of what its 64 children have together.
    """
    records = [level.ambiguous * level.mean_clauses for level in stats.levels]
    pixels = stats.pixels["evaluated"] / max(1, stats.levels[-1].ambiguous)
    return sum(records), sum(128 * n for n in records[:-1]) + pixels * records[-1]


def _operations_a_second(module: ModuleType) -> float | None:
    """What all multiprocessors start, at the clock that the device names; None if it names none."""
    found: dict[str, int] = module.cuda.Device().attributes
    kilohertz, processors = found.get("ClockRate"), found.get("MultiProcessorCount")
    if not kilohertz or not processors:
        return None
    return 1e3 * LANES_A_PROCESSOR * processors * kilohertz
