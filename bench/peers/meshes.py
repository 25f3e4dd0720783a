"""Meshes beside Fidget's, of the same tapes in the same cubes: times, faults and errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.mesh_oracles import by_arrays, by_pymeshlab
from support.meshes import mesh_of

import intervalvm as ivm
from bench import timing
from bench.meshes.distances import Field, from_mesh, points_on, to_mesh
from bench.models import Solid
from bench.page import beside, table
from bench.peers.fidget import Peer, Question
from bench.timing import Times, taking_turns

DEPTHS = (6, 7)
DEEP = {"colonnade": 8, "tanglecube": 8, "octopus": 8}
"""Solids that are meshed at one more depth: the others' meshes would be too large to wait for."""
THREADS = {"1 thread": 1, "all threads": None}
KIND = "jit"

POINTS, LINES, REACH = 5000, 2000, 4
"""Random points of a mesh; random lines along each axis, which find points of the surface; how
many cells the surface is looked for away from a mesh."""
MOST_WITHIN, MOST_AWAY = 0.99, 2.0
"""The part of the surface that has to be that many cells from a mesh, at most."""


@dataclass(frozen=True)
class Quality:
    """What is wrong with a mesh. Distances are in cells: the 99th percentile, the farthest."""

    triangles: int
    edges: int
    flat: int
    crossing: int
    to_surface: tuple[float, float]
    from_surface: tuple[float, float]


Found = dict[str, dict[str, Times]]
"""By row: times of "ours" and "jit", each by words of ``THREADS``."""
Qualities = dict[str, tuple[Quality, Quality]]
"""By row: that of ours, that of Fidget's."""


def compared(solids: Iterator[Solid], built: Path, *, rounds: int) -> tuple[Found, Qualities]:
    """The times and the qualities of each solid and depth. AssertionError if one is far off."""
    rows: Found = {}
    qualities: Qualities = {}
    for solid in solids:
        field = Field(solid)
        surface = points_on(field, solid, lines=LINES)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "shape.vm"
            ivm.save(solid.tape, file)
            with Peer(built, file) as peer:
                for depth in depths(solid):
                    name = f"{solid.name} ({len(solid.tape):,} clauses), {depth}"
                    _, answer = peer.ask(KIND, question(solid, depth, 1))
                    pair = ours(solid, depth, 1), theirs(answer)
                    found = [quality(field, surface, mesh, cell(solid, depth)) for mesh in pair]
                    for each in found:
                        away = each.from_surface[0]
                        assert away <= MOST_AWAY, f"{name}: a mesh is {away:.3g} cells away"
                    qualities[name] = found[0], found[1]
                    rows[name] = _timed(solid, depth, peer, rounds)
    return rows, qualities


def depths(solid: Solid) -> range:
    """Those at which it is meshed."""
    return range(min(DEPTHS), DEEP.get(solid.name, max(DEPTHS)) + 1)


def cell(solid: Solid, depth: int) -> float:
    """The side of Fidget's smallest cells."""
    return 2 * solid.half_side / 2.0**depth


def ours(solid: Solid, depth: int, threads: int | None) -> ivm.Mesh:
    """The mesh by this library."""
    return ivm.mesh(solid.tape, region=solid.region, depth=depth, threads=threads)


def question(solid: Solid, depth: int, threads: int | None) -> Question:
    """What Fidget is asked for."""
    matrix = np.diag([solid.half_side] * 3 + [1.0])
    return Question("mesh", depth, np.append(matrix.ravel(), threads or 0))


def theirs(answer: NDArray[np.float32]) -> ivm.Mesh:
    """The mesh that Fidget has answered with."""
    corners, rest = 3 * int(answer[0]), answer[1:]
    return mesh_of(rest[:corners].reshape(-1, 3), rest[corners:].reshape(-1, 3))


def quality(field: Field, surface: NDArray[np.float64], mesh: ivm.Mesh, cell: float) -> Quality:
    """What is wrong with a mesh; ``surface`` are points of the surface."""
    there = from_mesh(field, mesh, points=POINTS, reach=REACH * cell)
    back = to_mesh(surface, mesh)
    arrays, crossing = by_arrays(mesh), by_pymeshlab(mesh)
    return Quality(
        triangles=len(mesh.triangles),
        edges=arrays["edges with other than 2 faces"],
        flat=arrays["triangles without area"],
        crossing=crossing["pymeshlab: self-intersecting faces"],
        to_surface=_summary(there / cell),
        from_surface=_summary(back / cell),
    )


def _summary(distances: NDArray[np.float64]) -> tuple[float, float]:
    most = np.quantile(distances, MOST_WITHIN, method="higher")  # which takes infinite ones
    return float(most), float(distances.max())


def _timed(solid: Solid, depth: int, peer: Peer, rounds: int) -> dict[str, Times]:
    things: dict[str, timing.Turn] = {}
    for words, threads in THREADS.items():
        clock = time.process_time if threads == 1 else time.perf_counter
        run = partial(ours, solid, depth, threads)
        run()
        things[f"ours, {words}"] = partial(timing.turn, run, clock=clock)
        asked = question(solid, depth, threads)
        things[f"{KIND}, {words}"] = partial(peer.seconds, KIND, asked)
    return taking_turns(things, rounds=rounds)


# --- the tables -----------------------------------------------------------------------------------


def page(rows: Found) -> str:
    """The table of times in Markdown."""
    return beside("solid, depth", rows, THREADS, KIND)


def quality_page(rows: Qualities) -> str:
    """The table of faults and errors in Markdown."""
    head = ["solid, depth", "triangles", "edges of other than 2 faces", "triangles without area"]
    head += ["crossing pairs", "mesh to surface, 99 %", "farthest"]
    head += ["surface to mesh, 99 %", "farthest"]
    lines = [
        (name, *(" / ".join(pair) for pair in zip(*map(_words, both), strict=True)))
        for name, both in rows.items()
    ]
    return table(head, lines)


def _words(found: Quality) -> list[str]:
    counts = (found.triangles, found.edges, found.flat, found.crossing)
    distances: tuple[Any, ...] = (*found.to_surface, *found.from_surface)
    return [f"{count:,}" for count in counts] + [_cells(away) for away in distances]


def _cells(away: float) -> str:
    """A distance in cells."""
    return f"over {REACH}" if np.isinf(away) else f"{away:.2g}" if away >= 1e-3 else "< 0.001"
