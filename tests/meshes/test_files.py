"""Files of meshes, read back by other programs, which find the same triangles."""

from __future__ import annotations

import errno
import io
import math
import os
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal
from support.mesh_readers import READERS, Read, by_3mf_rules, by_glb_rules, by_lib3mf
from support.meshes import ball, closed_meshes, cube, joined, mesh_of, soup, tetrahedron

from intervalvm.errors import ArgumentTypeError, FileError, OptionError
from intervalvm.files import write_atomically
from intervalvm.meshes.formats import FORMATS, blocks
from intervalvm.meshes.mesh import Mesh

SINGLE = {"stl", "glb", "3mf"}
"""The formats in float32."""
COLOURED = {"ply", "glb", "3mf"}
MILLIMETRES = 1e-3
MESHES = {
    "a tetrahedron": tetrahedron(),
    "a cube": cube(0.1, at=(1, 2, 3)),
    "a painted cube": cube(2.0, colours=True),
    "a ball": ball(2),
    "a far ball": ball(2, at=(1e4, -3e4, 0.1)),
    "two bodies": joined(cube(1.0), ball(1, at=(0.1, 3, 0))),
}


def expected(mesh: Mesh, format: str) -> np.ndarray[Any, Any]:
    """The triangles that a file must hold."""
    vertices = mesh.vertices
    if format == "glb":
        x, y, z = (vertices * MILLIMETRES).T
        vertices = np.stack([x, z, -y], axis=1)
    if format in SINGLE:
        vertices = vertices.astype(np.float32).astype(np.float64)
    labels = [mesh.colours] if mesh.colours is not None and format in COLOURED else []
    return soup(vertices, mesh.triangles, *labels)


def held(read: Read, format: str, *, colours: bool) -> np.ndarray[Any, Any]:
    vertices = read.vertices
    if format == "3mf":  # whose digits give the same float32
        vertices = vertices.astype(np.float32)
    return soup(vertices, read.triangles, *([read.colours] if colours else []))


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize(("format", "reader"), READERS)
def test_other_programs_read_the_same_triangles(
    tmp_path: Path, format: str, reader: Any, name: str
) -> None:
    mesh, path = MESHES[name], tmp_path / f"a.{format}"
    mesh.save(path)
    read = reader(path)
    has_colours = mesh.colours is not None and format in COLOURED and read.colours is not None
    bare = mesh_of(mesh.vertices, mesh.triangles)
    chosen = mesh if has_colours else bare
    assert_array_equal(held(read, format, colours=has_colours), expected(chosen, format))


@given(closed_meshes())
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize(("format", "reader"), READERS)
def test_any_closed_mesh_is_read_back(format: str, reader: Any, mesh: Mesh) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a.{format}")
        mesh.save(path)
        read = reader(path)
    has_colours = mesh.colours is not None and format in COLOURED and read.colours is not None
    chosen = mesh if has_colours else mesh_of(mesh.vertices, mesh.triangles)
    assert_array_equal(held(read, format, colours=has_colours), expected(chosen, format))
    volume = mesh_of(read.vertices, read.triangles.astype(np.int32)).volume
    scale = MILLIMETRES**3 if format == "glb" else 1
    # float32 moves a vertex by 6e-8 of its distance, which may be several times the size
    assert volume == pytest.approx(mesh.volume * scale, rel=1e-4)


