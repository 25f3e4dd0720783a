"""``Image``: the pixels of a picture of the plane, their region and samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.hints import IMAGE
from intervalvm.jit.layout import UNPROVEN
from intervalvm.late import cached_property
from intervalvm.raster import formats, palettes
from intervalvm.raster.look import PLAIN, Look
from intervalvm.raster.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from intervalvm.colours import Colour
    from intervalvm.raster import grid
    from intervalvm.raster.region import Crop, Region
    from intervalvm.raster.stats import Stats
    from intervalvm.words import MapKind, MapPer, Mode, Prove


@dataclass(frozen=True, eq=False, repr=False)
class Image(Picture):
    """A picture of the plane: pixels and their region. NumPy reads it, and a notebook shows it.

    Attributes
    ----------
    region : Region
        The rectangle that the pixels cover.
    crop : (int, int, int, int) or None
        The pixels (left, top, right, bottom) of a larger picture.
    antialias : int
        A pixel's samples each way; with more than one, ``pixels`` are their coverage.
    prove : {None, "point", "area"}
        What is proven of each pixel: unproven ones are 128.
    """

    _pixels: Any
    region: Region
    _stats: Stats | Callable[[], Stats]
    _samples: grid.Axes
    _edges: grid.Axes | None = None
    prove: Prove | None = None
    crop: Crop | None = None
    antialias: int = 1
    _look: Look = PLAIN
    _colours_of: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None
    _maps: Callable[[MapKind, MapPer], NDArray[np.int32]] | None = None

    _kind: ClassVar[str] = "an Image"
    _guesses: ClassVar[Mapping[str, str]] = IMAGE
    _writers: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = formats.FORMATS

    @cached_property
    def pixels(self) -> NDArray[Any]:
        """uint8[height, width], 255 inside and 0 outside, or floats with ``mode="value"``.

        With ``antialias`` a pixel is the rounded mean of its samples, each 255 or 0. The top row
        comes first. They are copied from a GPU on first access.
        """
        found: NDArray[Any] = self._pixels if self.device_pixels is None else self._pixels.get()
        return found

    @cached_property
    @in_default_environment
    def colours(self) -> NDArray[np.uint8] | None:
        """uint8[height, width, 3], the colour of the part that shows, by ``Shape.paint``.

        Parts without a colour have that of the ink, pixels outside are black, unproven ones 128
        grey. With ``antialias`` they are the rounded mean of the samples inside. None if the shape
        is not painted. They are computed on first access, by the pixels then.
        """
        return None if self._colours_of is None else self._colours_of(self.bitmap())

    @cached_property
    @in_default_environment
    def shown(self) -> NDArray[np.uint8]:
        """uint8[height, width, 3], or 4 with alpha on transparent paper: what a file and a screen
        show.

        Ink or the colours of the parts inside, paper outside; unproven pixels are halfway between
        ink and paper. They are computed on first access, by the pixels then.
        """
        inside, table = self.bitmap(), self._look.table()
        if self.colours is None:
            shown: NDArray[np.uint8] = table[inside]
            return shown
        found = self._look.blended(self.colours, inside)
        if self.prove is not None:
            unproven = inside == UNPROVEN
            found[unproven] = table[UNPROVEN]
        return found

    def _indexed(self) -> formats.Indexed | None:
        if self._colours_of is not None or self.colours is not None:
            return None
        return formats.Indexed(self.bitmap(), self._look.table(), self._levels is None)

    @property
    def _levels(self) -> str | None:
        return formats.levels(proven=self.prove is not None, antialias=self.antialias)

    @property
    def device_pixels(self) -> Any:
        """The CuPy array of the pixels if a GPU drew them, else None."""
        return None if isinstance(self._pixels, np.ndarray) else self._pixels

    @cached_property
    def stats(self) -> Stats:
        """Times and counts of the rendering."""
        return self._stats() if callable(self._stats) else self._stats

    def samples(self) -> grid.Axes:
        """The x of columns and y of rows, top first, in the dtype of the arithmetic: of samples, of
        which a pixel has ``antialias`` each way."""
        return self._samples

    def edges(self) -> grid.Axes:
        """The boundaries of the pixels' areas. Raises OptionError unless ``prove`` is "area"."""
        if self._edges is None:
            raise OptionError("the image proves nothing of areas: render with prove='area'")
        return self._edges

    @in_default_environment
    def map(self, kind: MapKind = "clauses", per: MapPer = "tile") -> NDArray[np.int32]:
        """What pruning found out about each tile of the quadtree, the top row first.

        The picture is walked once more when a map is first asked for.

        Parameters
        ----------
        kind : {"clauses", "verdict", "level"}
            The clauses left in a tile that was evaluated point by point, 0 in a proven one; 255
            inside, 0 outside, 128 ambiguous; or the level at which it was decided, the leaves' for
            an ambiguous one.
        per : {"tile", "pixel"}
            int32[n, n] of the n = 2**depth smallest tiles a side, or int32[height, width]. Tile k
            of a side has pixels from k*width//n on; one without a pixel is -1.

        Returns
        -------
        array of int32

        Raises
        ------
        OptionError
            For another word, an engine without tiles, and an image from a pickle.
        DoesNotFit
            If the options' ``max_memory`` is not enough.
        """
        if self._maps is None:
            raise OptionError("an image from a pickle has no maps: render it here")
        return self._maps(kind, per)

    @in_default_environment
    def plot(self, ax: Axes | None = None, *, what: str = "picture") -> Axes:
        """Draw the image by matplotlib, with axes in the coordinates of its region.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default the current axes of pyplot.
        what : {"picture", "clauses", "pruning"}
            The picture, of ``mode="value"`` with a bar of the values; the clauses left in each tile
            that was evaluated, with a bar; or how each pixel was decided, with the borders of tiles
            and a legend.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        OptionError
            For another word, and as ``map`` does.
        BackendError
            Without matplotlib, of the extra ``plot``.
        """
        from intervalvm.raster import plots

        return plots.plot(self, ax, what)

    def __getstate__(self) -> dict[str, Any]:
        known = {"_pixels": self.pixels, "_stats": self.stats, "colours": self.colours}
        found = vars(self) | known | {"_colours_of": None, "_maps": None}
        found.pop("shown", None)  # which is quickly found again
        return found

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self._pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self._pixels.shape[0])

    @property
    def is_bitmap(self) -> bool:
        """Whether the mode is "bitmap"."""
        return bool(self._pixels.dtype == np.uint8)

    @property
    def mode(self) -> Mode:
        """The mode, "bitmap" or "value"."""
        return "bitmap" if self.is_bitmap else "value"

    @in_default_environment
    def __repr__(self) -> str:
        proven = "" if self.prove is None else f" proven over each {self.prove}"
        n = self.antialias
        smooth = f", {n}x{n} samples a pixel" if n > 1 else ""
        return f"<Image {self.width}x{self.height}, {self.mode}{smooth}{proven}, {self.region}>"

    @in_default_environment
    def bitmap(self) -> NDArray[np.uint8]:
        """uint8[height, width]: ``pixels`` of a bitmap, else 255 where the value is below 0."""
        if self.is_bitmap:
            return self.pixels
        return np.where(self.pixels < 0, np.uint8(255), np.uint8(0))

    @in_default_environment
    def coloured(
        self,
        palette: str | Sequence[Colour] = "distance",
        *,
        isolines: float | None = None,
        limits: tuple[float, float] | None = None,
    ) -> Picture:
        """A picture of the values, which an image of ``mode="value"`` has.

        NaN is magenta, inf is lime and -inf is cyan. Lines are as wide on steep fields as on flat
        ones; where they are nearer to each other than 3 pixels they are left out.

        Parameters
        ----------
        palette : str or sequence of colour
            "distance", with blue for values below 0 and orange for others, each darker away from 0;
            "sea", "heat" or "grey", from the least value to the greatest; or 2 to 64 colours.
        isolines : float, optional
            Dark lines where the value is a multiple of it; that at 0 is the strongest.
        limits : (float, float), optional
            The values at the ends of the palette; beyond them its ends are shown. By default the
            least and the greatest finite value, and for "distance" plus and minus the one further
            from 0.

        Returns
        -------
        Picture

        Raises
        ------
        OptionError, ArgumentTypeError
            For a bitmap, and an invalid argument.
        """
        if self.is_bitmap:
            raise OptionError("a bitmap has no values to colour: render with mode='value'")
        chosen, spacing = palettes.palette_of(palette), palettes.spacing_of(isolines)
        ends = palettes.limits_of(limits, self.pixels, around_0=chosen.diverges)
        return Picture(palettes.coloured(self.pixels, chosen, spacing, ends))

    @property
    def _has_alpha(self) -> bool:
        return self._look.paper is None

    def _check_holds(self, format: str) -> None:
        transparent = self._has_alpha
        formats.check_holds(
            format, self.width, self.height, levels=self._levels, transparent=transparent
        )
