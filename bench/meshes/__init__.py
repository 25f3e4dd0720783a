"""Faults of this library's own meshes, by other programs: ten solids, two depths, both methods.

Status 1 if there is any. Nothing is timed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import intervalvm as ivm
from bench import models
from bench.page import table
from bench.subject import CHALLENGE
from intervalvm.words import MeshMethod

DEPTHS = (5, 6)
Row = tuple[str, int, dict[str, int]]
"""What was meshed, how many triangles it has, and its faults by name."""


def rows(solids: Iterator[models.Solid], depths: Sequence[int]) -> Iterator[Row]:
    """A row a solid, depth and method."""
    from support.mesh_oracles import faults  # which takes pytest

    for solid in solids:
        for depth in depths:
            for method in get_args(MeshMethod):
                mesh = ivm.mesh(solid.tape, region=solid.region, depth=depth, method=method)
                yield f"{solid.name}, {depth}, {method}", len(mesh.triangles), faults(mesh)


HEAD = table(["solid, depth, method", "triangles", "tests", "faults"], [])


def line(row: Row) -> str:
    """A line of the table in Markdown: the faults by name."""
    name, triangles, faults = row
    some = "; ".join(f"{what}: {count:,}" for what, count in faults.items() if count)
    return f"| {name} | {triangles:,} | {len(faults)} | {some or 'none'} |"


def main(words: list[str]) -> int:
    """Print the table; 1 if there is a fault."""
    options = argparse.ArgumentParser(prog="python -m bench meshes", description=__doc__)
    options.add_argument(
        "--depths", type=int, nargs="+", default=DEPTHS, metavar="N", help="of the octrees (5 6)"
    )
    options.add_argument("--only", metavar="WORD", help="solids whose names hold it")
    options.add_argument(
        "--models",
        type=Path,
        default=CHALLENGE.parent,
        metavar="DIR",
        help="where colonnade.vm and tanglecube.vm are",
    )
    chosen = options.parse_args(words)
    for name in models.missing(chosen.models):
        print(f"{name} is left out: it is not in {chosen.models} (--models)", file=sys.stderr)
    solids = (s for s in models.solids(chosen.models) if (chosen.only or "") in s.name)
    print(HEAD, end="")
    names: dict[str, None] = {}
    status = 0
    for row in rows(solids, chosen.depths):
        print(line(row), flush=True)
        *_, faults = row
        names |= dict.fromkeys(faults)
        status |= any(faults.values())
    print("\nLooked for:\n", *(f"- {name}" for name in names), sep="\n")
    return int(status)
