"""``save`` and ``shape.save``: a shape as a file, of the kind that the suffix names.

Each kind of file has a table of suffixes in the module that writes it; here they are one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from intervalvm.api.bounding import bounding_box
from intervalvm.api.contour import contour
from intervalvm.api.mesh import mesh
from intervalvm.api.render import render
from intervalvm.api.render3d import render3d
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.evaluate.points import reads
from intervalvm.expr import TapeLike, as_tape
from intervalvm.files import check_path, check_writable
from intervalvm.formats import write
from intervalvm.meshes.formats import FORMATS as MESHES
from intervalvm.meshes.mesh import Mesh
from intervalvm.outlines.outline import Outline
from intervalvm.outlines.saving import FORMATS as OUTLINES
from intervalvm.raster.formats import COLOURS
from intervalvm.raster.formats import FORMATS as PICTURES
from intervalvm.raster.image import Image
from intervalvm.raster.picture import Picture
from intervalvm.raster.region import Region
from intervalvm.suffixes import format_of, format_of_stream
from intervalvm.voxel.solid import SOLID_FORMATS
from intervalvm.voxel.view import View

MARGIN = 0.04
"""That of a picture of a shape as a whole, as a share of its size, on each side."""
COLOURING = signature(Image.coloured).parameters.keys() - {"self"}
"""Options that make a picture one of values."""
Options = dict[str, Any]
Save = Callable[[TapeLike, Any, str, Options], None]


@in_default_environment
def save(shape: TapeLike, path: Any, format: str | None = None, **options: Any) -> None:
    """Write a shape as a tape, a picture, an outline or a mesh: the suffix chooses.

    ``shape.save(path)`` is the same. The file is replaced as a whole or left unchanged.

    ================================  ===========================================================
    suffix                            what is written, and by what options
    ================================  ===========================================================
    .vm                               the tape as text: ``dialect``, "intervalvm" or "fidget",
                                      which has the operations alone that Fidget reads. It holds
                                      no colours.
    .png .jpg .jpeg .webp .tif .tiff  a picture: those of ``render``; of a shape that reads z, if
    .ppm .pgm .pbm .npy               no ``z`` is given, those of ``render3d``. By default it shows
                                      -1 to 1, and all of a shape that is proven to be larger.
                                      With ``palette``, ``isolines`` or ``limits`` it shows the
                                      values, as ``Image.coloured`` does.
    .svg .dxf .geojson                the outline: those of ``contour`` and ``Outline.save``
    .stl .ply .obj .glb .3mf          the surface: those of ``mesh`` and ``Mesh.save``
    ================================  ===========================================================

    Parameters
    ----------
    shape : Tape, Expr or Shape
    path : str, path-like or binary stream
        A stream is written in place.
    format : str, optional
        One of the suffixes; by default that of ``path``.
    **options
        Those of the calls in the table.

    Raises
    ------
    OptionError
        For a suffix that names no format.
    FileError
        If the file cannot be written.
    IntervalvmError
        As the calls in the table do.
    """
    if hasattr(path, "write"):
        chosen = format_of_stream(path, format, SAVES)
    else:
        chosen = format_of(check_path(path), format, SAVES)
        check_writable(path)
    SAVES[chosen](shape, path, chosen, options)


def _save_tape(shape: TapeLike, path: Any, _format: str, options: Options) -> None:
    write.save(shape, path, **options)


def _save_picture(shape: TapeLike, path: Any, format: str, options: Options) -> None:
    if _is_solid(shape, options):
        format_of("", format, SOLID_FORMATS)  # not only after the work
    elif COLOURING & options.keys():
        format_of("", format, COLOURS)
    _picture(shape, options).save(path, format)


@in_default_environment
def show(shape: TapeLike, **options: Any) -> None:
    """Show the picture that ``save`` writes: ``shape.show()``."""
    _picture(shape, options).show()


def _is_solid(shape: TapeLike, options: Options) -> bool:
    """Whether a picture is of a solid, not of a slice."""
    return "z" not in options and "z" in reads(as_tape(shape))


def _picture(shape: TapeLike, options: Options) -> Picture:
    """The picture of a shape as a whole."""
    if _is_solid(shape, options):
        if "view" not in options and (box := _beyond(shape, options)):
            options = {**options, "view": View.fit(box)}
        return render3d(shape, **options)
    if "region" not in options and (box := _beyond(shape, options, z=options.get("z", 0.0))):
        region = Region(_wider(box[0]), _wider(box[1]), square_pixels=True)
        options = {**options, "region": region}
    colouring = {name: value for name, value in options.items() if name in COLOURING}
    if not colouring:
        return render(shape, **options)
    drawing: Options = {"mode": "value"} | {
        name: value for name, value in options.items() if name not in COLOURING
    }
    return render(shape, **drawing).coloured(**colouring)


def _beyond(shape: TapeLike, options: Options, z: float | None = None) -> Any:
    """The box of a shape that does not lie within -1 to 1, which pictures show; None for others."""
    try:
        box = bounding_box(shape, z=z, variables=options.get("variables"))
    except OptionError:  # it may have no ends
        return None
    return box if box and any(low < -1.0 or high > 1.0 for low, high in box) else None


def _wider(side: tuple[float, float]) -> tuple[float, float]:
    """A side with a margin."""
    low, high = side
    margin = MARGIN * (high - low)
    return low - margin, high + margin


def _save_outline(shape: TapeLike, path: Any, format: str, options: Options) -> None:
    making, saving = _divided(options, Outline.save)
    contour(shape, **making).save(path, format, **saving)


def _save_mesh(shape: TapeLike, path: Any, format: str, options: Options) -> None:
    making, saving = _divided(options, Mesh.save)
    mesh(shape, **making).save(path, format, **saving)


def _divided(options: Options, saves: Callable[..., None]) -> tuple[Options, Options]:
    """The options without those of a method that saves, and these."""
    own = {name for name, p in signature(saves).parameters.items() if p.kind is p.KEYWORD_ONLY}
    given = options.items()
    return {k: v for k, v in given if k not in own}, {k: v for k, v in given if k in own}


SAVES: Mapping[str, Save] = {
    write.SUFFIX: _save_tape,
    **dict.fromkeys(PICTURES, _save_picture),
    **dict.fromkeys(OUTLINES, _save_outline),
    **dict.fromkeys(MESHES, _save_mesh),
}
"""All suffixes."""
