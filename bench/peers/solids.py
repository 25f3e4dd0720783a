"""Pictures of solids beside Fidget's: depth and normals of the same tapes, views, voxels and sizes.

Shading with ambient occlusion is timed as well, each by its own depth and normals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench import timing
from bench.models import lantern, octopus
from bench.page import beside
from bench.peers.fidget import Peer, Question
from bench.subject import TOP, Subject
from bench.timing import Times, taking_turns

RELIEF = TOP / "prospero3d.vm"
SIZES = (512, 1024)
"""Voxels a side of cubes."""
THREADS = {"1 thread": 1, "all threads": None}
KIND = "jit"

MOST_DEEPER = 1e-4
"""The part of a picture that may differ by more than a voxel. Fidget rounds coordinates in another
order, which moves hits where a surface is seen edge-on."""
MOST_TURNED = 2e-3
"""The part of the normals that may differ by more than a degree: at kinks."""
LEAST_COSINE = float(np.cos(np.radians(1)))


@dataclass(frozen=True)
class Solid:
    """A shape and the 4x4 matrix from view space to its own: both are asked for the same."""

    name: str
    tape: ivm.Tape
    matrix: NDArray[np.float64]
    is_shaded: bool = False
    """Whether its shading is timed as well."""

    def question(self, what: str, size: int, threads: int | None) -> Question:
        """What Fidget is asked for "solid" or "shading"."""
        return Question(what, size, np.append(self.matrix.ravel(), threads or 0))

    def draw(self, size: int, threads: int | None) -> ivm.SolidImage:
        """Depth and normals by this library; pixels are shaded when they are asked for."""
        view = ivm.View(self.matrix)
        return ivm.render3d(self.tape, size=size, view=view, grid="fidget", threads=threads)


def solids(prism: Subject, folder: Path) -> Iterator[Solid]:
    """What is drawn; models of the field are read from ``folder`` if they are there."""
    front = np.eye(4)
    own = _scaled(1 / 0.7) @ _turned("z", 30) @ _turned("x", 60)
    own_perspective = own @ _perspective(0.3)
    turned = _turned("y", 30) @ _turned("x", -25)
    views = [
        ("colonnade, front", "colonnade.vm", front),
        ("colonnade, its own perspective", "colonnade.vm", own_perspective),
        ("tanglecube, turned", "tanglecube.vm", _scaled(1 / 0.222) @ turned),
    ]
    for name, file, matrix in views:
        if (folder / file).is_file():
            tape = ivm.load(folder / file)
            yield _solid(name, tape, matrix, is_shaded=matrix is own_perspective)
    yield _solid(f"{prism.path.stem} as a prism, front", prism.tape, front)
    for name, matrix in ("front", front), ("turned", turned):
        yield _solid(f"prospero3d, {name}", ivm.load(RELIEF), matrix)
    yield _solid("octopus, turned: blended by exp and ln", octopus.build().tape(), turned)
    sines = lantern.build().tape()
    yield _solid("lantern, turned: mod, sin, atan2", sines, turned, is_shaded=True)


def _solid(
    name: str, tape: ivm.Tape, matrix: NDArray[np.float64], *, is_shaded: bool = False
) -> Solid:
    """With a matrix that float32 holds, as Fidget takes it."""
    rounded = matrix.astype(np.float32).astype(float)
    return Solid(f"{name} ({len(tape):,} clauses)", tape, rounded, is_shaded)


def _scaled(scale: float) -> NDArray[np.float64]:
    return np.diag([scale, scale, scale, 1.0])


def _turned(axis: str, degrees: float) -> NDArray[np.float64]:
    """Counter-clockwise about an axis, seen against it."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    found, (i, j) = np.eye(4), {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    found[i, i], found[i, j], found[j, i], found[j, j] = c, -s, s, c
    return found


def _perspective(share: float) -> NDArray[np.float64]:
    """Nearer parts are larger: at the height z of view space, by 1 + share z."""
    found = np.eye(4)
    found[3, 2] = share
    return found


# --- whether both agree ---------------------------------------------------------------------------


