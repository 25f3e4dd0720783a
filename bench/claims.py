"""The figures that the project answers for, each measured anew."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import intervalvm as ivm
from bench import processes
from bench.engines import broadcasting, rendering
from bench.subject import Subject, machine, parser
from bench.timing import in_turns
from intervalvm.api.options import PROVES
from intervalvm.jit.layout import UNPROVEN
from intervalvm.memory import in_units
from intervalvm.raster.stats import text_table

SMALL = 350 * 10**6
HUGE = 16384**2
SIZES = (64, 257, 1000, 1024, (2048, 1024))


@dataclass(frozen=True)
class Claim:
    """What is said, how far it is to reach, what was measured, and whether that is enough."""

    what: str
    reach: str
    measured: str
    holds: bool


def claims(shape: Subject, *, rounds: int) -> Iterator[Claim]:
    """Measure one after the other."""
    yield _identical(shape)
    yield from _ratio(shape, rounds)
    yield from _proven(shape, rounds)
    yield _parse(shape, rounds)
    with tempfile.TemporaryDirectory() as folder:
        yield from _processes(shape, Path(folder))


def _identical(shape: Subject) -> Claim:
    """Every pixel of some sizes, also odd and oblong ones, beside dense float32."""
    different = 0
    for size in SIZES:
        pruned = ivm.render(shape.tape, size=size)
        different += int(np.count_nonzero(pruned.pixels != shape.dense(size).pixels))
    names = ", ".join("x".join(map(str, s)) if isinstance(s, tuple) else str(s) for s in SIZES)
    return Claim(
        f"pixels unlike dense float32, at {names}", "0", str(different), holds=different == 0
    )


def _ratio(shape: Subject, rounds: int) -> Iterator[Claim]:
    makers = (
        rendering(threads=1),
        rendering(engine="dense", dtype="float64"),
        broadcasting("float64"),
    )
    for make in makers:
        shape.check(make(shape.tape, 1024))
    runs = {str(i): partial(make, shape.tape, 1024) for i, make in enumerate(makers)}
    pruned, dense, broadcast = (t.median for t in in_turns(runs, rounds=rounds).values())
    ratio = dense / pruned
    yield Claim(
        "times faster than dense float64 with liveness, 1024x1024, 1 thread, warm",
        "1200",
        f"{ratio:.0f} ({dense:.2f} s / {pruned * 1e3:.2f} ms)",
        holds=ratio >= 1200,
    )
    yield Claim(
        "the same, dense with x and y broadcast",
        "",
        f"{broadcast / pruned:.0f} ({broadcast:.2f} s / {pruned * 1e3:.2f} ms)",
        holds=True,
    )


def _proven(shape: Subject, rounds: int) -> Iterator[Claim]:
    """Pictures that are proven against the exact one, over points and over areas."""
    makers = {
        "exact": rendering(threads=1),
        **{prove: rendering(threads=1, prove=prove) for prove in PROVES},
    }
    images = {name: make(shape.tape, 1024) for name, make in makers.items()}
    runs = {name: partial(make, shape.tape, 1024) for name, make in makers.items()}
    taken = in_turns(runs, rounds=rounds)
    for prove in PROVES:
        ratio = taken[prove].median / taken["exact"].median
        unproven = int(np.count_nonzero(images[prove] == UNPROVEN))
        yield Claim(
            f"times as long as exact: proven over each {prove}, 1024x1024, 1 thread, warm",
            "1.5" if prove == "point" else "",
            f"{ratio:.2f} ({taken[prove].median * 1e3:.2f} / "
            f"{taken['exact'].median * 1e3:.2f} ms); "
            f"{unproven} of {images[prove].size} pixels unproven",
            holds=ratio <= 1.5 or prove != "point",
        )


def _parse(shape: Subject, rounds: int) -> Claim:
    assert ivm.parse(str(shape.tape)) == shape.tape
    times = in_turns({"parse": lambda: ivm.parse(shape.text)}, rounds=rounds)
    seconds = times["parse"].median
    what = f"parsing the {len(shape.tape)} clauses"
    return Claim(what, "< 30 ms", f"{seconds * 1e3:.1f} ms", holds=seconds < 0.030)


def _processes(shape: Subject, folder: Path) -> Iterator[Claim]:
    """What whole processes take, from an empty cache of kernels on."""
    kept = {name: str(folder / "cache") for name in ("XDG_CACHE_HOME", "LOCALAPPDATA")}
    command = partial(processes.run, "render", str(shape.path), folder=folder, environment=kept)

    first, second = command("--out", "first.png"), command("--out", "second.png")
    says_so, again = "compiling" in first.said, "compiling" in second.said
    yield Claim(
        "a first run: kernels compile, and it says so",
        "< 25 s",
        f"{first.seconds:.1f} s, {'said' if says_so else 'NOT said'}",
        holds=first.seconds < 25 and says_so,
    )
    yield Claim(
        "the next run compiles nothing",
        "",
        f"{second.seconds:.2f} s, {'COMPILED' if again else 'nothing compiled'}",
        holds=not again,
    )
    yield _memory("1024x1024, first run, numba included", first, SMALL)
    yield _memory("1024x1024, kernels kept", second, SMALL)

    for suffix in ("pgm", "png"):
        huge = command("--size", "16384", "--out", f"huge.{suffix}")
        what = f"16384x16384, {in_units(HUGE)} of pixels, to a .{suffix} in {huge.seconds:.1f} s"
        yield _memory(what, huge, 2 * HUGE)


def _memory(what: str, run: processes.Run, most: int) -> Claim:
    return Claim(
        f"peak memory of the process: {what}",
        f"< {in_units(most)}",
        in_units(run.peak),
        holds=run.peak < most,
    )


def shown(found: list[Claim]) -> str:
    """Claims as lines of text."""
    head = ("what", "reach", "measured", "holds")
    rows = [(c.what, c.reach, c.measured, "yes" if c.holds else "NO") for c in found]
    return text_table([head, *rows], left=1)


def main(words: list[str]) -> int:
    """Measure them all; 1 if a claim does not hold."""
    chosen = parser("claims", __doc__, rounds=5).parse_args(words)
    print(f"{machine()}\n{chosen.file}\n", flush=True)
    found = list(claims(chosen.file, rounds=chosen.rounds))
    print(shown(found))
    return 0 if all(claim.holds for claim in found) else 1
