"""``turntable``: a solid that turns, as an animated file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from inspect import signature
from typing import Any

from intervalvm.api.options import check_progress
from intervalvm.api.options3d import SolidOptions
from intervalvm.api.render import reporting
from intervalvm.api.render3d import render3d
from intervalvm.arguments import real
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.expr import TapeLike
from intervalvm.files import check_path, check_writable
from intervalvm.hints import Takes
from intervalvm.raster import animation
from intervalvm.raster.job import Progress
from intervalvm.voxel.linear import tangents
from intervalvm.voxel.solid import SolidImage
from intervalvm.voxel.view import View
from intervalvm.words import SolidMode

OF_VIEW = signature(View.turntable).parameters
OF_SOLID = {n: p for n, p in signature(SolidOptions).parameters.items() if n != "view"}
PLACE = {"center", "scale"}


takes_turn_options: Takes[...] = Takes(View.turntable, SolidOptions, without=("view",))


@in_default_environment
@takes_turn_options
def turntable(
    shape: TapeLike, path: Any, frames: int = 36, *, seconds: float = 3.0, box: Any = None,
    **options: Any,
) -> None:  # fmt: skip
    """Write a solid that turns once about the vertical axis, as an animated file that loops.

    Turning compiles nothing. The file is written as a whole or not at all. ``animate`` tells what
    the formats hold.

    Parameters
    ----------
    shape : Tape, Expr or Shape
    path : str or path-like
        The suffix, .gif, .webp, .png or .mp4, chooses the format.
    frames : int
        How many pictures; from one to the next the camera goes on by 360 / ``frames`` degrees.
    seconds : float
        How long a turn takes, up to 60; of a video up to 3600.
    box : ((float, float), (float, float), (float, float)), optional
        The ends of the sides along x, y and z of a box to show whole in all frames, in place of
        ``center`` and ``scale``.
    yaw, pitch, roll, center, scale, perspective, up
        The first frame's view, as for ``View.turntable``.
    size, antialias, grid, engine, threads, dtype, variables, mode
        As for ``render3d``.
    material, lights, sky, floor, occlusion, radius, smooth, edges, background, shadow
        As for ``render3d``. Lights stand still: they turn with the camera.
    max_memory : int, float or str, optional
        As for ``render3d``.
    progress : callable or bool, optional
        As for ``animate``.

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid argument, and a format that holds no animation or cannot hold the size.
    VariableError
        For a free variable without a value.
    BackendError
        For a video without PyAV.
    DoesNotFit
        If ``max_memory`` is not enough for a frame, or for all frames.
    FileError
        If the file cannot be written.
    """
    name = check_path(path)
    turn = Turn(animation.format_of(name), frames, seconds=seconds, box=box, **options)
    check_writable(name)
    with reporting(turn.progress, "drawing") as report, turn.film() as film:
        film.make((image.pixels for image in turn.draw(shape)), name, report)


class Turn:
    """A turntable whose options are checked: the frames to draw, and the film that they make.

    Raises as ``turntable`` does.
    """

    def __init__(
        self, format: str, frames: Any, *, seconds: Any = 3.0, box: Any = None, **options: Any
    ) -> None:
        self.timing = animation.Timing(frames, seconds, format)
        view = {name: given for name, given in options.items() if name in OF_VIEW}
        solid = {name: given for name, given in options.items() if name in OF_SOLID}
        self.progress: Progress | bool | None = solid.pop("progress", None)
        check_progress(self.progress)
        self.views = _views(self.timing.frames, view, box)
        asked: Any = SolidOptions(**solid)  # whose fields are normalized
        self.mode: SolidMode = asked.mode
        width, height, _ = asked.size
        self._max_memory = asked.max_memory
        animation.check_holds(self.timing, width, height, asked.max_memory)
        self._options = {name: getattr(asked, name) for name in solid}

    def draw(self, shape: TapeLike) -> Iterator[SolidImage]:
        """The picture of each frame."""
        for view in self.views:
            yield render3d(shape, view=view, **self._options)

    def film(self) -> animation.Film:
        """A film for the frames."""
        return animation.Film(self.timing, self._max_memory)


def _views(frames: int, options: dict[str, Any], box: Any) -> list[View]:
    """The view of each frame: a turn of the camera about the vertical axis."""
    View.turntable(**options)  # which checks them
    start = real("yaw", options.pop("yaw", 0.0))
    yaws = [start + 360 * i / frames for i in range(frames)]
    if box is not None:
        if options.keys() & PLACE:
            raise OptionError("box says what center and scale do: leave it out, or these")
        fitting = [View.fit(box, yaw, **options) for yaw in yaws]
        # the largest that one of them needs for all, or the solid would change its size
        scale = max(math.hypot(*tangents(view.matrix)[:, 0]) for view in fitting)
        options |= {"center": fitting[0].matrix[:3, 3], "scale": scale}
    return [View.turntable(yaw, **options) for yaw in yaws]
