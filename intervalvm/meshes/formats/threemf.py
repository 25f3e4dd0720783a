"""3MF: a ZIP archive of XML, with units and a colour for each triangle.

Its readers hold float32, so nine digits are written. All dates are 1980, so that the same mesh
gives the same bytes. Source: the 3MF Core Specification 1.3 of the 3MF Consortium.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from intervalvm.meshes.formats.blocks import write_rows
from intervalvm.meshes.formats.palette import hexadecimal, palette
from intervalvm.meshes.formats.singles import Singles, singles
from intervalvm.words import SolidUnit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intervalvm.meshes.mesh import Mesh

MODEL = "3D/3dmodel.model"
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
CORE = "http://schemas.microsoft.com/3dmanufacturing"
TYPES = f"""{XML}<Types xmlns="{PACKAGE}/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/>
</Types>
"""
RELATIONS = f"""{XML}<Relationships xmlns="{PACKAGE}/relationships">
<Relationship Target="/{MODEL}" Id="model" Type="{CORE}/2013/01/3dmodel"/>
</Relationships>
"""
UNITS: dict[SolidUnit, str] = {
    "um": "micron", "mm": "millimeter", "cm": "centimeter", "m": "meter", "in": "inch",
    "ft": "foot",
}  # fmt: skip
LEVEL = 1
"""Of compression, the quickest."""
BASE = '<base name="{0}" displaycolor="#{0}"/>'
TRIANGLE = '<triangle v1="%d" v2="%d" v3="%d"'
LARGE = 1 << 24
"""Triangles whose text may pass 2 GiB, beyond which an archive needs wider offsets."""


def write(mesh: Mesh, stream: BinaryIO, unit: SolidUnit) -> None:
    """Write a mesh. Raises OptionError if float32 cannot hold it."""
    found = singles(mesh)
    colours = mesh.colours
    if colours is not None and found.kept is not None:
        colours = colours[found.kept]
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, text in (("[Content_Types].xml", TYPES), ("_rels/.rels", RELATIONS)):
            # not by writestr, which dates an entry by the clock
            with archive.open(name, "w") as part:
                part.write(text.encode("ascii"))
        with archive.open(MODEL, "w", force_zip64=len(found.triangles) > LARGE) as model:
            _write_model(found, colours, model, UNITS[unit])


def _write_model(found: Singles, colours: NDArray[np.uint8] | None, stream: Any, unit: str) -> None:
    """Write the XML of one object, and of an item that is built from it."""

    def say(text: str) -> None:
        stream.write(text.encode("ascii"))

    say(f'{XML}<model unit="{unit}" xml:lang="en-US" xmlns="{CORE}/core/2015/02">\n')
    say('<metadata name="Application">intervalvm</metadata>\n<resources>\n')
    rows, form = found.triangles, TRIANGLE + "/>\n"
    if colours is None:
        say('<object id="2" type="model"><mesh>\n<vertices>\n')
    else:
        named, colour_of = palette(colours)
        bases = (BASE.format(hexadecimal(rgb)) for rgb in named)
        say("\n".join(['<basematerials id="1">', *bases, "</basematerials>\n"]))
        say('<object id="2" type="model" pid="1" pindex="0"><mesh>\n<vertices>\n')
        rows = np.column_stack([rows, colour_of])
        form = TRIANGLE + ' pid="1" p1="%d"/>\n'
    write_rows(stream, '<vertex x="%.9g" y="%.9g" z="%.9g"/>\n', found.vertices)
    say("</vertices>\n<triangles>\n")
    write_rows(stream, form, rows)
    say("</triangles>\n</mesh></object>\n</resources>\n")
    say('<build><item objectid="2"/></build>\n</model>\n')
