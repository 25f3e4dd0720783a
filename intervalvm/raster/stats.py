"""``Stats``: times and counts of a rendering, which print as tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from intervalvm.words import Backend, Engine, Grid, Prove


@dataclass(frozen=True)
class Level:
    """The regions of one level of the quadtree.

    Attributes
    ----------
    tile : tuple of int
        Width and height of a region in pixels; of a solid's picture also the depth, in voxels.
    regions, inside, outside, ambiguous : int
    mean_clauses : float
        The mean length of the tapes of the ambiguous regions.
    """

    tile: tuple[int, ...]
    regions: int
    inside: int
    outside: int
    ambiguous: int
    mean_clauses: float


@dataclass(frozen=True)
class Stats:
    """Times and counts of a rendering. It prints as a table.

    Attributes
    ----------
    clauses, depth, threads : int
    size : (int, int)
    engine, backend, dtype, grid : str
    seconds : dict of str to float
        At least of "compile" and "render".
    pixels : dict of str to int
        "inside", "evaluated", "total", and "unproven" of a proven image.
    levels : tuple of Level
        Empty for engines without a quadtree.
    prove : {None, "point", "area"}
    is_truth : bool
        Whether the tape's value is 1 or 0 everywhere, which draws nothing.
    antialias : int
        A pixel's samples each way; with more than one, ``pixels`` counts samples.
    """

    clauses: int
    size: tuple[int, int]
    depth: int
    engine: Engine
    backend: Backend
    dtype: str
    threads: int
    grid: Grid
    seconds: dict[str, float]
    pixels: dict[str, int]
    levels: tuple[Level, ...] = ()
    prove: Prove | None = None
    is_truth: bool = False
    antialias: int = 1

    def as_json(self) -> dict[str, Any]:
        """The same as lists, dicts and numbers; without ``prove``, ``is_truth`` and ``antialias``
        if not set."""
        plain = asdict(self)
        if not self.is_truth:
            del plain["is_truth"]
        if self.antialias == 1:
            del plain["antialias"]
        if self.prove is None:
            del plain["prove"]
        plain["size"] = list(self.size)
        plain["levels"] = [asdict(level) | {"tile": list(level.tile)} for level in self.levels]
        return plain

    def __str__(self) -> str:
        (width, height), many = self.size, "" if self.threads == 1 else "s"
        share = {name: n / self.pixels["total"] for name, n in self.pixels.items()}
        n = self.antialias
        each, what = ("", "pixels") if n == 1 else (f" of {n}x{n} samples", "samples")
        lines = [
            f"{width}x{height} pixels{each}, {self.clauses} clauses, depth {self.depth}, "
            f"grid {self.grid}, {self.dtype}",
            f"{self.engine} on {self.backend}, {self.threads} thread{many}",
            f"{self.pixels['inside']} {what} inside ({share['inside']:.1%}), "
            f"{self.pixels['evaluated']} evaluated ({share['evaluated']:.1%})",
        ]
        if self.prove is not None:
            lines.append(
                f"proven over each pixel's {self.prove}, but for "
                f"{self.pixels['unproven']} unproven ({share['unproven']:.1%})"
            )
        return "\n".join(lines + ending(self.is_truth, self.levels, self.seconds))


def ending(is_truth: bool, levels: tuple[Level, ...], seconds: dict[str, float]) -> list[str]:
    """The last lines of statistics as text, of all pictures."""
    lines = []
    if is_truth:
        lines.append(
            "nothing is inside: the tape's value is 1 or 0, never below 0 "
            "(0.5 minus it is inside where it is 1)"
        )
    if levels:
        lines += ["", levels_table(levels)]
    return [*lines, "", *(f"{name:<8}{milliseconds(s):>12}" for name, s in seconds.items())]


def levels_table(levels: tuple[Level, ...]) -> str:
    """The levels as text, a line each."""
    rows: list[tuple[str, ...]] = [
        ("tile", "regions", "inside", "outside", "ambiguous", "mean clauses")
    ]
    for level in levels:
        counts = (level.regions, level.inside, level.outside, level.ambiguous)
        tile = "x".join(map(str, level.tile))
        rows.append((tile, *map(str, counts), f"{level.mean_clauses:.1f}"))
    return text_table(rows)


def text_table(rows: Sequence[Sequence[str]], *, left: int = 0) -> str:
    """Rows of equal length as aligned text; the first ``left`` columns are left-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            word.ljust(width) if i < left else word.rjust(width)
            for i, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def milliseconds(seconds: float) -> str:
    """A time as text: ``1.23 ms``, ``45.6 ms``, ``789 ms``, ``12345 ms``."""
    ms = seconds * 1e3
    return f"{ms:.2f} ms" if ms < 9.995 else f"{ms:.1f} ms" if ms < 99.95 else f"{ms:.0f} ms"
