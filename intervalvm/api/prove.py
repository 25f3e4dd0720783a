"""``prove``: from a tape, a region and a resolution to a ``Proof``.

It follows from an image proven over the pixels' areas, and holds for the real function that the
tape defines. Points where the function is undefined are outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.api.render import render
from intervalvm.arguments import bounds_text, brief, real
from intervalvm.cells.measure import rounded_up
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.expr import TapeLike, as_tape, settings_for
from intervalvm.jit.layout import INSIDE, OUTSIDE
from intervalvm.memory import Amount, as_bytes, require
from intervalvm.proof.cells import Cells, Ends, banded, bytes_beside
from intervalvm.raster.region import Region, RegionLike, as_region, check_size
from intervalvm.words import Backend, Engine

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from intervalvm.proof.cells import ProvenBox
    from intervalvm.raster.image import Image
    from intervalvm.tape import Tape

GRID = "center"
"""Samples are inside the cells, so that one may be proven where its cell is not."""
Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Proof:
    """What is proven of a shape in a region. It prints in two lines.

    Attributes
    ----------
    verdict : str
        "empty" (no point of the region is inside), "full" (every point is), "crossed" (some are),
        or "undecided" (none of these is proven at this resolution).
    region : Region
    area : (float, float)
        Bounds on the area inside.
    bounds : ((float, float), (float, float)) or None
        A box that holds every point inside; None if the region is empty.
    inside_at, outside_at : (float, float) or None
        Points proven inside and outside, if one was found.
    image : Image
        The verdict of each cell.
    tape : Tape
    z : float
    variables : dict of str to float
    """

    verdict: str
    region: Region
    area: tuple[float, float]
    bounds: tuple[Ends, Ends] | None
    inside_at: Point | None
    outside_at: Point | None
    image: Image
    tape: Tape
    z: float
    variables: dict[str, float]

    @property
    def boxes(self) -> Iterator[ProvenBox]:
        """The cells of a quadtree that cover the region, each with one verdict."""
        return Cells.of(self.image).boxes()

    @in_default_environment
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a certificate, boxes and bounds as JSON lines. Raises FileError.

        ``tools/check_certificate.py`` checks it against the tape as ``intervalvm.save`` writes it.
        """
        from intervalvm.proof.certificate import Subject, write_certificate

        subject = Subject.of_tape(self.tape, self.z, self.variables)
        write_certificate(path, self.image, subject)

    @in_default_environment
    def __repr__(self) -> str:
        return f"<Proof {str(self).splitlines()[0]}>"

    @in_default_environment
    def __str__(self) -> str:
        """Bounds are rounded outwards; the region is printed with all digits."""
        (x0, x1), (y0, y1) = (map(Fraction, side) for side in (self.region.x, self.region.y))
        least, most = bounds_text(*self.area)
        _, whole = bounds_text(0.0, rounded_up((x1 - x0) * (y1 - y0)))
        where = "nowhere" if self.bounds is None else f"in {_text(self.bounds, bounds_text)}"
        region = _text((self.region.x, self.region.y), _with_all_digits)
        return (
            f"{self.verdict}: {region}, {self.image.width}x{self.image.height} cells\n"
            f"inside: area {least} to {most} of {whole}, {where}"
        )


def _text(box: tuple[Ends, Ends], shown: Callable[[float, float], tuple[str, str]]) -> str:
    """A box as ``x 0..1, y 0..1``, with ends printed by ``shown``."""
    return f"x {'..'.join(shown(*box[0]))}, y {'..'.join(shown(*box[1]))}"


def _with_all_digits(low: float, high: float) -> tuple[str, str]:
    return repr(low).removesuffix(".0"), repr(high).removesuffix(".0")


@in_default_environment
def prove(
    tape: TapeLike,
    *,
    region: RegionLike | None = None,
    resolution: int | tuple[int, int] = 256,
    tolerance: float | None = None,
    max_resolution: int = 8192,
    z: float = 0.0,
    variables: Mapping[str, float] | None = None,
    dtype: Any = "float64",
    engine: Engine = "pruned",
    backend: Backend | None = None,
    threads: int | None = None,
    max_memory: Amount | None = None,
) -> Proof:
    """Prove where the real function of a tape is below 0 in a region.

    Parameters
    ----------
    tape : Tape, Expr or Shape
    region : Region or four floats, optional
        By default -1..1 in x and y.
    resolution : int or (int, int)
        Cells a side, or (columns, rows); the region is fitted to their shape.
    tolerance : float, optional
        Double the resolution until the bounds of the area are this close.
    max_resolution : int
        The most cells a side that ``tolerance`` leads to.
    z, variables, dtype, engine, backend, threads, max_memory
        As for ``render``; in float32 the region's ends are rounded outwards.

    Returns
    -------
    Proof

    Raises
    ------
    IntervalvmError
        As ``render`` does.
    """
    if tolerance is not None and not real("tolerance", tolerance) >= 0:
        raise OptionError(f"the tolerance is {brief(tolerance)}: give an area, from 0")
    check_size(max_resolution, "max_resolution")
    size = check_size(resolution, "resolution")
    most = None if max_memory is None else as_bytes("max_memory", max_memory)
    shape, settings = as_tape(tape), settings_for(tape, variables)
    options: dict[str, Any] = {
        "region": as_region(region) or Region.square(),
        "grid": GRID,
        "z": z,
        "variables": settings,
        "dtype": "float64" if dtype is None else dtype,
        "engine": engine,
        "backend": backend,
        "threads": threads,
        "max_memory": most,
    }
    while True:
        width, height = size
        needed = 2 * width * height + bytes_beside(width, height, lists=False)  # and of samples
        lower = "resolution" if tolerance is None else "max_resolution"
        require(needed, f"a proof of {width}x{height} cells", f"give a lower {lower}", most)
        image = render(shape, size=size, prove="area", **options)
        cells = Cells.of(image)
        area = cells.area()
        if tolerance is None or area[1] - area[0] <= tolerance or 2 * max(size) > max_resolution:
            break
        size = 2 * size[0], 2 * size[1]
    image.pixels.flags.writeable = False  # from which the proof's boxes are computed later
    counts = cells.counts()
    inside, outside = (_first(image, pixel) for pixel in (INSIDE, OUTSIDE))
    if counts["unproven"] and None in (inside, outside):
        if most is not None:
            options["max_memory"] = most - image.pixels.nbytes
        samples = render(shape, size=size, prove="point", **options)
        inside = inside or _first(samples, INSIDE)
        outside = outside or _first(samples, OUTSIDE)
    given = zip(shape.variables, shape.settings(settings), strict=True)
    return Proof(
        _verdict(counts, inside, outside),
        cells.region,
        area,
        cells.bounds(),
        inside,
        outside,
        image,
        shape,
        real("z", z),
        {name: real(name, value) for name, value in given},
    )


def _verdict(counts: dict[str, int], inside: Point | None, outside: Point | None) -> str:
    if not counts["inside"] and not counts["unproven"]:
        return "empty"
    if not counts["outside"] and not counts["unproven"]:
        return "full"
    return "crossed" if inside and outside else "undecided"


def _first(image: Image, pixel: np.uint8) -> Point | None:
    """The sample of the first pixel of a verdict: it lies in the pixel's area."""
    for top, band in banded(image.pixels):
        found = band == pixel
        if found.any():
            row, column = divmod(int(np.argmax(found)), image.width)
            x, y = image.samples()
            return float(x[column]), float(y[top + row])
    return None
