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


def page(found: Sequence[Row]) -> str:
    """The table in Markdown: the faults that any has, and the number of those that none has."""
    names = list(dict.fromkeys(name for *_, faults in found for name in faults))
    some = [name for name in names if any(faults.get(name) for *_, faults in found)]
    head = ["solid, depth, method", "triangles", "tests", *some, "faults"]
    lines = [
        (
            row,
            f"{triangles:,}",
            f"{len(faults)}",
            *(f"{faults[name]:,}" if name in faults else "" for name in some),
            f"{sum(faults.values()):,}",
        )
        for row, triangles, faults in found
    ]
    asked = "".join(f"- {name}\n" for name in names)
    return f"{table(head, lines)}\nLooked for:\n\n{asked}"


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
    found = list(rows(solids, chosen.depths))
    print(page(found), end="")
    return int(any(any(faults.values()) for *_, faults in found))
