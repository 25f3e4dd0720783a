"""Calls of the library beside Fidget's, on the same pixels, points and boxes. One thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench import timing
from bench.page import ms, table, times
from bench.peers.fidget import Peer, Question
from bench.subject import Subject
from bench.timing import Times, taking_turns

KINDS = {"jit": "Fidget's JIT", "vm": "its VM"}
SIZES = (512, 1024, 2048, 4096)
POINTS = (1, 100, 10_000, 100_000)
GRADIENTS = (100, 10_000)
MOVED = 0.01
"""The variable's first value, taken off the shape: every frame has another."""

TOLERANCE = 2e-5
"""Values and bounds are of about 1, and float32 with a few roundings in another order: Fidget
merges and reorders clauses when it reads a file."""
MOST_DIFFERENT = 1e-4
"""The part of a picture that may differ: pixels whose samples lie so close to the outline. Samples
are rounded differently too."""
MOST_KINKS = 0.02
"""The part of derivatives that may differ, at points where two operands of a choice are equal."""


@dataclass(frozen=True)
class Row:
    """A line of the table: the same done by us and by Fidget, and how far they agree."""

    name: str
    ours: Callable[[], Any]
    question: Question
    agrees: Callable[[Any, NDArray[np.float32]], bool]
    first: Callable[[], Any] | None = None
    """What Fidget's answer is held against, if that is not what every run finds."""


def rows(shape: Subject) -> Iterator[Row]:
    """What is compared."""
    random = np.random.default_rng(1)
    tape = shape.tape
    evaluator = ivm.Evaluator(tape, inputs=("x", "y"))
    yield from _pictures(shape)
    for n in (1, 4096):
        boxes = _boxes(random, n)
        x, y = _sides(boxes)
        question = Question("interval", given=boxes)
        name = f"{n:,} box{'es' if n > 1 else ''}"
        yield Row(
            f"`interval`, {name}", partial(ivm.interval, tape, x=x, y=y), question, _same_bounds
        )
        yield Row(
            f"`Evaluator.bounds`, {name}", partial(evaluator.bounds, x, y), question, _same_bounds
        )
    for n in (1, 256):
        boxes = _boxes(random, n)
        x, y = _sides(boxes)
        question = Question("simplify", given=boxes)
        name = f"{n:,} box{'es' if n > 1 else ''}"
        yield Row(f"`simplify`, {name}", partial(ivm.simplify, tape, x=x, y=y), question, _as_many)
        yield Row(
            f"`Evaluator.shorten`, {name}", partial(evaluator.shorten, x, y), question, _as_many
        )
    for n in POINTS:
        x, y = random.uniform(-1, 1, (2, n)).astype(np.float32)
        question = Question("points", given=np.concatenate([x, y]))
        name = f"{n:,} random point{'s' if n > 1 else ''}"
        yield Row(f"`evaluate`, {name}", partial(ivm.evaluate, tape, x, y), question, _close)
        yield Row(f"`Evaluator.values`, {name}", partial(evaluator.values, x, y), question, _close)
    for n in GRADIENTS:
        x, y = random.uniform(-1, 1, (2, n)).astype(np.float32)
        question = Question("gradients", given=np.concatenate([x, y]))
        gradients = partial(evaluator.gradients, x, y)
        name = f"{n:,} points"
        yield Row(f"`grad`, {name}", partial(ivm.grad, tape, x, y), question, _same_slopes)
        yield Row(f"`Evaluator.gradients`, {name}", gradients, question, _same_slopes)


