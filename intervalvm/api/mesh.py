"""``mesh``: from a solid to a ``Mesh``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.api.bounding import Box, default_region
from intervalvm.api.limits import usable_cpus
from intervalvm.api.options_mesh import MeshOptions, Sides, takes_mesh_options
from intervalvm.api.render import reporting
from intervalvm.arguments import real
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.expr import Expr, TapeLike, as_tape, settings_for
from intervalvm.expr.paint import paint_of
from intervalvm.meshes.mesh import Mesh

NOWHERE: Sides = ((-1.0, 1.0),) * 3
"""A region of what is empty."""
BARE = 204, 204, 204
"""The colour of parts without one, where others have one."""


@in_default_environment
@takes_mesh_options
def mesh(shape: TapeLike, **options: Any) -> Mesh:
    """The surface of a solid as triangles: watertight, manifold and without self-intersections.

    A solid is where its value is below 0 or a truth holds; NaN is outside. An octree of cubes holds
    the region, and is refined where bounds leave open what is inside. Where the surface is proven
    to be one smooth, nearly flat piece, cells stay large. Thin parts between samples of the
    smallest cells may be missed: such cells are counted in ``stats.cells["undecided"]``.

    Parameters
    ----------
    shape : Tape, Expr or Shape
    region : three pairs of floats, optional
        The box ((x0, x1), (y0, y1), (z0, z1)) whose part of the solid is wanted: it is closed where
        the box cuts it. By default a box proven to hold the solid.
    depth : int, optional
        Levels of the octree, 1 to 16: the smallest cells are 1/2**depth of the region's longest
        side, and 3 % more. By default 6.
    cell : float, optional
        In place of a depth: the size of the smallest cells, at most.
    method : {"sharp", "safe"}
        "sharp" keeps edges and corners, by dual contouring; "safe" needs no derivatives and rounds
        them off by about a cell. Both keep all promises.
    tolerance : float, optional
        How far a triangle of a larger cell may lie from the surface; by default 0.7 of the size of
        the smallest cells. It is proven where a cell is not refined, and typically kept twenty
        times over. Where small cells are joined a 32nd of it is measured, at all crossings of the
        lattice.
    variables : dict of str to float, optional
        Values of free variables.
    threads : int, optional
        By default the CPUs of this process.
    max_memory : int, float or str, optional
        Bytes, or text such as "4G"; by default the available memory.
    progress : callable or bool, optional
        Called with (done, total) as the work goes on; True draws a bar.

    Returns
    -------
    Mesh
        Without triangles if nothing is inside.

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid argument, and without a region for a shape that has no proven bounds.
    VariableError
        For a free variable without a value.
    DoesNotFit
        If ``max_memory`` is not enough.
    """
    from intervalvm.jit import native  # imports the compiler's library
    from intervalvm.meshes.job import KERNELS, Job, make

    asked = MeshOptions(**options)
    tape = as_tape(shape)
    given = tape.settings(settings_for(shape, asked.variables))
    settings = [real(name, value) for name, value in zip(tape.variables, given, strict=True)]
    with reporting(asked.progress, "meshing") as report:
        native.prepare(KERNELS, usable_cpus())
        region = asked.region or _box(shape, asked.variables)
        frame, depth = asked.frame_of(region)
        paint = paint_of(shape)
        colours = None
        if paint is not None:
            colours = _colours(paint, dict(zip(tape.variables, settings, strict=True)))
        return make(
            Job(
                tape=tape,
                region=region,
                frame=frame,
                depth=depth,
                method=asked.method,
                keeps_edges=asked.keeps_edges,
                tolerance=asked.tolerance_of(frame, depth),
                settings=settings,
                threads=asked.threads or usable_cpus(),
                max_memory=asked.max_memory,  # type: ignore[arg-type]
                report=report,
                colours=colours,
            )
        )


def _box(shape: TapeLike, variables: Mapping[str, float] | None) -> Sides:
    """The box that is proven to hold a solid; any for one that is empty."""
    found = default_region(shape, variables=variables)
    if found is None:
        return NOWHERE
    if not isinstance(found, Box):
        raise OptionError(
            "the shape does not read z, so it is a prism without ends: extrude it, as in "
            "shape.extrude(1), or cut it off, as by region=((-1, 1), (-1, 1), (-1, 1))"
        )
    return found


def _colours(
    paint: Expr, settings: dict[str, float]
) -> Callable[[NDArray[np.float64]], NDArray[np.uint8]]:
    """What finds the colours of points float64[n, 3]."""
    from intervalvm.api.paint import colours_at

    def colours(points: NDArray[np.float64]) -> NDArray[np.uint8]:
        given = {axis: points[:, k].copy() for k, axis in enumerate("xyz")}
        found = colours_at(paint, {**given, **settings}, bare=BARE, dtype="float64")
        return np.ascontiguousarray(np.broadcast_to(found, (len(points), 3)))

    return colours
