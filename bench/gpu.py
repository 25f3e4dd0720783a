"""Whatever runs on a GPU, found right, then timed, in one run.

For each size: dense on the GPU, which is compared with dense NumPy where that does not take too
long, and with which everything else is compared; leaf batches; all on the GPU, where that back end
is there; and the walk of the same machine's CPUs. Prints a row as soon as it is measured, and in
the end a section for ``docs/performance.md``. Where there is no device it says so, and why, and
ends with status 3.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench import gpu_device
from bench.gpu_device import Spans
from bench.page import ms, table, times
from bench.subject import Subject, cpus, machine, parser
from bench.timing import Times, in_turns
from intervalvm.api.options import BACKENDS
from intervalvm.gpu import device
from intervalvm.raster.stats import Stats

SIZES = (512, 1024, 2048, 4096, 8192, 16384)
NUMPY_MOST = 1024
"""Up to this size dense NumPy says what is right; beyond, dense CuPy does, which agreed with it."""
SECONDS = 450
"""When to leave out what is not essential: the whole is to take less than eight minutes."""
DENSE, LEFT, ALL = (
    "dense on the GPU",
    "all on the GPU, the image left there",
    "all on the GPU, copied back",
)


def batched(threads: int) -> str:
    return f"leaf batches, {threads} thread{'s' if threads > 1 else ''}"


def pruned(threads: int) -> str:
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


@dataclass(frozen=True)
class Row:
    """One way at one size: seconds by the wall, and by events of the device."""

    size: int
    way: str
    wall: float
    on_device: Spans = field(default_factory=Spans)


@dataclass
class Run:
    """One run over all sizes: what was measured, and when it has to end."""

    shape: Subject
    sizes: tuple[int, ...]
    rounds: int
    ends: float
    rows: list[Row] = field(default_factory=list)
    stats: dict[int, Stats] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def in_time(self, what: str) -> bool:
        if time.perf_counter() < self.ends:
            return True
        self.left_out.append(what)
        return False

    def measure(self) -> Iterator[Row]:
        for size in self.sizes:
            if not self.in_time(f"{size}: everything"):
                continue
            for row in self._at(size):
                self.rows.append(row)
                yield row

    def _at(self, size: int) -> Iterator[Row]:
        tape = self.shape.tape
        right, dense = self._dense(size)
        yield dense
        ways = dict(_ways(tape, size))
        for name, draw in ways.items():
            image = draw()
            different = int(np.count_nonzero(image.pixels != right))
            assert not different, f"{name} at {size}: {different} pixels differ, nothing is timed"
            if name == pruned(cpus()):
                self.stats[size] = image.stats
            del image
        taken: dict[str, Times] = in_turns(ways, rounds=self.rounds)
        for name, seconds in taken.items():
            spans = Spans()
            if name.startswith("leaf"):
                spans = gpu_device.of_batches(ways[name])
            elif name == ALL:
                spans = gpu_device.of_walk(partial(ivm.render, tape, size=size, backend="cuda"))
            yield Row(size, name, seconds.median, spans)

    def _dense(self, size: int) -> tuple[NDArray[np.uint8], Row]:
        """The right picture, and how long dense evaluation on the GPU takes to make it."""
        draw = partial(ivm.render, self.shape.tape, size=size, engine="dense", backend="cupy")
        pixels = draw().pixels  # compiles CuPy's kernels
        if size <= NUMPY_MOST:
            expected = self.shape.dense(size).pixels
            assert np.array_equal(pixels, expected), f"dense on the GPU at {size}: another picture"
        self.shape.check_known(pixels)
        start = time.perf_counter()
        spans = gpu_device.of_calls(draw)
        return pixels, Row(size, DENSE, time.perf_counter() - start, spans)


def _ways(tape: ivm.Tape, size: int) -> Iterator[tuple[str, Callable[[], ivm.Image]]]:
    for threads in sorted({1, cpus()}):
        yield pruned(threads), partial(ivm.render, tape, size=size, threads=threads)
    for threads in sorted({1, min(4, cpus()), cpus()}):
        yield (
            batched(threads),
            partial(ivm.render, tape, size=size, threads=threads, backend="cupy"),
        )
    if "cuda" in BACKENDS["pruned"]:
        yield LEFT, partial(ivm.render, tape, size=size, backend="cuda")
        yield ALL, partial(_copied_back, tape, size)


def _copied_back(tape: ivm.Tape, size: int) -> ivm.Image:
    image = ivm.render(tape, size=size, backend="cuda")
    _ = image.pixels
    return image


HEAD = ("size", "way", "wall ms", "device ms", "up ms", "down ms", "dense / it", "CPU / it")


def cells(row: Row, rows: list[Row]) -> tuple[str, ...]:
    """A row of the table; ``rows`` has those of its size that it is compared with."""

    def ratio(way: str) -> str:
        found = [other.wall for other in rows if (other.size, other.way) == (row.size, way)]
        return times(found[0] / row.wall) if found else ""

    spans = row.on_device
    parts = [ms(part) if part is not None else "" for part in (spans.busy, spans.up, spans.down)]
    return f"{row.size:,}", row.way, ms(row.wall), *parts, ratio(DENSE), ratio(pruned(cpus()))


def section(run: Run) -> str:
    """For ``docs/performance.md``."""
    floors = [gpu_device.floor(size, stats) for size, stats in run.stats.items()]
    missing = f"\nLeft out for want of time: {'; '.join(run.left_out)}.\n" if run.left_out else ""
    return f"""\
## On a GPU

Measured by `python -m bench gpu` on {gpu_device.name()}
beside {machine()}, of {run.shape}.
Every picture was the same as dense float32, pixel by pixel, before anything was timed. *Wall* is
the median of a warm frame, from the call to the pixels in the host's memory, save where they are
left on the device. *Device* is what its kernels took by the device's own events, added; *up* and
*down* are the copies, which overlap with the walk on the CPU. Dense evaluation was timed once.

{table(HEAD, [cells(row, run.rows) for row in run.rows])}{missing}
### The floor

Bytes and operations that no GPU engine can do without: each pixel is written once, on the device
and over the bus, and each record that the walk keeps is computed at 64 regions, twice, or at 256
pixels. The first two were measured, by filling and by copying that many bytes.

{table(gpu_device.FLOOR_HEAD, floors)}"""


def main(words: list[str]) -> int:
    """Measure and print; 3 where there is no device."""
    options = _parser().parse_args(words)
    try:
        device.cupy()
    except ivm.BackendError as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return ivm.DeviceError.exit_status
    ends = time.perf_counter() + options.seconds
    run = Run(options.file, tuple(options.sizes), options.rounds, ends)
    print(f"{gpu_device.name()}\n{machine()}\n{options.file}\n", flush=True)
    print("  ".join(HEAD), flush=True)
    for row in run.measure():
        print("  ".join(cell or "-" for cell in cells(row, run.rows)), flush=True)
    text = section(run)
    print(f"\n{text}")
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    found = parser("gpu", __doc__, rounds=3)
    found.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="pixels a side")
    found.add_argument("--seconds", type=float, default=SECONDS, help=f"to end in ({SECONDS})")
    found.add_argument("--out", type=Path, metavar="FILE.md", help="where the section goes too")
    return found
