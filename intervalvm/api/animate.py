"""``animate``: pictures of a function of time, as an animated file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from intervalvm.api.options import Options, check_progress
from intervalvm.api.options3d import SolidOptions
from intervalvm.api.render import render, reporting
from intervalvm.api.render3d import render3d
from intervalvm.api.renderer import Renderer
from intervalvm.arguments import brief
from intervalvm.environment import back_in_default_environment, in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.evaluate.points import reads
from intervalvm.expr import TapeLike, as_tape
from intervalvm.files import check_path, check_writable
from intervalvm.hints import unknown
from intervalvm.raster.animation import Film, Timing, format_of
from intervalvm.raster.picture import Picture

RATE, MOST_FRAMES = 24, 1 << 53
"""Frames a second, as in the cinema; more frames than any file holds."""
OF_PLANE, OF_SOLID = (
    signature(options).parameters.keys() - {"progress", "out"}
    for options in (Options, SolidOptions)
)


@in_default_environment
def animate(
    f: Callable[[float], Any], frames: int, path: Any, *, shape: TapeLike | None = None,
    seconds: float | None = None, progress: Callable[[int, int], None] | bool | None = None,
    **options: Any,
) -> None:  # fmt: skip
    """Write pictures of a function of time as an animated file that loops.

    ``f`` is called with t = i / ``frames`` for each frame i, so that a function of period 1 has no
    seam. The file is written whole or not at all.

    ======  ====================================================================================
    suffix  what is written
    ======  ====================================================================================
    .gif    One palette for all frames: 256 colours, exact if there are no more. Opacity is all
            or nothing.
    .webp   The exact colours and opacity.
    .png    The same, as an animated PNG.
    .mp4    A video in H.264, which needs PyAV. Frames are encoded as they come: memory does not
            grow with their number.
    ======  ====================================================================================

    Parameters
    ----------
    f : callable
        It returns what a frame shows:

        * a Tape, Expr or Shape;
        * a Picture: what ``render`` and ``render3d`` return, or what is made of them;
        * an array, uint8[h, w], brightnesses, or [h, w, 3 or 4], colours and opacity;
        * a dict of variables of ``shape``. Such frames come quickest: a ``Renderer`` draws them.
    frames : int
        How many pictures, at least 2.
    path : str or path-like
        The suffix chooses the format.
    shape : Tape, Expr or Shape, optional
        The shape whose variables ``f`` returns.
    seconds : float, optional
        How long all frames take, up to 60; of a video up to 3600. By default 24 frames take one.
    progress : callable or bool, optional
        Called with (done, total) steps: frames that are drawn, and frames that are written where
        that comes later. True draws a bar.
    **options
        Of shapes: those of ``render``, or of ``render3d`` for a shape that reads z, if no ``z`` is
        given. The first frame decides which.

    Raises
    ------
    OptionError, ArgumentTypeError
        For an invalid argument, frames of different sizes, a format that cannot hold them, and
        options for what is no shape.
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
    timing = Timing(frames, _lasting(frames) if seconds is None else seconds, format_of(name))
    _check_takes_time(f)
    check_progress(progress)
    draw, pictures = _Artist(shape, options), back_in_default_environment(f)
    check_writable(name)
    with reporting(progress, "drawing") as report, Film(timing, draw.max_memory) as film:
        n = timing.frames
        film.make((draw(i, pictures(i / n)) for i in range(n)), name, report)


def _lasting(frames: Any) -> float:
    """The seconds of so many frames; what is no number of frames is told by ``Timing``."""
    return frames / RATE if isinstance(frames, int) and 0 < frames < MOST_FRAMES else 1.0


def _check_takes_time(f: Any) -> None:
    """Raise ArgumentTypeError for what is not called with one number."""
    takes = callable(f)
    if takes:
        try:
            signature(f).bind(0.0)
        except ValueError:  # a built-in function has no signature
            return
        except TypeError:
            takes = False
    if not takes:
        raise ArgumentTypeError(f"f={brief(f)}: give a function of t, from 0 to 1")


class _Artist:
    """Draws what a function of time returns; its options are checked as far as they can be."""

    def __init__(self, shape: TapeLike | None, options: dict[str, Any]) -> None:
        self._shape, self._options = shape, options
        for name in options:
            if name not in OF_PLANE | OF_SOLID:
                raise ArgumentTypeError(unknown("animate", name, sorted(OF_PLANE | OF_SOLID)))
        planar, solid = (
            next((name for name in options if name in own - others), None)
            for own, others in ((OF_PLANE, OF_SOLID), (OF_SOLID, OF_PLANE))
        )
        if planar and solid:
            raise OptionError(
                f"{planar} is about pictures of the plane, and {solid} about pictures of solids: "
                "leave one of them out"
            )
        self._is_solid: bool | None = bool(solid) if planar or solid else None
        self.max_memory = options.get("max_memory")
        if shape is not None:
            self._settle(0, shape)
            if not self._is_solid:
                self._renderer = Renderer(shape, **options)

    def __call__(self, i: int, found: Any) -> Any:
        """The pixels of frame ``i``."""
        if isinstance(found, Mapping):
            return self._of_variables(i, found).shown
        if isinstance(found, Picture):
            return self._bare(i, "a picture", found.shown)
        if hasattr(found, "__array__") and not hasattr(found, "tape"):
            return self._bare(i, "an array", found)
        try:
            as_tape(found)
        except ArgumentTypeError as error:
            raise ArgumentTypeError(
                f"frame {i} is {brief(found)}: f returns a shape, a picture, an array of uint8, or "
                "a dict of variables"
            ) from error
        self._settle(i, found)
        return (render3d if self._is_solid else render)(found, **self._options).shown

    def _of_variables(self, i: int, found: Mapping[str, Any]) -> Picture:
        if self._shape is None:
            raise ArgumentTypeError(
                f"frame {i} is variables, {brief(dict(found))}: give shape= the shape that they "
                "are of"
            )
        variables = {**(self._options.get("variables") or {}), **found}
        if self._is_solid:
            return render3d(self._shape, **self._options | {"variables": variables})
        return self._renderer.render(variables=variables)

    def _bare(self, i: int, what: str, pixels: Any) -> Any:
        """Pixels as they are, to which options would do nothing."""
        if self._options:
            raise OptionError(
                f"frame {i} is {what}, to which {next(iter(self._options))} does nothing: draw it "
                "with the options, or return the shape"
            )
        return pixels

    def _settle(self, i: int, shape: TapeLike) -> None:
        """Decide with the first shape whether frames are of solids."""
        reads_z = "z" in reads(as_tape(shape))
        if self._is_solid is None:
            self._is_solid = reads_z
        elif reads_z and not self._is_solid and "z" not in self._options:
            raise OptionError(
                f"frame {i} reads z, and frames before it are of the plane: give z=0.0 for slices, "
                "or view=View() for solids"
            )