def _pictures(shape: Subject) -> Iterator[Row]:
    for size in SIZES:
        renderer = ivm.Renderer(shape.tape, size=size, grid="fidget", threads=1)
        yield Row(f"bitmap, {size:,}", renderer.render, Question("bitmap", size), _same_pixels)
        renderer = ivm.Renderer(
            shape.tape, size=size, grid="fidget", threads=1, out=np.empty((size, size), np.uint8)
        )
        if size == max(SIZES):
            name = f"bitmap, {size:,}, `out=`"
            yield Row(name, renderer.render, Question("bitmap", size), _same_pixels)
    last = str(shape.tape).split("\n")[-2].split()[0]
    moved = ivm.parse(f"{shape.tape}moved-by var-r\nmoved sub {last} moved-by\n")
    for size in SIZES[:2]:
        renderer = ivm.Renderer(moved, size=size, grid="fidget", threads=1)
        # none that another size has had: its plan would be there already
        values = (MOVED * (1 - k / (1 << 20)) for k in count(size))

        def frame(renderer: ivm.Renderer = renderer, values: Iterator[float] = values) -> ivm.Image:
            return renderer.render(variables={"r": next(values)})

        name, question = f"bitmap, {size:,}, a new value", Question("variable", MOVED, [size])
        first = partial(renderer.render, variables={"r": MOVED})
        yield Row(name, frame, question, _same_pixels, first)


def _boxes(random: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Boxes [n, 4] an eighth as wide as the picture; a single one is the whole of it."""
    if n == 1:
        return np.array([[-1, 1, -1, 1]], np.float32)
    low = random.uniform(-1, 0.75, (2, n)).astype(np.float32)
    return np.stack([low[0], low[0] + 0.25, low[1], low[1] + 0.25], axis=1)


def _sides(boxes: NDArray[np.float32]) -> Any:
    """The sides x and y, of numbers for one box."""
    columns = boxes.T if len(boxes) > 1 else boxes[0].tolist()
    return (columns[0], columns[1]), (columns[2], columns[3])


# --- whether both agree ---------------------------------------------------------------------------


def _same_pixels(image: ivm.Image, found: NDArray[np.float32]) -> bool:
    differ = np.count_nonzero(image.pixels.ravel() != found)
    return bool(differ <= max(4, MOST_DIFFERENT * found.size))


def _same_bounds(box: ivm.Interval, found: NDArray[np.float32]) -> bool:
    ends = np.stack([np.ravel(box.lower), np.ravel(box.upper)], axis=1)
    return bool(np.allclose(ends, found.reshape(-1, 2), rtol=TOLERANCE, atol=TOLERANCE))


def _as_many(tapes: Any, found: NDArray[np.float32]) -> bool:
    """Lengths are counted differently: here a tape for each."""
    return (len(tapes) if isinstance(tapes, list) else 1) == len(found)


def _close(values: Any, found: NDArray[np.float32]) -> bool:
    return bool(np.allclose(np.ravel(values), found, rtol=TOLERANCE, atol=TOLERANCE))


def _same_slopes(gradient: Any, found: NDArray[np.float32]) -> bool:
    ours, theirs = np.stack([*gradient][:3], axis=-1), found.reshape(-1, 3)
    differ = np.abs(ours - theirs) > 50 * TOLERANCE  # quotients of small differences
    return bool(differ.any(axis=1).mean() <= MOST_KINKS) and _close(ours[:, 0], theirs[:, 0])


# --- the table ------------------------------------------------------------------------------------


def compared(shape: Subject, peer: Peer, *, rounds: int) -> dict[str, dict[str, Times]]:
    """The times of each row, of "ours" and each of ``KINDS``. AssertionError if they disagree."""
    found = {}
    for row in rows(shape):
        for kind in KINDS:
            _, answer = peer.ask(kind, row.question)
            first = (row.first or row.ours)()
            assert row.agrees(first, answer), f"{row.name}: they disagree, nothing is timed"
        turns: dict[str, Callable[[], list[float]]] = {"ours": partial(timing.turn, row.ours)}
        for kind in KINDS:
            turns[kind] = partial(peer.seconds, kind, row.question)
        found[row.name] = taking_turns(turns, rounds=rounds)
    return found


def page(found: dict[str, dict[str, Times]]) -> str:
    """The table in Markdown."""
    head = ["what", "intervalvm, ms", *(f"{name}, ms" for name in KINDS.values())]
    head += [f"{name} / intervalvm" for name in KINDS.values()]
    lines = []
    for name, taken in found.items():
        ours, *theirs = (taken[kind].median for kind in ("ours", *KINDS))
        lines.append((name, ms(ours), *map(ms, theirs), *(times(each / ours) for each in theirs)))
    return table(head, lines)
