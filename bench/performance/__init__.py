"""How fast it is, in one run: docs/performance.md, its picture, and what README.md says."""

from __future__ import annotations

from pathlib import Path

from bench.page import ms, table, times
from bench.peers import kept_section
from bench.performance import (
    arithmetic,
    changing,
    floor,
    plot,
    readme,
    sizes,
    startup,
    techniques,
)
from bench.performance.sizes import BROADCAST, DENSE, DENSE_MOST, FILL_NEW, FILL_OLD, pruned
from bench.subject import TOP, Subject, cpus, machine, parser
from bench.timing import Neighbours

PAGE, PICTURE = TOP / "docs" / "performance.md", TOP / "docs" / "performance.png"


def main(words: list[str]) -> int:
    """Measure everything, and write the page and the README's figures."""
    options = parser("performance", __doc__, rounds=2)
    options.add_argument(
        "--before", type=Path, metavar="DIR", help="a checkout of version 0.1.0 to compare with"
    )
    chosen = options.parse_args(words)
    write(chosen.file, chosen.before, rounds=chosen.rounds)
    return 0


def write(shape: Subject, before: Path | None, *, rounds: int) -> None:
    """Measure everything and write it; ``before`` has a checkout of 0.1.0."""
    neighbours = Neighbours()
    found = sizes.measure(shape, before, rounds=rounds)
    worth, lengths = techniques.switched_off(shape, rounds=rounds)
    frames = techniques.views(shape, rounds=rounds)
    changed = changing.measure(shape, rounds=rounds)
    passes, compile_seconds = startup.passes(shape, rounds=rounds)
    processes = startup.processes(shape, before)
    random, least = arithmetic.without_choices(rounds=rounds)
    phases = floor.measure(shape, rounds=rounds)
    work, floor_seconds = floor.shown(phases)
    floor_seconds += phases.fill
    busy = neighbours.cpus()
    plot.plot(found, PICTURE)
    readme.write(readme.Figures(shape, found, changed, processes))

    one, every = pruned(1), pruned(cpus())
    largest = sizes.SIZES[-1]
    levels = found.stats[1024].levels
    quick = found.seconds(1024, one)
    versus = (
        f" and {times(found.ratio(1024, pruned(1, before=True), one))} times faster than 0.1.0"
        if before
        else ""
    )
    in_short = table(
        ("what", "measured"),
        [
            ("1024, 1 thread: dense float64 / pruned", times(found.ratio(1024, DENSE, one))),
            (
                "the same, dense with x and y broadcast",
                times(found.ratio(1024, BROADCAST, one)),
            ),
            (
                "the same after a variable changed: dense float64 / pruned",
                times(changed.ratio(DENSE, changing.pruned(1))),
            ),
            (f"1024: 1 thread / {cpus()} threads", times(found.ratio(1024, one, every))),
            ("4096 / 1024, 1 thread", times(found.seconds(4096, one) / quick)),
            (
                f"{largest}, {cpus()} threads / a NumPy fill of a new image",
                times(found.ratio(largest, every, FILL_NEW)),
            ),
            (
                f"{largest}, 1 thread / a NumPy fill of a new image",
                times(found.ratio(largest, one, FILL_NEW)),
            ),
            (
                "mean clauses at 128 px and 16 px",
                " and ".join(f"{level.mean_clauses:.1f}" for level in levels),
            ),
            ("compile of the tape, ms", ms(compile_seconds)),
            ("whole process / `import numpy`", times(processes.ratio)),
        ],
    )
    PAGE.write_text(
        f"""\
# How fast it is

![Time against size, both by powers: pruned lies far below dense](performance.png)

A picture of {shape}, at 1024x1024
on one thread, warm, takes {ms(quick)} ms:
**{times(found.ratio(1024, DENSE, one))} times faster than dense float64**{versus}.

{in_short}
Measured by `python -m bench performance`, which writes this page, on
{machine()}.
All figures are of one run. They are medians; what is compared took turns, and every picture was
found right before anything was timed. Warm means that the tape was drawn before. Other processes
kept at least {busy:.1f} of the {cpus()} CPUs busy{_excuse(busy)}.

## Size, threads, engine

*dense* computes every clause at every pixel by NumPy on whole arrays; it is run up to
{DENSE_MOST}x{DENSE_MOST}. *Broadcast* is the same with x as a row and y as a column, so that what
depends on one of them is computed once a row or column. The ratios say how many times faster a row
is than dense float64, than that with broadcast coordinates, and than version 0.1.0 on as many
threads, which ran in a process of its own.

{sizes.by_size(found)}
## How work grows with size

One thread. Leaves lie along the outline, so in the end their number doubles when the side does,
while the pixels are four times as many. What is left then is to fill the image: at {largest} a
NumPy fill of a new image takes {ms(found.seconds(largest, FILL_NEW))} ms, one of memory written
before {ms(found.seconds(largest, FILL_OLD))} ms. The memory of a new image comes from the system in
pages, cleared as they are first touched; outside, where the picture is 0, the walk touches none.

{sizes.growth(found)}
## Effect of each technique

The same picture at 1024, one thread, with one technique switched off:

{worth}
- **Demand.** A bitmap only asks whether `v < 0`. The question is pushed down: `min` becomes `or`,
  `max` becomes `and`, and truths prune better than numbers do.
- **Thresholds.** A question about `f(v)`, where f never decreases, becomes a comparison of v with
  the exact float at which the answer changes, and whole chains of clauses vanish.
- **Terms of one axis.** What depends on x alone has 16 values in a leaf of 256 pixels.
- **Folding.** Constants are computed once, and equal clauses are shared. This file has few of them,
  so a frame shows little of it.
- **Balance.** Chains of `min` and `max` are bracketed in halves: an operand that matters has fewer
  decided choices above it, each of which has to be passed in every child.
- **The tame kernel.** Where the bounds over the whole domain are finite, the rules for NaN and
  infinity are left out.
- **64 children at once.** A split takes three levels of the quadtree, and its 64 regions are the
  lanes of one pass. Without, a split has four children and most lanes are empty.
- **The second split.** Without, the programs of 128 pixels are evaluated at every pixel.

[From a file to a picture](pipeline.md) tells how they work.

### Frames near each other

A `Renderer` keeps the program of a box around a frame, from which the frames near it start:

{frames}
### After a variable changed

The same file with a shape that grows with a variable, at {changing.SIZE}x{changing.SIZE}. Each
frame has a value that none had before, as while a slider moves, so that the program is made anew
from the tape. The last row has the same value again.

{changed.text()}
## Mean clauses a level

Depth 6 at 1024: records of the whole program, and of those that the ambiguous regions are left
with, on average:

{lengths}
## Before the first frame

Once a tape:

{passes}
Whole processes, medians of {startup.RUNS}. The compiled kernels are kept as object code and loaded
without numba; the row with numba imports it first, and loads the same kernels.

{processes.text}
## The floor

What a frame at 1024 cannot do without is to compute the vectors that its records stand for, and to
write the pixels. {phases.processor}, here at
{phases.hertz / 1e9:.1f} GHz (measured). The records are counted in a frame; a record of a split has
64 lanes, one of a leaf 256.

{work}
The time of the leaves is a third of what a picture of twice the size takes longer at the same depth
(four times the leaf blocks, and all else the same); the root's is measured alone; the middle is the
rest. Writing every byte of the image takes {phases.fill * 1e6:.0f} us more, so the floor is
{floor_seconds * 1e6:.0f} us. The walk takes {phases.frame * 1e6:.0f} us,
{times(phases.frame / floor_seconds)} times that.

So the time does not go to arithmetic but to the records themselves. Each is a jump to one of some
hundred places in the code, and a wrong guess costs a processor some 15 cycles, here
{15 / phases.hertz * 1e9:.1f} ns: a good part of what a record of a leaf takes. How many guesses are
wrong could not be counted where this was measured, so that is the likely reason and no more. The
root and the middle also find what each child needs, and the middle writes it: the
{phases.work["128 px"].records:,} records that the root leaves its children, and
{phases.work["leaves"].records:,} for the leaves.

## Without min and max

Random tapes of {arithmetic.CLAUSES} clauses at {arithmetic.SIZE}x{arithmetic.SIZE}, ms, medians of
{arithmetic.SEEDS} tapes. No operand can be dropped, so what remains is to prove tiles and to
evaluate the rest at the speed of vectors. The ratio is dense float32 to the slower of
bitmap and values, for the worst of the tapes; the least of all is {times(least)}.

{random}{kept_section(PAGE.read_text(encoding="utf-8"))}""",
        encoding="utf-8",
    )


def _excuse(busy: float) -> str:
    """What that does to the figures."""
    return "" if busy < 0.1 else ", so those of more than one thread\nare worse than they should be"
