"""What README.md says of the speed, from the same run as the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.page import ms, table, times
from bench.performance import changing
from bench.performance.changing import Changing
from bench.performance.sizes import BROADCAST, DENSE, SINGLE, Sizes, pruned
from bench.performance.startup import Processes
from bench.subject import TOP, Subject, cpus, machine

README = TOP / "README.md"
HEAD = "## How fast\n"
HEADLINE = re.compile(r"\*\*[\d,]+x faster\*\*")
SIZE = 1024


@dataclass(frozen=True)
class Figures:
    """What the section is made of."""

    shape: Subject
    sizes: Sizes
    changed: Changing
    processes: Processes

    @property
    def ratio(self) -> float:
        """How many times faster than dense float64 a frame is on one thread."""
        return self.sizes.ratio(SIZE, DENSE, pruned(1))


def section(figures: Figures) -> str:
    """The section on speed."""
    sizes, changed = figures.sizes, figures.changed

    def row(what: str, name: str, around: str = "") -> tuple[str, str, str]:
        ratio = times(sizes.ratio(SIZE, DENSE, name))
        return what, f"{ms(sizes.seconds(SIZE, name))} ms", f"{around}{ratio}{around}"

    new = changing.pruned(1)
    rows = [
        row("dense: NumPy, float64", DENSE),
        row("dense, with x as a row and y as a column (broadcast)", BROADCAST),
        row("the same in float32", SINGLE),
        row("intervalvm, float32, one thread", pruned(1), "**"),
        (
            "the same after a variable changed",
            f"{ms(changed.seconds(new))} ms",
            times(changed.ratio(DENSE, new)),
        ),
    ]
    if cpus() > 1:
        rows.insert(4, row(f"intervalvm, float32, {cpus()} threads", pruned(cpus())))
    whole = figures.processes
    return f"""{HEAD}
A picture of {figures.shape}, at {SIZE}x{SIZE}, warm, on
{machine()}:

{table(("what", "median", "speed-up"), rows)}
Warm means that the tape was drawn before. A whole process, which starts Python, reads the file,
loads the compiled kernels and writes the PNG, takes {whole.seconds:.2f} s there,
{times(whole.ratio)} times what `import numpy` takes.
[The page on performance](docs/performance.md) has the rest.
"""


def headline(ratio: float) -> str:
    """The ratio in two digits, rounded down."""
    step = 10 ** max(len(str(int(ratio))) - 2, 0)
    return f"**{int(ratio) // step * step:,}x faster**"


def rewritten(text: str, section: str, ratio: float) -> str:
    """README.md with another section on speed and another headline; it has one of each."""
    before, _, rest = text.partition(HEAD)
    after = rest.partition("\n## ")[2]
    assert after, "README.md has no section on speed, or ends with it"
    assert len(HEADLINE.findall(before)) == 1
    return f"{HEADLINE.sub(headline(ratio), before)}{section}\n## {after}"


def write(figures: Figures, place: Path = README) -> None:
    """Put the figures into README.md."""
    text = rewritten(place.read_text(encoding="utf-8"), section(figures), figures.ratio)
    place.write_text(text, encoding="utf-8")