@pytest.mark.parametrize(("format", "reader"), READERS)
def test_a_file_is_closed_as_other_programs_join_equal_vertices(
    tmp_path: Path, format: str, reader: Any
) -> None:
    trimesh = pytest.importorskip("trimesh")
    mesh = joined(ball(2), cube(1.0, at=(3, 0, 0)))
    mesh.save(tmp_path / f"a.{format}")
    read = reader(tmp_path / f"a.{format}")
    found = trimesh.Trimesh(read.vertices, read.triangles, process=False)
    found.merge_vertices(digits_vertex=12)
    assert found.is_volume
    assert len(found.vertices) == len(mesh.vertices)
    assert found.body_count == 2


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("mesh", [tetrahedron(), cube(2.0, colours=True), ball(2)])
def test_blocks_make_no_difference(
    mesh: Mesh, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = io.BytesIO(), io.BytesIO()
    mesh.write(whole, format)
    monkeypatch.setattr(blocks, "ROWS", 3)
    mesh.write(parts, format)
    if format == "3mf":  # compressed in other portions
        names = zipfile.ZipFile(whole).namelist()
        one, other = (
            [zipfile.ZipFile(each).read(name) for name in names] for each in (whole, parts)
        )
        assert one == other
    else:
        assert whole.getvalue() == parts.getvalue()


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_mesh_gives_the_same_bytes_at_any_time(
    format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = cube(2.0, colours=True)
    mesh.write(first := io.BytesIO(), format)
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2040, 1, 2, 3, 4, 5, 6, 7, 0))
    mesh.write(second := io.BytesIO(), format)
    assert first.getvalue() == second.getvalue()


# --- each format ----------------------------------------------------------------------------------


def written(mesh: Mesh, format: str, **options: Any) -> bytes:
    mesh.write(stream := io.BytesIO(), format, **options)
    return stream.getvalue()


def test_an_stl_is_the_binary_form_with_unit_normals() -> None:
    data = written(cube(2.0), "stl", unit="in")
    assert data[:80].rstrip(b"\0") == b"binary STL by intervalvm, unit in"
    assert len(data) == 84 + 50 * 12
    assert struct.unpack_from("<I", data, 80) == (12,)
    facets = np.frombuffer(data, [("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")], offset=84)
    v = facets["v"]
    assert_array_equal(facets["n"] * 4, np.cross(v[:, 1] - v[:, 0], v[:, 2] - v[:, 0]))
    assert not facets["a"].any()


def test_a_ply_keeps_every_bit_and_the_normals() -> None:
    mesh = ball(1, at=(1e5, 1 / 3, -0.1))
    data = written(mesh, "ply", unit="cm")
    header, _, body = data.partition(b"end_header\n")
    assert b"comment by intervalvm, unit cm\n" in header
    points = np.frombuffer(body, [("p", "<f8", 3), ("n", "<f4", 3)], len(mesh.vertices))
    assert_array_equal(points["p"], mesh.vertices)
    assert_array_equal(points["n"], mesh.normals)


def test_an_obj_prints() -> None:
    mesh = mesh_of([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 0.1)], tetrahedron().triangles[:2])
    colours = np.array([(200, 0, 0), (0, 0, 17)], np.uint8)
    painted = mesh_of(mesh.vertices, mesh.triangles, colours=colours)
    assert written(painted, "obj").decode() == (
        "# by intervalvm, unit mm\n"
        "v 0.0 0.0 0.0\nv 1.0 0.0 0.0\nv 0.0 1.0 0.0\nv 0.0 0.0 0.1\n"
        "vn 0 0 -1\nvn 0 -1 0\nvn 0 -1 0\nvn 0 0 -1\nvn 0 -1 0\nvn 0 0 -1\n"
        "g 000011\nf 1//3 2//5 4//2\n"
        "g C80000\nf 1//4 3//1 2//6\n"
    )


def test_a_3mf_prints() -> None:
    data = written(mesh_of([(0, 0, 0), (1, 0, 0), (0, 1, -0.1)], [(0, 1, 2)]), "3mf", unit="in")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("3D/3dmodel.model").decode() == (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<model unit="inch" xml:lang="en-US" '
            'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02">\n'
            '<metadata name="Application">intervalvm</metadata>\n'
            "<resources>\n"
            '<object id="2" type="model"><mesh>\n'
            "<vertices>\n"
            '<vertex x="0" y="0" z="0"/>\n'
            '<vertex x="1" y="0" z="0"/>\n'
            '<vertex x="0" y="1" z="-0.100000001"/>\n'
            "</vertices>\n"
            "<triangles>\n"
            '<triangle v1="0" v2="1" v3="2"/>\n'
            "</triangles>\n"
            "</mesh></object>\n"
            "</resources>\n"
            '<build><item objectid="2"/></build>\n'
            "</model>\n"
        )