def differences(
    solid: Solid, image: ivm.SolidImage, found: NDArray[np.float32]
) -> tuple[float, float]:
    """The part of pixels that differ by more than a voxel, and of normals by more than a degree.

    Where the two nearest layers are hit Fidget says that the nearest is, and its depth of a tile
    proven to be full is a voxel too near, without a normal.
    """
    size = len(image.depth)
    ours = np.where(image.depth >= size - 1, size, image.depth)
    theirs = found.reshape(size, size, 4)
    deeper = np.abs(ours - theirs[..., 0]) > 1
    normals = theirs[..., 1:].astype(float)
    compared = (ours == theirs[..., 0]) & (ours > 0) & (ours < size) & normals.any(axis=-1)
    j, i = np.nonzero(compared)
    cosines = _cosines(_seen(solid.matrix, image, j, i), normals[j, i])
    return float(deeper.mean()), float((cosines < LEAST_COSINE).mean()) if len(j) else 0.0


def _seen(matrix: NDArray[np.float64], image: ivm.SolidImage, j: Any, i: Any) -> NDArray[Any]:
    """Normals as Fidget has them: by the row and column of the picture, y down.

    The gradient by view space is that by the shape's space times the Jacobian of p -> M p / w.
    """
    size = len(image.depth)
    k = image.depth[j, i] - 1
    place = np.stack([2 * i - size, size - 2 - 2 * j, 2 * k - size], axis=1) / size
    w = place @ matrix[3, :3] + matrix[3, 3]
    q = (place @ matrix[:3, :3].T + matrix[:3, 3]) / w[:, None]
    normals = image.normals[j, i].astype(float)
    along = np.sum(q * normals, axis=1)
    by_view = (normals @ matrix[:3, :3] - along[:, None] * matrix[3, :3]) / w[:, None]
    return np.asarray(by_view * (1.0, -1.0, 1.0))


def _cosines(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    with np.errstate(all="ignore"):
        return np.asarray(np.sum(a * b, axis=1) / lengths)


# --- the table ------------------------------------------------------------------------------------

Found = dict[str, dict[str, Times]]
"""By row: times of "ours" and "jit", each by words of ``THREADS``."""


def compared(found: Iterator[Solid], built: Path, *, rounds: int) -> Found:
    """The times of each solid and size. AssertionError if both disagree."""
    rows: Found = {}
    for solid in found:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "shape.vm"
            ivm.save(solid.tape, file)
            with Peer(built, file) as peer:
                for size in SIZES:
                    rows[f"{solid.name}, {size:,}"] = _drawn(solid, peer, size, rounds)
                if solid.is_shaded:
                    name = f"shading of {solid.name}, {SIZES[-1]:,}"
                    rows[name] = _shaded(solid, peer, SIZES[-1], rounds)
    return rows


def _drawn(solid: Solid, peer: Peer, size: int, rounds: int) -> dict[str, Times]:
    """Depth and normals."""
    _, answer = peer.ask(KIND, solid.question("solid", size, 1))
    deeper, turned = differences(solid, solid.draw(size, 1), answer)
    assert deeper <= MOST_DEEPER, f"{solid.name}: {deeper:.2%} of the depths differ"
    assert turned <= MOST_TURNED, f"{solid.name}: {turned:.2%} of the normals differ"
    things: dict[str, timing.Turn] = {}
    for words, threads in THREADS.items():
        things[f"ours, {words}"] = partial(timing.turn, partial(solid.draw, size, threads))
        question = solid.question("solid", size, threads)
        things[f"{KIND}, {words}"] = partial(peer.seconds, KIND, question)
    return taking_turns(things, rounds=rounds)


def _shaded(solid: Solid, peer: Peer, size: int, rounds: int) -> dict[str, Times]:
    """All that is done once depth and normals are there."""
    things: dict[str, timing.Turn] = {}
    for words, threads in THREADS.items():
        image = solid.draw(size, threads)
        shade = partial(lambda image: replace(image).pixels, image)
        shade()
        things[f"ours, {words}"] = partial(timing.turn, shade)
        question = solid.question("shading", size, threads)
        things[f"{KIND}, {words}"] = partial(peer.seconds, KIND, question)
    return taking_turns(things, rounds=rounds)


def page(rows: Found) -> str:
    """The table in Markdown."""
    return beside("what, voxels a side", rows, THREADS, KIND)
