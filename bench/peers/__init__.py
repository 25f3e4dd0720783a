"""Calls of the library beside Fidget's, on the same points and boxes, in one run.

Fidget's published crate is timed by a program of this project, in ``Cargo.toml`` and ``src``. It is
built by cargo where that is there, outside the package, once: minutes. One thread each.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench import timing
from bench.page import ms, table, times
from bench.subject import TOP, Subject, machine, parser
from bench.timing import Times, taking_turns
from intervalvm.jit.cache import cache_folder

HERE, PAGE = TOP / "bench" / "peers", TOP / "docs" / "performance.md"
SOURCES = ("Cargo.toml", "src/main.rs")
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


class NoCargo(Exception):
    """Rust's cargo is not there, or could not build the program."""


def program() -> Path:
    """The program, built if that was not done before. Raises NoCargo."""
    folder = built_folder()
    found = folder / "target" / "release" / f"intervalvm-peers{'.exe' * (sys.platform == 'win32')}"
    if found.exists():
        return found
    if shutil.which("cargo") is None:
        raise NoCargo("cargo is not there, which builds Fidget: install Rust")
    print(f"building Fidget in {folder}: once, minutes", file=sys.stderr, flush=True)
    for name in SOURCES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / name, folder / name)
    done = subprocess.run(
        ["cargo", "build", "--release", "--target-dir", "target"],
        cwd=folder,
        env={"CARGO_BUILD_JOBS": "1", **os.environ},
        check=False,
    )
    if done.returncode or not found.exists():
        raise NoCargo(f"cargo could not build {folder}")
    return found


def built_folder() -> Path:
    """Where the program of these sources is, or would be, built."""
    sources = b"".join((HERE / name).read_bytes() for name in SOURCES)
    return cache_folder().parent / "intervalvm-peers" / hashlib.sha256(sources).hexdigest()[:12]


@dataclass(frozen=True)
class Question:
    """What Fidget is asked: see ``main.rs``."""

    what: str
    number: float = 0.0
    given: NDArray[Any] | list[int] | None = None


class Peer:
    """Fidget with a file, in a process of its own."""

    def __init__(self, built: Path, file: Path) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [built, file.resolve()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._line() == "ready"

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "Fidget's process has ended"
        return line

    def ask(self, kind: str, question: Question) -> tuple[list[float], NDArray[np.float32]]:
        """The seconds of each run, and what one has found."""
        given, out = (Path(self._folder.name) / name for name in ("given", "out"))
        if question.given is not None:
            given.write_bytes(np.asarray(question.given, "<f4").tobytes())
        source = "-" if question.given is None else given
        limits = f"{timing.TURN_SECONDS} {timing.MOST_RUNS}"
        assert self._process.stdin is not None
        self._process.stdin.write(
            f"{question.what} {kind} {question.number} {source} {out} {limits}\n"
        )
        self._process.stdin.flush()
        seconds = [float(word) for word in self._line().split()]
        return seconds, np.fromfile(out, "<f4")


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
            turns[kind] = partial(_seconds, peer, kind, row.question)
        found[row.name] = taking_turns(turns, rounds=rounds)
    return found


def _seconds(peer: Peer, kind: str, question: Question) -> list[float]:
    return peer.ask(kind, question)[0]


def page(found: dict[str, dict[str, Times]]) -> str:
    """The table in Markdown."""
    head = ["what", "intervalvm, ms", *(f"{name}, ms" for name in KINDS.values())]
    head += [f"{name} / intervalvm" for name in KINDS.values()]
    lines = []
    for name, taken in found.items():
        ours, *theirs = (taken[kind].median for kind in ("ours", *KINDS))
        lines.append((name, ms(ours), *map(ms, theirs), *(times(each / ours) for each in theirs)))
    return table(head, lines)


HEAD = "## Beside Fidget\n"


def section(shape: Subject, found: dict[str, dict[str, Times]]) -> str:
    """The last section of the page on how fast it is."""
    return f"""\
{HEAD}
Calls on {shape},
by this library and by the published crate `fidget`, its JIT and its VM, on the same pixels, points
and boxes, in turn in one run, one thread each; warm, medians. Boxes are an eighth as wide as the
picture, a single one is all of it; points are random. Both gave the same before anything was
timed, as far as roundings in another order allow. *A new value*: a variable is taken off the
shape, and every frame has another value of it. What is prepared once a shape is not timed.

{page(found)}
Measured by `python -m bench peers --page` on
{machine()}.
"""


def kept_section(text: str) -> str:
    """The section of a page's text, if it has one."""
    _, head, rest = text.partition(f"\n{HEAD}")
    return head + rest


def main(words: list[str]) -> int:
    """Print the table, or JSON, or write it to the page; 2 without cargo."""
    options = parser("peers", __doc__, rounds=5)
    options.add_argument("--json", action="store_true", help="medians in seconds as one object")
    options.add_argument("--page", action="store_true", help="write docs/performance.md")
    chosen = options.parse_args(words)
    try:
        built = program()
    except NoCargo as error:
        print(error, file=sys.stderr)
        return 2
    with Peer(built, chosen.file.path) as peer:
        found = compared(chosen.file, peer, rounds=chosen.rounds)
    if chosen.page:
        text = PAGE.read_text(encoding="utf-8")
        text = text.removesuffix(kept_section(text)) + "\n" + section(chosen.file, found)
        PAGE.write_text(text, encoding="utf-8")
    elif chosen.json:
        print(json.dumps({n: {k: t.median for k, t in row.items()} for n, row in found.items()}))
    else:
        print(f"{machine()}; one thread\n{chosen.file}\n\n{page(found)}", end="")
    return 0