@pytest.mark.parametrize("reader", [by_lib3mf, by_3mf_rules])
@pytest.mark.parametrize(
    ("unit", "name"),
    [("um", "micron"), ("mm", "millimeter"), ("cm", "centimeter"), ("m", "meter"),
     ("in", "inch"), ("ft", "foot")],
)  # fmt: skip
def test_a_3mf_names_its_unit(tmp_path: Path, unit: Any, name: str, reader: Any) -> None:
    cube(1.0).save(tmp_path / "a.3mf", unit=unit)
    read = reader(tmp_path / "a.3mf")
    assert read.unit == name
    assert np.ptp(read.vertices, axis=0).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("unit", "metres"),
    [("um", 1e-6), ("mm", 1e-3), ("cm", 1e-2), ("m", 1), ("in", 0.0254), ("ft", 0.3048)],
)
def test_a_glb_is_in_metres_and_stands_on_its_feet(
    tmp_path: Path, unit: Any, metres: float
) -> None:
    mesh = mesh_of(tetrahedron().vertices * (1, 2, 3), tetrahedron().triangles)
    mesh.save(tmp_path / "a.glb", unit=unit)
    vertices = by_glb_rules(tmp_path / "a.glb").vertices
    assert vertices.max(axis=0) == pytest.approx([metres, 3 * metres, 0], rel=1e-7)
    assert vertices.min(axis=0) == pytest.approx([0, 0, -2 * metres], rel=1e-7)


def test_a_glb_has_sharp_edges_and_smooth_faces(tmp_path: Path) -> None:
    cube(1.0).save(tmp_path / "cube.glb")
    ball(3).save(tmp_path / "ball.glb")
    assert len(by_glb_rules(tmp_path / "cube.glb").vertices) == 24
    assert len(by_glb_rules(tmp_path / "ball.glb").vertices) == len(ball(3).vertices)


def test_a_normal_that_is_missing_is_one_in_a_glb(tmp_path: Path) -> None:
    mesh = ball(2)
    normals = mesh.normals.copy()
    normals[3] = 0
    Mesh(mesh.vertices, mesh.triangles, normals).save(tmp_path / "a.glb")
    by_glb_rules(tmp_path / "a.glb")


def test_a_glb_of_4_gib_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(written(cube(1.0), "glb"))
    monkeypatch.setattr("intervalvm.meshes.formats.glb.MOST_BYTES", size)
    assert len(written(cube(1.0), "glb")) == size
    monkeypatch.setattr("intervalvm.meshes.formats.glb.MOST_BYTES", size - 1)
    with pytest.raises(OptionError, match=r"holds less than 4 GiB, not .*: save \.ply or \.stl"):
        written(cube(1.0), "glb")


@pytest.mark.parametrize("reader", [by_lib3mf, by_3mf_rules])
def test_a_large_3mf_has_wide_offsets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Any
) -> None:
    monkeypatch.setattr("intervalvm.meshes.formats.threemf.LARGE", 11)
    cube(1.0).save(tmp_path / "a.3mf")
    assert len(reader(tmp_path / "a.3mf").triangles) == 12


# --- what a file cannot hold ----------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_mesh_is_refused_and_leaves_the_old_file(tmp_path: Path, format: str) -> None:
    empty = mesh_of(np.zeros((0, 3)), np.zeros((0, 3), np.int32))
    path = tmp_path / f"a.{format}"
    path.write_bytes(b"old")
    for target in (path, io.BytesIO()):
        with pytest.raises(OptionError, match=r"the mesh is empty, .*: nothing of the shape"):
            empty.save(target, format)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", [1e300, 1e39])
