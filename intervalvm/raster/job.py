"""``Job``: a checked render; ``Drawn``: its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.truths import is_truth
from intervalvm.jit.layout import INSIDE, OUTSIDE, SPLIT_LEVELS, UNPROVEN, shades
from intervalvm.memory import require
from intervalvm.raster.canvas import canvas
from intervalvm.raster.image import Image
from intervalvm.raster.stats import Level, Stats
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intervalvm.raster.grid import Axes
    from intervalvm.raster.region import Crop, Region
    from intervalvm.tape import Tape
    from intervalvm.words import Grid, Prove, Way

Progress = Callable[[int, int], None]
"""Called with (done, total) pixels."""


class Job(NamedTuple):
    """A render with checked options: ``samples`` of pixels, or also ``edges`` to prove areas."""

    tape: Tape
    samples: Axes
    edges: Axes | None
    pixel_type: np.dtype[Any]
    region: Region
    crop: Crop | None
    grid: Grid
    prove: Prove | None
    settings: dict[str, float]
    """The free variables, and z as "var-z"."""
    way: Way
    threads: int
    depth: int
    steps: list[int]
    """The levels of the quadtree of each split; empty without pruning."""
    max_memory: int | None
    out: NDArray[Any] | None = None
    """The array to draw into, instead of a new one."""
    antialias: int = 1
    """A pixel's samples each way; with more than one, pixels are their coverage."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The arithmetic."""
        found: np.dtype[Any] = self.samples[0].dtype
        return found

    @property
    def shape(self) -> tuple[int, int]:
        x, y = self.samples
        return len(y) // self.antialias, len(x) // self.antialias

    @property
    def is_bitmap(self) -> bool:
        return self.pixel_type == np.uint8

    @property
    def meaning(self) -> Meaning:
        """What the tape means: its float program, or the real function where it is proven."""
        return Meaning.FLOAT if self.prove is None else Meaning.REAL

    @property
    def sides(self) -> tuple[Axes, Axes]:
        """The lower and the upper ends of columns and rows, each as (x, y)."""
        if self.edges is None:
            return self.samples, self.samples
        x, y = self.edges
        return (x[:-1], y[1:]), (x[1:], y[:-1])

    @property
    def image_bytes(self) -> int:
        """The memory of a new image."""
        if self.out is not None:
            return 0
        height, width = self.shape
        return height * width * self.pixel_type.itemsize

    def canvas(self) -> NDArray[Any]:
        """The array to draw into; a bitmap is all 0, since that is faster than tile by tile."""
        if self.out is None:
            return canvas(self.shape, self.pixel_type, clear=self.is_bitmap)
        if self.is_bitmap:
            self.out.fill(0)
        return self.out

    def require(self, needed: int, what: str, way_out: str) -> None:
        require(needed + self.image_bytes, what, way_out, self.max_memory)


@dataclass
class Counts:
    """What one step of the walk did, over all regions that it split."""

    regions: int = 0
    inside: int = 0
    outside: int = 0
    ambiguous: int = 0
    clauses: int = 0  # of the ambiguous ones' tapes, inputs and constants left out
    inside_px: int = 0  # in filled tiles and in leaves
    evaluated_px: int = 0
    unproven_px: int = 0  # of a proof, among those evaluated


def verdicts(root: Any) -> NDArray[np.uint8]:
    """The verdict of each box from the real bounds of a tape; undefined is outside, like NaN."""
    inside = (root.upper < 0) & ~root.maybe_nan
    outside = root.lower >= 0  # empty bounds too, from inf to -inf
    return np.where(outside, OUTSIDE, np.where(inside, INSIDE, UNPROVEN))


def split_levels(depth: int) -> list[int]:
    """The levels of the quadtree that each step takes: three, but the first what is left over.

    The first has the fewest regions to look at, so lanes that stay empty there cost least.
    """
    first = depth % SPLIT_LEVELS
    head = [first] if first or not depth else []
    return head + [SPLIT_LEVELS] * (depth // SPLIT_LEVELS)


class Drawn(NamedTuple):
    """The pixels (a CuPy array from a GPU), counts of splits, seconds of compilation, threads, and
    the samples inside where neither pixels nor counts tell."""

    pixels: Any
    counts: list[Counts]
    compiling: float = 0.0
    threads: int = 1
    inside: int | None = None

    def coverage(self, job: Job) -> Drawn:
        """The coverage of the pixels of a job, of which these are the samples as a bitmap."""
        n, bits = job.antialias, self._on_host()
        height, width = job.shape
        found = job.canvas()
        for row in range(height):
            block = bits[n * row : n * (row + 1)].reshape(n, width, n)
            found[row] = shades(n)[np.count_nonzero(block, axis=(0, 2))]
        inside = None if self.counts else int(np.count_nonzero(bits))
        return self._replace(pixels=found, inside=inside)

    def _on_host(self) -> NDArray[Any]:
        found: NDArray[Any] = (
            self.pixels if isinstance(self.pixels, np.ndarray) else self.pixels.get()
        )
        return found

    def image(self, job: Job, rendering: float) -> Image:
        """The image of a job; ``rendering`` is in seconds."""
        stats = partial(self._stats, job, rendering)
        # without pruning, counts come from the pixels, which their owner may change
        how = stats if self.counts else stats()
        return Image(
            self.pixels, job.region, how, job.samples, job.edges, job.prove, job.crop, job.antialias
        )

    def _stats(self, job: Job, rendering: float) -> Stats:
        height, width = job.shape
        return Stats(
            clauses=len(job.tape),
            size=(width, height),
            depth=job.depth,
            engine=job.way.engine,
            backend=job.way.backend,
            dtype=DTYPE_NAMES[job.dtype],
            threads=self.threads,
            grid=job.grid,
            seconds={"compile": self.compiling, "render": rendering},
            pixels=self._pixels(job),
            levels=self._levels(job),
            prove=job.prove,
            is_truth=is_truth(job.tape),
            antialias=job.antialias,
        )

    def _pixels(self, job: Job) -> dict[str, int]:
        """The number of pixels, or of samples, of each kind: by the walk's counts, or from the
        pixels."""
        pixels, counts = self.pixels, self.counts
        total = pixels.size * job.antialias**2
        if counts:
            inside = sum(count.inside_px for count in counts)
            evaluated = sum(count.evaluated_px for count in counts)
            unproven = sum(count.unproven_px for count in counts)
        else:
            inside = self.inside or int(
                np.count_nonzero(pixels == INSIDE if job.is_bitmap else pixels < 0)
            )
            evaluated = total
            unproven = 0 if job.prove is None else int(np.count_nonzero(pixels == UNPROVEN))
        found = {"inside": inside, "evaluated": evaluated, "total": total}
        return found if job.prove is None else {**found, "unproven": unproven}

    def _levels(self, job: Job) -> tuple[Level, ...]:
        (height, width), found, level = job.shape, [], 0
        for count, levels in zip(self.counts, job.steps, strict=True):
            level += levels
            tile = -(-width // (1 << level)), -(-height // (1 << level))
            mean = count.clauses / count.ambiguous if count.ambiguous else 0.0
            seen = count.regions, count.inside, count.outside, count.ambiguous
            found.append(Level(tile, *seen, mean))
        return tuple(found)
