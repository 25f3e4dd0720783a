"""GLB, the binary form of glTF 2.0: for looking at, in metres and with y up.

A point (x, y, z) of the shape is (x, z, -y) times the unit. Each colour is a material and a
primitive, and all share their vertices. Vertices on creases are there once for each normal.
Source: the glTF 2.0 specification of the Khronos Group.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from intervalvm.errors import OptionError
from intervalvm.meshes.formats.blocks import blocks
from intervalvm.meshes.formats.creases import corner_normals
from intervalvm.meshes.formats.palette import hexadecimal, palette
from intervalvm.meshes.formats.singles import singles
from intervalvm.units import MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intervalvm.meshes.mesh import Mesh
    from intervalvm.words import SolidUnit

MAGIC, VERSION, JSON, BIN = 0x46546C67, 2, 0x4E4F534A, 0x004E4942
FLOAT, UINT32 = 5126, 5125
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
MOST_BYTES = (1 << 32) - 1
GREY = (200, 200, 200)
"""Of a mesh without colours: without a material it would look like polished metal."""


def write(mesh: Mesh, stream: BinaryIO, unit: SolidUnit) -> None:
    """Write a mesh. Raises OptionError if float32 or 4 GiB cannot hold it."""
    vertices, triangles, owners, kept = singles(mesh, MM[unit] / 1000)
    normals = mesh.normals if owners is None else mesh.normals[owners]
    corners = corner_normals(vertices, triangles, normals)
    colours = mesh.colours if kept is None or mesh.colours is None else mesh.colours[kept]
    named, colour_of = ([GREY], None) if colours is None else palette(colours)
    arrays: list[NDArray[Any]] = [_y_up(vertices)[corners.owners], _unit(_y_up(corners.normals))]
    for i in range(len(named)):
        arrays.append(
            corners.of_corners if colour_of is None else corners.of_corners[colour_of == i]
        )
    text = _padded(json.dumps(_scene(arrays, named), separators=(",", ":")).encode("ascii"))
    size = sum(array.nbytes for array in arrays)
    total = 12 + 8 + len(text) + 8 + size
    if total > MOST_BYTES:
        raise OptionError(f"a .glb holds less than 4 GiB, not {total} bytes: save .ply or .stl")
    stream.write(struct.pack("<III", MAGIC, VERSION, total))
    stream.write(struct.pack("<II", len(text), JSON) + text)
    stream.write(struct.pack("<II", size, BIN))  # each array is a multiple of four bytes
    for array, kind in zip(arrays, ["<f4", "<f4", *["<u4"] * len(named)], strict=True):
        for block in blocks(len(array)):
            stream.write(array[block].astype(kind).tobytes())


def _y_up(points: NDArray[np.float32]) -> NDArray[np.float32]:
    x, y, z = points.T
    return np.stack([x, z, np.float32(0) - y], axis=1)


def _unit(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same with a unit vector where there is no normal: the format has no other."""
    found = normals.copy()
    found[~normals.any(axis=1), 1] = 1
    return found


def _padded(text: bytes) -> bytes:
    return text + b" " * (-len(text) % 4)


def _scene(arrays: list[NDArray[Any]], colours: list[tuple[int, int, int]]) -> dict[str, Any]:
    """The JSON part: what the arrays of points, normals and each colour's triangles are."""
    points, _, *parts = arrays
    starts = np.cumsum([0, *(array.nbytes for array in arrays)]).tolist()
    targets = [ARRAY_BUFFER, ARRAY_BUFFER, *[ELEMENT_ARRAY_BUFFER] * len(parts)]
    views = [
        {"buffer": 0, "byteOffset": start, "byteLength": array.nbytes, "target": target}
        for start, array, target in zip(starts, arrays, targets, strict=False)
    ]
    vectors = {"componentType": FLOAT, "type": "VEC3", "count": len(points)}
    limits = {"min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()}
    accessors: list[dict[str, Any]] = [
        {"bufferView": 0} | vectors | limits,
        {"bufferView": 1} | vectors,
    ]
    for i, part in enumerate(parts, start=2):
        of = {"componentType": UINT32, "type": "SCALAR", "count": part.size}
        accessors.append({"bufferView": i} | of)
    primitives = [
        {"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2 + i, "material": i}
        for i in range(len(parts))
    ]
    return {
        "asset": {"version": "2.0", "generator": "intervalvm"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": primitives}],
        "materials": [_material(rgb) for rgb in colours],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": starts[-1]}],
    }


def _material(rgb: tuple[int, int, int]) -> dict[str, Any]:
    """A plain material of a colour, which the format has in linear light."""
    shade = {"baseColorFactor": [*map(_linear, rgb), 1.0]}
    rough = {"metallicFactor": 0.0, "roughnessFactor": 0.8}
    return {"name": hexadecimal(rgb), "pbrMetallicRoughness": shade | rough}


def _linear(level: int) -> float:
    """A level of sRGB, 0 to 255, in linear light. Source: IEC 61966-2-1."""
    share = level / 255
    linear = share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
    return round(float(linear), 6)
