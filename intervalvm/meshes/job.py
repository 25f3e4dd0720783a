"""``Job``: what a mesh is to be made of; and its steps, from a tape to a ``Mesh``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.border import cut
from intervalvm.cells.frame import Frame
from intervalvm.cells.measure import Measure
from intervalvm.cells.signs import same_sign
from intervalvm.cells.subdivision import UNDECIDED, Tree, prove_simple, subdivide
from intervalvm.memory import require
from intervalvm.meshes.mesh import Mesh, MeshStats
from intervalvm.meshes.octree import Octree
from intervalvm.meshes.sampler import Sampler
from intervalvm.meshes.surface import Surface, Surfacer, unit
from intervalvm.meshes.thinning import thinned
from intervalvm.tape import Tape
from intervalvm.words import Meaning, MeshMethod

KERNELS = [
    ("boxes", "float64", Meaning.REAL),
    ("slopes", "float64", Meaning.FLOAT),
    ("points", "float64", Meaning.FLOAT),
    ("duals", "float64", Meaning.FLOAT),
    ("mesh", "float64", Meaning.FLOAT),
    ("divide", "float64", Meaning.FLOAT),
    ("divide", "float64", Meaning.REAL),
    ("shorten", "float64", Meaning.FLOAT),
]
"""What is compiled the first time on a machine."""
Box = Sequence[tuple[float, float]]
Report = Callable[[int, int], None]
COARSEST = 2
"""The least level at which a cell may be proven simple."""
MEASURED = 32.0
"""The tolerance is this many times what is measured at crossings where cells are joined."""
NODE_BYTES = 160
"""The most memory for a node of the octree, arrays of the next step included."""
KEPT = 4
"""Shapes whose shorter tapes are kept."""
SURFACE_BYTES = 2400
"""The most memory for a cell that crosses the surface: measured where most have templates."""
LESS = "make the mesh with less depth"
"""The way out where memory is not enough."""
STEPS, SUBDIVISION = 100, 60
"""The steps that progress counts, and those of them for the subdivision."""


@dataclass
class Job:
    """A mesh to be made.

    ``settings`` are the values of the tape's variables, in order.
    """

    tape: Tape
    region: Box
    frame: Frame
    depth: int
    method: MeshMethod
    keeps_edges: bool
    tolerance: float
    settings: Sequence[float]
    threads: int
    max_memory: int | None
    report: Report | None = None
    colours: Callable[[NDArray[np.float64]], NDArray[np.uint8]] | None = None
    """The colours of points float64[n, 3]; None if the shape is not painted."""
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str, done: int) -> Iterator[None]:
        """Measure a step, after which so many of all steps are done."""
        start = time.perf_counter()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - start
        if self.report is not None:
            self.report(done, STEPS)

    def watch(self, level: int, cells: int) -> None:
        """Count steps of the subdivision. Raises DoesNotFit if its cells do."""
        needed = cells * NODE_BYTES
        require(needed, f"{cells} cells", LESS, self.max_memory)
        if self.report is not None:
            self.report(int(SUBDIVISION * 4.0 ** (level - self.depth) / 2), STEPS)


@lru_cache(maxsize=KEPT)
def _samplers(
    tape: Tape,
    region: tuple[tuple[float, float], ...],
    frame: Frame,
    settings: tuple[float, ...],
    threads: int,
) -> tuple[Sampler, Sampler]:
    """Those of the real function and of the floats, of the tape that the surface needs.

    A shape is often meshed again, finer.
    """
    reals = _reals(settings, threads)
    short = same_sign(cut(tape, reals(tape), region, frame), reals, frame)
    return reals(short), Sampler(short, settings, Meaning.FLOAT, threads)


def _reals(settings: tuple[float, ...], threads: int) -> Callable[[Tape], Sampler]:
    """Makes the sampler of a tape's real function."""
    return partial(Sampler, settings=settings, meaning=Meaning.REAL, threads=threads)


def make(job: Job) -> Mesh:
    """Make the mesh of a job. Raises DoesNotFit."""
    with job.timed("cells", SUBDIVISION):
        sides = tuple((float(low), float(high)) for low, high in job.region)
        reals, samples = _samplers(job.tape, sides, job.frame, tuple(job.settings), job.threads)
        tree = subdivide(
            reals,
            job.frame,
            job.depth,
            tolerance=job.tolerance,
            coarsest=COARSEST,
            watch=job.watch,
        )
    with job.timed("corners", 70):
        octree = Octree(tree, samples)
        is_crossed = (octree.masks > 0) & (octree.masks < 255)
        prove_simple(tree, np.flatnonzero((tree.verdict == UNDECIDED) & ~is_crossed), job.tolerance)
    crossed = int(np.count_nonzero(is_crossed))
    needed = len(tree) * NODE_BYTES + crossed * SURFACE_BYTES
    require(needed, f"a surface of {crossed} cells", LESS, job.max_memory)
    with job.timed("features", 85):
        tolerance = job.tolerance / MEASURED if job.keeps_edges else None
        surfacer = Surfacer(octree, tolerance)
    with job.timed("surface", 95):
        found = surfacer.surface()
        if job.colours is None:
            found = thinned(found, octree)
    with job.timed("normals", STEPS):
        normals = _normals(found)
        colours = None
        if job.colours is not None:
            colours = job.colours(found.vertices[found.triangles].mean(axis=1))
    return Mesh(
        vertices=found.vertices,
        triangles=found.triangles,
        normals=normals.astype(np.float32),
        colours=colours,
        measure=Measure.of_tree(tree, sides, job.tape, _reals(tuple(job.settings), job.threads)),
        stats=_stats(job, found, _counts(tree, is_crossed)),
    )


def _stats(job: Job, found: Surface, cells: dict[str, int]) -> MeshStats:
    return MeshStats(
        clauses=len(job.tape),
        method=job.method,
        depth=job.depth,
        cell=tuple(float(size) for size in job.frame.sizes(job.depth)),  # type: ignore[arg-type]
        tolerance=job.tolerance,
        threads=job.threads,
        vertices=len(found.vertices),
        triangles=len(found.triangles),
        cells=cells | found.counts,
        seconds=dict(job.seconds),
    )


def _counts(tree: Tree, is_crossed: NDArray[np.bool_]) -> dict[str, int]:
    """Cells by what is known; of those that are not proven the surface crosses some."""
    crossed = is_crossed[tree.verdict == UNDECIDED]
    count = int(np.count_nonzero(crossed))
    return tree.counts() | {"crossed": count, "undecided": len(crossed) - count}


def _normals(surface: Surface) -> NDArray[np.float64]:
    """float64[vertices, 3], those of the surface; where there is none, means of the normals of
    faces, weighted by their areas."""
    vertices, triangles, normals, _ = surface
    missing = np.asarray(~normals.any(axis=1))
    if not missing.any():
        return normals
    triangles = triangles[missing[triangles].any(axis=1)]
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    found = np.empty_like(vertices)
    for axis in range(3):
        weights = np.repeat(across[:, axis], 3)
        found[:, axis] = np.bincount(triangles.reshape(-1), weights, minlength=len(vertices))
    return np.where(missing[:, None], unit(found), normals)