def test_coordinates_beyond_float32(tmp_path: Path, format: str, size: float) -> None:
    mesh = cube(size)
    if format in SINGLE and not (format == "glb" and size == 1e39):
        with pytest.raises(OptionError, match=r"beyond float32, .*: save \.ply or \.obj"):
            mesh.save(tmp_path / f"a.{format}")
        assert os.listdir(tmp_path) == []
    else:
        mesh.save(tmp_path / f"a.{format}")
        assert b"nan" not in (tmp_path / f"a.{format}").read_bytes().lower()


@pytest.mark.parametrize("format", FORMATS)
def test_a_body_that_float32_cannot_tell_from_a_point(tmp_path: Path, format: str) -> None:
    mesh = joined(cube(1.0), ball(1, at=(1e10, 0, 0)))
    if format in SINGLE:
        with pytest.raises(OptionError, match=r"makes 5 of 26 vertices equal .*: save \.ply"):
            mesh.save(tmp_path / f"a.{format}")
        assert os.listdir(tmp_path) == []
    else:
        mesh.save(tmp_path / f"a.{format}")


def test_units_and_formats_that_there_are_not(tmp_path: Path) -> None:
    mesh = cube(1.0)
    with pytest.raises(OptionError, match=r"no unit 'mmm' \(did you mean 'mm'\?\): choose 'um'"):
        mesh.save(tmp_path / "a.stl", unit="mmm")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="no unit 3: choose 'um', 'mm', 'cm', 'm', 'in' or 'ft'"):
        mesh.write(io.BytesIO(), unit=3)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"'.png' names no format: choose .stl .ply .obj .glb .3"):
        mesh.save(tmp_path / "a.png")
    with pytest.raises(OptionError, match="name the format, as in format='stl'"):
        mesh.save(io.BytesIO())
    with pytest.raises(ArgumentTypeError, match="give a name, as in format='stl'"):
        mesh.save(tmp_path / "a", 3)  # type: ignore[arg-type]
    with pytest.raises(ArgumentTypeError, match="open for bytes"):
        mesh.write("a.stl")  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


# --- whole or not at all --------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_streams_of_every_kind_get_the_same_bytes(tmp_path: Path, format: str) -> None:
    mesh = cube(1.0, colours=True)
    whole = written(mesh, format)
    with open(tmp_path / f"A.{format.upper()}", "wb") as stream:
        mesh.save(stream)
    assert (tmp_path / f"A.{format.upper()}").read_bytes() == whole
    mesh.save(os.fsencode(tmp_path / f"b.{format}"))
    assert (tmp_path / f"b.{format}").read_bytes() == whole
    reading, writing = os.pipe()
    with open(reading, "rb") as reader, open(writing, "wb") as writer:
        mesh.save(writer, format)
        writer.close()
        assert reader.read() == whole


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_knows_a_full_disk(format: str) -> None:
    with pytest.raises(FileError, match="No space left") as caught:
        cube(1.0).save("/dev/full", format)
    assert caught.value.exit_status == 3


class Breaking(io.BytesIO):
    """A file of which only so many writes succeed."""

    def __init__(self, writes: float, error: BaseException) -> None:
        super().__init__()
        self.writes, self.left, self.error = 0, writes, error

    def write(self, data: Any) -> int:
        if self.writes >= self.left:
            raise self.error
        self.writes += 1
        return super().write(data)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (MemoryError(), MemoryError),
        (OSError(errno.ENOSPC, "No space left"), FileError),
    ],
)
def test_wherever_writing_breaks_the_error_comes_and_the_old_file_stays(
    tmp_path: Path, format: str, error: Any, raised: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh, path = cube(1.0, colours=True), tmp_path / f"a.{format}"
    monkeypatch.setattr(blocks, "ROWS", 5)
    mesh.write(whole := Breaking(math.inf, error), format)
    assert whole.writes > 2
    path.write_bytes(b"old")
    for count in range(whole.writes):

        def save(stream: Any, count: int = count) -> None:
            mesh.write(Breaking(count, error), format)

        with pytest.raises(raised):
            write_atomically(path, save)
        assert path.read_bytes() == b"old"
        assert os.listdir(tmp_path) == [path.name]
