"""What is left to do, counted, and how long the processor would take over that alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import numpy as np
from llvmlite import binding
from numpy.typing import NDArray

from bench.page import table, times
from bench.performance.techniques import DTYPE, Scene, scene
from bench.subject import Subject
from bench.timing import Times, in_turns
from intervalvm.compiler.program import VARIANT_MASK, VARIANTS, Program
from intervalvm.jit import layout as c
from intervalvm.jit import native, walk
from intervalvm.raster.job import Counts

VECTORS_A_CYCLE, STORES_A_CYCLE = 2, 1
"""Vectors that a core of the kinds below computes, or stores, each cycle."""


def _vector_bytes() -> int:
    """The widest vector that this processor's units take at once."""
    features = binding.get_host_cpu_features()
    if binding.get_host_cpu_name() == "znver1":
        return 16  # its registers are wider, and taken in halves
    return 64 if features.get("avx512f") else 32 if features.get("avx2") else 16


VECTOR_BYTES = _vector_bytes()


@dataclass
class Work:
    """Records, lanes, and vectors computed and stored."""

    records: int = 0
    lanes: int = 0
    computed: int = 0
    stored: int = 0

    def add(self, program: Program, *, leaf: bool) -> None:
        """A program over 64 regions, or over the 256 points of a leaf."""
        numbers = Counter((program.records[:, 0] & VARIANT_MASK).tolist())
        for number, count in numbers.items():
            computed, stored = _vectors(number, leaf=leaf)
            self.computed += count * computed
            self.stored += count * stored
        self.records += len(program)
        self.lanes += len(program) * (256 if leaf else 64)

    def cycles(self) -> float:
        return max(self.computed / VECTORS_A_CYCLE, self.stored / STORES_A_CYCLE)


def _vectors(number: int, *, leaf: bool) -> tuple[int, int]:
    """Vectors that a record computes and stores, at least."""
    variant = VARIANTS[number]
    values = 256 if leaf else 64
    ends = 1 if leaf else 2
    if variant.out == "f":
        whole = values * 4 // VECTOR_BYTES * ends
        return (0 if variant.op in ("copy", "spread") else whole), whole
    if variant.out == "a" or variant.kinds == "tt":
        return ends, 1
    on_axis = set(variant.kinds) <= {"x", "k"} or set(variant.kinds) <= {"y", "k"}
    compared = ends if on_axis else ends * values * 4 // VECTOR_BYTES
    return compared * (2 if variant.op == "sum_less" else 1), 1


@dataclass(frozen=True)
class Phases:
    """Work and seconds of the root, the regions under it and the leaves; and of what is left."""

    work: dict[str, Work]
    seconds: dict[str, float]
    frame: float
    fill: float
    hertz: float

    @property
    def processor(self) -> str:
        """What a core does a cycle, in a sentence without its end."""
        return (
            f"A core with {8 * VECTOR_BYTES}-bit units computes two vectors of that width a cycle "
            "and\nstores one"
        )


def tiles(of: Scene) -> Iterator[tuple[Program, bool]]:
    """The programs that a frame evaluates after the root's, and whether each is a leaf's."""
    for box in _children((0, 0, len(of.x))):
        plan = walk.narrowed(of.plan, *_ends(of, box))
        if plan is of.plan:  # proven
            continue
        yield plan.program, False
        for inner in _children(box):
            leaf = walk.narrowed(plan, *_ends(of, inner))
            if leaf is not plan:
                yield leaf.program, True


Box = tuple[int, int, int]
"""The first column, the first row, and the side, in pixels."""


def _children(box: Box) -> Iterator[Box]:
    left, top, side = box[0], box[1], box[2] // 8
    for row in range(8):
        for column in range(8):
            yield left + column * side, top + row * side, side


def _ends(of: Scene, box: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    left, top, side = box
    return (of.x[left], of.x[left + side - 1]), (of.y[top + side - 1], of.y[top])


def measure(shape: Subject, *, rounds: int) -> Phases:
    """Count the work of a frame at 1024, and time its phases."""
    of, twice = scene(shape.tape), scene(shape.tape, 2048)
    image, large = np.zeros((1024, 1024), np.uint8), np.zeros((2048, 2048), np.uint8)
    work = {name: Work() for name in ("root", "128 px", "leaves")}
    work["root"].add(of.plan.program, leaf=False)
    for program, is_leaf in tiles(of):
        work["leaves" if is_leaf else "128 px"].add(program, leaf=is_leaf)

    def walked(of: Scene, pixels: NDArray[np.uint8]) -> list[Counts]:
        sides = of.x, of.y
        counts = walk.render(of.plan, sides, sides, pixels, (3, 3), threads=1)
        return [Counts(*row) for row in counts.tolist()]

    counts = walked(of, image)
    assert counts[0].clauses == work["128 px"].records
    assert counts[1].clauses == work["leaves"].records
    shape.check(image)
    kernel = native.kernel("tame", DTYPE.name)
    with of.plan.workspaces(2, 2) as (whole, own):
        frame = walk._Frame(of.plan, whole, (of.x, of.y), (of.x, of.y), image, (3, 3))
        frame.words[c.BUDGET] = 0  # split the image and come back

        def split_image() -> None:
            contexts = frame.start([own])
            own.context[c.DEPTH] = -1
            kernel(contexts[0])

        runs: dict[str, Callable[[], object]] = {
            "root": split_image,
            "frame": partial(walked, of, image),
            "twice": partial(walked, twice, large),
            "fill": partial(image.fill, 0),
            "fill twice": partial(large.fill, 0),
        }
        taken: dict[str, Times] = in_turns(runs, rounds=rounds)
    seconds = {name: t.median for name, t in taken.items()}
    # Of the same depth at twice the size, a leaf has four times the blocks and all else is the
    # same, but for the pixels written.
    pixels = seconds["fill twice"] - seconds["fill"]
    leaves = (seconds["twice"] - seconds["frame"] - pixels) / 3
    phases = {
        "root": seconds["root"],
        "128 px": seconds["frame"] - seconds["root"] - leaves,
        "leaves": leaves,
    }
    return Phases(work, phases, seconds["frame"], seconds["fill"], _hertz())


def _hertz() -> float:
    """The clock, from a chain of multiplications and xors: 3 + 1 cycles a link."""

    def follow(n: int, value: int) -> int:
        for _ in range(n):
            value = (value * 6364136223846793005) ^ value
        return value

    links = 3_000_000
    chain: Any = numba.njit(follow)
    chain(links, 1)
    taken = in_turns({"chain": lambda: chain(links, 1)}, rounds=3)
    return 4 * links / min(taken["chain"].seconds)


def shown(found: Phases) -> tuple[str, float]:
    """The table, and the floor in seconds."""
    rows, floor = [], 0.0
    for name, work in found.work.items():
        least = work.cycles() / found.hertz
        floor += least
        seconds = found.seconds[name]
        rows.append(
            (
                name,
                f"{work.records:,}",
                f"{work.lanes:,}",
                f"{work.computed:,}",
                f"{work.stored:,}",
                f"{least * 1e6:.1f}",
                f"{seconds * 1e6:.0f}",
                times(seconds / least),
                f"{seconds / work.records * 1e9:.1f}",
            )
        )
    head = "phase,records,records x lanes,vectors computed,vectors stored,floor us,measured us"
    return table((*head.split(","), "ratio", "ns a record"), rows), floor
