"""What the gallery's examples make to be cut and printed, opened by other programs."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.places import TOP

import intervalvm as ivm

FILES = {"bracket": ["bracket.dxf"], "gear": ["gear.svg", "gear.3mf"], "gyroid": ["gyroid.stl"]}
"""By example."""
SIDE = 1500
"""Samples a side of the pictures that areas are compared with."""


def names_of(example: str) -> dict[str, Any]:
    return runpy.run_path(str(TOP / "examples" / f"{example}.py"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder in which each example has run."""
    folders = {}
    with pytest.MonkeyPatch.context() as patch:
        for example in FILES:
            folders[example] = tmp_path_factory.mktemp(example)
            patch.chdir(folders[example])
            patch.setattr(sys, "argv", [f"{example}.py"])
            runpy.run_path(str(TOP / "examples" / f"{example}.py"), run_name="__main__")
    return folders


def sampled_area(shape: Any) -> float:
    """The area by samples, each evaluated by NumPy."""
    image = ivm.render(shape, size=SIDE, region=ivm.Region.square(), engine="dense", grid="center")
    return float((image.pixels > 0).mean()) * 4


def polygons(points: list[NDArray[np.float64]]) -> Any:
    """The polygon of one outer curve and its holes, by shapely."""
    shapely = pytest.importorskip("shapely")
    # the last point of a flattened arc misses its vertex by rounding, back along the next line
    points = [each.round(9) for each in points]
    outer, *holes = sorted(points, key=lambda each: -abs(shapely.Polygon(each).area))
    found = shapely.Polygon(outer, holes)
    assert found.is_valid
    return found


def test_they_write_these_files(made: dict[str, Path]) -> None:
    for example, files in FILES.items():
        written = {path.name for path in made[example].iterdir()}
        assert written == {f"{example}.png", *files}


def test_the_page_links_to_what_makes_them() -> None:
    page = (TOP / "docs" / "gallery.md").read_text(encoding="utf-8").split("## Made")[1]
    for example, files in FILES.items():
        assert f"](../examples/{example}.py)" in page
        assert all(f"`{file}`" in page for file in files)


def test_ezdxf_reads_the_bracket(made: dict[str, Path]) -> None:
    ezdxf = pytest.importorskip("ezdxf")
    path = pytest.importorskip("ezdxf.path")
    document = ezdxf.readfile(made["bracket"] / "bracket.dxf")
    assert not document.audit().has_errors
    assert document.units == ezdxf.units.MM
    entities = list(document.modelspace())
    assert sorted({entity.dxftype() for entity in entities}) == ["CIRCLE", "LWPOLYLINE"]
    assert all(entity.closed for entity in entities if entity.dxftype() == "LWPOLYLINE")
    drawn = [path.make_path(entity) for entity in entities]
    assert all(each.is_closed for each in drawn)
    names = names_of("bracket")
    found = polygons([np.array([(p.x, p.y) for p in each.flattening(1e-3)]) for each in drawn])
    assert len(found.interiors) == 6
    shape = names["build"]()
    # of samples that the border passes between, one way or the other
    slack = found.length / names["MM"] * 2 / SIDE / 10
    assert found.area / names["MM"] ** 2 == pytest.approx(sampled_area(shape), abs=slack)


def test_svgpathtools_reads_the_gear(made: dict[str, Path]) -> None:
    svgpathtools = pytest.importorskip("svgpathtools")
    paths, _, attributes = svgpathtools.svg2paths2(str(made["gear"] / "gear.svg"))
    assert attributes["width"].endswith("mm")
    curves = [part for each in paths for part in each.continuous_subpaths()]
    assert all(curve.isclosed() for curve in curves)
    points = [np.array([(line.start.real, -line.start.imag) for line in curve]) for curve in curves]
    found = polygons(points)
    assert len(found.interiors) == 6, "a bore, and the gaps between five spokes"
    names = names_of("gear")
    scale = names["MODULE_MM"] / names["MODULE"]
    slack = found.length / scale * 2 / SIDE / 10
    assert found.area / scale**2 == pytest.approx(sampled_area(names["build"]()), abs=slack)
    x0, _, x1, _ = found.bounds
    assert x1 - x0 == pytest.approx(2 * names["TIP"] * scale, rel=0.01)


def test_trimesh_reads_the_gear(made: dict[str, Path]) -> None:
    trimesh = pytest.importorskip("trimesh")
    mesh = trimesh.load(made["gear"] / "gear.3mf", force="mesh")
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.body_count == 1
    assert mesh.euler_number == 2 - 2 * 6
    names = names_of("gear")
    scale = names["MODULE_MM"] / names["MODULE"]
    volume = sampled_area(names["build"]()) * scale**2 * names["THICK_MM"]
    assert mesh.volume == pytest.approx(volume, rel=0.01)  # cells are a quarter of a millimetre
    assert mesh.extents[2] == pytest.approx(names["THICK_MM"], abs=1e-5)


def test_trimesh_reads_the_lamp(made: dict[str, Path]) -> None:
    trimesh = pytest.importorskip("trimesh")
    mesh = trimesh.load(made["gyroid"] / "gyroid.stl")
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.body_count == 1, "nothing loose is printed"
    names = names_of("gyroid")
    reach, count = names["MM"], 128
    step = 2 * reach / count
    axis = (np.arange(count) + 0.5) * step - reach
    x, y, z = np.meshgrid(axis, axis, axis, sparse=True)
    inside = np.count_nonzero(ivm.evaluate(names["lamp"](), x, y, z) < 0)
    assert mesh.volume == pytest.approx(inside * step**3, rel=0.02)
    assert mesh.bounds[0, 2] == pytest.approx(-0.55 * reach, abs=1e-3), "flat, to stand on a bed"
