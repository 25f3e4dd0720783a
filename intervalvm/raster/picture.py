"""``Picture``: what all pictures have, colours that are shown, written and laid over each other."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import numpy as np

from intervalvm import notebooks
from intervalvm.arguments import brief
from intervalvm.aside import aside
from intervalvm.colours import colour
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, BackendError, OptionError
from intervalvm.files import check_path, write_atomically
from intervalvm.hints import PICTURE, lacks
from intervalvm.late import cached_property
from intervalvm.raster import formats
from intervalvm.suffixes import format_of, format_of_stream, pour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage


class Picture:
    """A picture: red, green and blue, and perhaps alpha. NumPy reads it, and a notebook shows it.

    ``Image`` and ``SolidImage`` are pictures, and so is what is made of them.

    Parameters
    ----------
    shown : uint8[height, width, 3] or uint8[height, width, 4] or uint8[height, width]
        Red, green and blue, with alpha, or greys: an array, or a picture of Pillow's.

    Raises
    ------
    ArgumentTypeError
        For another array.
    """

    _kind: ClassVar[str] = "a Picture"
    _guesses: ClassVar[Mapping[str, str]] = PICTURE
    _writers: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = formats.COLOURS

    @in_default_environment
    def __init__(self, shown: Any) -> None:
        self._shown = _checked(shown)

    @cached_property
    def shown(self) -> NDArray[np.uint8]:
        """uint8[height, width, 3], or 4 with alpha: what a file and a screen show."""
        return self._shown

    @property
    def pixels(self) -> NDArray[Any]:
        """What NumPy reads."""
        return self.shown

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.shown.shape[1])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.shown.shape[0])

    def __repr__(self) -> str:
        return f"<Picture {self.width}x{self.height}{', with alpha' if self._has_alpha else ''}>"

    if not TYPE_CHECKING:  # mypy would accept every name

        def __getattr__(self, name):
            return lacks(self, self._kind, name, self._guesses)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.pixels, dtype=dtype, copy=copy)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.write(stream, "png")
        return stream.getvalue()

    @in_default_environment
    def save(self, path: Any, format: str | None = None) -> None:
        """Write a picture, which replaces the file as a whole or leaves it unchanged.

        PNG, WebP, TIFF and PPM keep every pixel, JPEG (quality 92, colours at full resolution)
        nearly so. PPM and JPEG have no alpha. An ``Image`` also has .pgm and .pbm, which hold what
        is inside, and .npy, which holds ``pixels``; of ``mode="value"`` .tif holds the values too,
        as float32. A ``SolidImage`` has .npy, which holds ``depth``.

        Parameters
        ----------
        path : str, path-like or binary stream
            A stream is written in place.
        format : str, optional
            One of png, jpg, jpeg, webp, tif, tiff, ppm, and of an ``Image`` pgm, pbm; of it and a
            ``SolidImage`` npy. By default the suffix of ``path``.

        Raises
        ------
        OptionError
            For an unknown format, or one that cannot hold the size, transparency, or unproven
            pixels.
        FileError
            If the file cannot be written.
        """
        if hasattr(path, "write"):
            self.write(path, format_of_stream(path, format, self._writers))
            return
        name = check_path(path)
        chosen = format_of(name, format, self._writers)
        self._check_holds(chosen)
        write_atomically(name, lambda stream: self.write(stream, chosen))

    @in_default_environment
    def write(self, stream: BinaryIO, format: str = "png") -> None:
        """Write the picture to a binary stream, such as ``io.BytesIO()``."""
        if not hasattr(stream, "write"):
            raise ArgumentTypeError(f"stream={brief(stream)}: give a file that is open for bytes")
        chosen = format_of("", format, self._writers)
        self._check_holds(chosen)
        # Pillow compresses a picture in one call, for which an interrupt would wait
        aside(lambda: pour(stream, partial(self._writers[chosen], self)))

    def to_pil(self) -> PillowImage:
        """The picture as Pillow's, in mode "RGB", or "RGBA" with alpha."""
        from PIL import Image

        return Image.fromarray(self.shown)

    @in_default_environment
    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the picture by matplotlib, without axes, as a part of a figure.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default the current axes of pyplot.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        BackendError
            Without matplotlib, of the extra ``plot``.
        """
        from intervalvm.raster import plots

        drawn = plots.axes(ax)
        drawn.imshow(self.shown)
        drawn.set_axis_off()
        return drawn

    @in_default_environment
    def show(self) -> None:
        """Show the picture: in a notebook below the cell, elsewhere in the system's viewer.

        Raises
        ------
        BackendError
            If there is neither: save the picture instead.
        """
        if ipython := notebooks.jupyter():
            ipython.display.display(self)
        elif marimo := notebooks.marimo():
            marimo.output.append(self)
        else:
            _view(self.to_pil())

    @in_default_environment
    def over(self, below: Any) -> Picture:
        """This picture as the upper layer: where it is transparent, ``below`` shows.

        Colours are blended as bytes, as SVG viewers and browsers do.

        Parameters
        ----------
        below : Picture, array or colour
            Of the same size; an array as ``Picture`` takes it.

        Raises
        ------
        OptionError, ArgumentTypeError
            For another size, and for what is no picture and no colour.
        """
        from PIL import Image

        under = self._filled(below) if _is_colour(below) else _checked(below)
        if under.shape[:2] != (self.height, self.width):
            height, width = under.shape[:2]
            raise OptionError(
                f"the picture below has {width}x{height} pixels, the one above "
                f"{self.width}x{self.height}: draw both at one size"
            )
        if not self._has_alpha:
            return Picture(self.shown)
        both = [Image.fromarray(part).convert("RGBA") for part in (under, self.shown)]
        mixed = np.asarray(Image.alpha_composite(*both))
        return Picture(mixed if under.shape[2] == 4 else np.ascontiguousarray(mixed[..., :3]))

    def _filled(self, fill: Any) -> NDArray[np.uint8]:
        """One colour, as large as this picture."""
        return np.full((self.height, self.width, 3), colour(fill, "below"), np.uint8)

    @property
    def _has_alpha(self) -> bool:
        return bool(self.shown.shape[2] == 4)

    def _check_holds(self, format: str) -> None:
        """Raise OptionError if a format cannot hold the picture."""
        formats.check_holds(format, self.width, self.height, transparent=self._has_alpha)

    def _indexed(self) -> formats.Indexed | None:
        """The same picture as numbers and the colours of these, if it has few by the way it is
        made."""
        return None


def _is_colour(value: Any) -> bool:
    """Whether a layer is a colour: text, or as many parts as a colour has."""
    return isinstance(value, (str, tuple, list)) and (isinstance(value, str) or len(value) == 3)


def _checked(value: Any) -> NDArray[np.uint8]:
    """The colours of a picture or an array, with three or four channels."""
    if isinstance(value, Picture):
        return value.shown
    try:
        found: NDArray[Any] = np.asarray(value)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.dtype == np.uint8 and found.ndim == 2 and found.size:
        found = np.repeat(found[..., None], 3, axis=2)
    if found.dtype != np.uint8 or found.ndim != 3 or found.shape[2] not in (3, 4) or not found.size:
        raise ArgumentTypeError(
            f"{brief(value)} is no picture: give one, or an array uint8[height, width, 3], "
            "or 4 with alpha"
        )
    return found


def _view(picture: PillowImage) -> None:
    """Open the system's viewer. Raises BackendError if there is none."""
    from PIL import ImageShow

    has_screen = os.name != "posix" or sys.platform == "darwin"
    has_screen = has_screen or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    # Pillow counts IPython as a viewer where it is installed, and not only where it runs
    viewers = [v for v in ImageShow._viewers if not isinstance(v, ImageShow.IPythonViewer)]
    if not has_screen or not viewers or not ImageShow.show(picture):
        what = "no program that shows pictures" if has_screen else "no screen"
        raise BackendError(f"there is {what} here: save it instead, as by .save('picture.png')")
