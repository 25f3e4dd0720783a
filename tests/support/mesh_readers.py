"""Files of meshes as other programs read them, and GLB and 3MF by their specifications.

A reader whose library is not installed skips the test.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray


class Read(NamedTuple):
    """What a file holds; None of what its reader does not say."""

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int64]
    colours: NDArray[np.uint8] | None = None
    unit: str | None = None


def by_trimesh(path: Path) -> Read:
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")
    if path.suffix == ".3mf":
        pytest.importorskip("networkx", reason="networkx, which trimesh needs, is not installed")
    with open(path, "rb") as stream:
        found = trimesh.load(stream, file_type=path.suffix[1:], process=False)
    parts = [*found.geometry.values()] if isinstance(found, trimesh.Scene) else [found]
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Read(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + at for part, at in zip(parts, starts, strict=False)]),
        # it drops those of 3MF, and takes those of GLB for sRGB, which are linear
        parts[0].visual.face_colors[:, :3] if parts[0].visual.kind == "face" else None,
        found.units,
    )


def by_pymeshlab(path: Path) -> Read:
    pymeshlab = pytest.importorskip("pymeshlab", reason="PyMeshLab is not installed")
    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(str(path))
    found = meshes.current_mesh()
    colours = None
    if found.has_face_color():
        colours = np.rint(found.face_color_matrix()[:, :3] * 255).astype(np.uint8)
    return Read(found.vertex_matrix(), found.face_matrix().astype(np.int64), colours)


def by_vtk(path: Path) -> Read:
    pyvista = pytest.importorskip("pyvista", reason="PyVista is not installed")
    found = pyvista.read(path)
    parts = [*found.recursive_iterator()] if isinstance(found, pyvista.MultiBlock) else [found]
    starts = np.cumsum([0, *(part.n_points for part in parts)])
    return Read(
        np.concatenate([part.points for part in parts]).astype(np.float64),
        np.concatenate([p.regular_faces + at for p, at in zip(parts, starts, strict=False)]),
    )


UNITS = ("micron", "millimeter", "centimeter", "inch", "foot", "meter")
"""As lib3mf numbers them."""


def by_lib3mf(path: Path) -> Read:
    lib3mf = pytest.importorskip("lib3mf", reason="lib3mf is not installed")
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(path))
    assert not reader.GetWarningCount()
    objects = model.GetMeshObjects()
    assert objects.Count() == 1
    assert objects.MoveNext()
    mesh = objects.GetCurrentMeshObject()
    assert mesh.IsValid()
    assert mesh.IsManifoldAndOriented()
    vertices = np.array([tuple(vertex.Coordinates) for vertex in mesh.GetVertices()])
    triangles = np.array([tuple(each.Indices) for each in mesh.GetTriangleIndices()])
    groups, colours = model.GetBaseMaterialGroups(), None
    if groups.MoveNext():
        group, rows = groups.GetCurrentBaseMaterialGroup(), []
        for each in mesh.GetAllTriangleProperties():
            shown = group.GetDisplayColor(each.PropertyIDs[0])
            rows.append((shown.Red, shown.Green, shown.Blue))
        colours = np.array(rows, np.uint8)
    return Read(vertices, triangles, colours, UNITS[int(model.GetUnit())])


SIZES = {"SCALAR": 1, "VEC3": 3}
DTYPES = {5125: "<u4", 5126: "<f4"}


def by_glb_rules(path: Path) -> Read:
    """Check what glTF 2.0 asks of the parts that are there."""
    data = path.read_bytes()
    magic, version, total = struct.unpack_from("<4sII", data)
    assert (magic, version, total) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert (kind, size % 4) == (b"JSON", 0)
    scene = json.loads(data[20 : 20 + size])
    binary_size, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert (kind, binary_size % 4) == (b"BIN\0", 0)
    binary = data[28 + size :]
    assert len(binary) == binary_size == scene["buffers"][0]["byteLength"]
    assert scene["asset"]["version"] == "2.0"

    def array(number: int, target: int) -> NDArray[Any]:
        accessor = scene["accessors"][number]
        view = scene["bufferViews"][accessor["bufferView"]]
        assert (view["target"], view["byteOffset"] % 4) == (target, 0)
        columns = SIZES[accessor["type"]]
        assert view["byteLength"] == accessor["count"] * columns * 4
        dtype = DTYPES[accessor["componentType"]]
        values = np.frombuffer(binary, dtype, accessor["count"] * columns, view["byteOffset"])
        rows = values.reshape(-1, columns)
        if "min" in accessor:
            assert accessor["min"] == rows.min(axis=0).tolist()
            assert accessor["max"] == rows.max(axis=0).tolist()
        return rows

    (mesh,) = scene["meshes"]
    parts, rows = [], []
    for primitive in mesh["primitives"]:
        assert primitive.get("mode", 4) == 4
        vertices = array(primitive["attributes"]["POSITION"], 34962)
        assert "min" in scene["accessors"][primitive["attributes"]["POSITION"]]
        normals = array(primitive["attributes"]["NORMAL"], 34962).astype(np.float64)
        assert abs(np.linalg.norm(normals, axis=1) - 1).max() < 1e-5
        part = array(primitive["indices"], 34963).reshape(-1, 3).astype(np.int64)
        assert part.max() < len(vertices) == len(normals)
        material = scene["materials"][primitive["material"]]["pbrMetallicRoughness"]
        linear = np.array(material["baseColorFactor"][:3])
        shown = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        parts.append(part)
        rows.append(np.repeat([np.rint(shown * 255).astype(np.uint8)], len(part), axis=0))
    found = vertices.astype(np.float64)
    return Read(found, np.concatenate(parts), np.concatenate(rows), "meters")


NAMESPACE = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"


def by_3mf_rules(path: Path) -> Read:
    """Check what the core specification of 3MF asks of the parts that are there."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["[Content_Types].xml", "_rels/.rels", "3D/3dmodel.model"]
        types, relations, model = (
            ElementTree.fromstring(archive.read(name)) for name in archive.namelist()
        )
    assert {each.attrib["Extension"] for each in types} == {"rels", "model"}
    (relation,) = relations
    assert relation.attrib["Target"] == "/3D/3dmodel.model"
    assert model.tag == f"{NAMESPACE}model"
    shade = {
        base.attrib["displaycolor"]: i for i, base in enumerate(model.iter(f"{NAMESPACE}base"))
    }
    (solid,) = model.iter(f"{NAMESPACE}object")
    (item,) = model.iter(f"{NAMESPACE}item")
    assert item.attrib["objectid"] == solid.attrib["id"]
    vertices = [
        [float(vertex.attrib[axis]) for axis in "xyz"]
        for vertex in model.iter(f"{NAMESPACE}vertex")
    ]
    faces = [*model.iter(f"{NAMESPACE}triangle")]
    triangles = np.array(
        [[int(face.attrib[name]) for name in ("v1", "v2", "v3")] for face in faces]
    )
    assert triangles.min() >= 0
    assert triangles.max() < len(vertices)
    colours = None
    if shade:
        (group,) = model.iter(f"{NAMESPACE}basematerials")
        assert {face.attrib["pid"] for face in faces} == {group.attrib["id"]}
        rgb = [[int(name[at : at + 2], 16) for at in (1, 3, 5)] for name in shade]
        colours = np.array(rgb, np.uint8)[[int(face.attrib["p1"]) for face in faces]]
    return Read(np.array(vertices), triangles, colours, model.attrib["unit"])


READERS: list[tuple[str, Callable[[Path], Read]]] = [
    *((name, by_trimesh) for name in ("stl", "ply", "obj", "glb", "3mf")),
    *((name, by_pymeshlab) for name in ("stl", "ply", "obj")),
    *((name, by_vtk) for name in ("stl", "glb")),
    ("3mf", by_lib3mf),
    ("3mf", by_3mf_rules),
    ("glb", by_glb_rules),
]
"""Formats and who reads them."""
