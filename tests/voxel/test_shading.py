"""Shading: the same by Python and by machine code, on any threads, and what each pass promises."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from intervalvm.jit.shading.bands import rings_of
from intervalvm.voxel.shading import shade
from intervalvm.voxel.style import Light, Shading

VOLUME = 16
MODES = ["shaded", "normals", "heightmap", "occlusion"]
IDENTITY = np.eye(4)
Picture = dict[str, Any]


def turned(yaw: float, pitch: float) -> NDArray[np.float64]:
    """A view turned about y, then x."""
    a, b = np.radians(yaw), np.radians(pitch)
    matrix = np.eye(4)
    matrix[:3, :3] = [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    matrix[:3, :3] = matrix[:3, :3] @ about_x
    return matrix


@st.composite
def pictures(draw: st.DrawFn, least: int = 1, most: int = 14, unit: int = 1) -> Picture:
    """Depth of any size, with faces and steps, and normals that may be turned away or 0."""
    height, width = (unit * draw(st.integers(least, most)) for _ in range(2))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    depth = random.integers(0, VOLUME + 1, (height, width)).astype(np.int32)
    match draw(st.sampled_from(["none", "all", "faces", "noise"])):
        case "none":
            depth[:] = 0
        case "all":
            depth[:] = np.maximum(depth, 1)
        case "faces":
            cells = depth[::5, ::5].repeat(5, axis=0).repeat(5, axis=1)
            depth = np.ascontiguousarray(cells[:height, :width])
    normals = random.normal(size=(height, width, 3))
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    normals[random.random((height, width)) < 0.1] = 0.0
    normals[depth == 0] = 0.0
    matrix = turned(draw(st.floats(-180, 180)), draw(st.floats(-90, 90)))
    if draw(st.booleans()):
        matrix[3, :3] = draw(st.tuples(*[st.floats(-0.125, 0.125)] * 3))
    colours = random.integers(0, 256, (height, width, 3)).astype(np.uint8)
    return {
        "depth": depth,
        "normals": normals.astype(np.float32),
        "volume_depth": VOLUME,
        "matrix": matrix,
        "colours": draw(st.sampled_from([None, colours])),
    }


PARTS = st.floats(0, 1)
STYLES = st.builds(
    Shading,
    mode=st.sampled_from(MODES),
    occlusion=st.sampled_from([0, 1, 2]),
    radius=st.sampled_from([0.25, 0.75, 1]),
    smooth=st.integers(0, 2),
    edges=PARTS,
    shadow=st.sampled_from([0, 0.5]),
    lights=st.lists(
        st.builds(
            Light,
            direction=st.sampled_from([(0, 0, 1), (-1, 2, 1), (1, 0, -2), (0, 0, -1)]),
            strength=PARTS,
            colour=st.sampled_from(["white", "#f80"]),
            wrap=PARTS,
            gloss=PARTS,
        ),
        max_size=3,
    ),
    background=st.sampled_from(["black", ("#fff", "#888")]),
)


@settings(deadline=None)  # Python takes its time
@given(picture=pictures(), style=STYLES, band=st.integers(1, 16))
def test_python_and_machine_code_make_the_same_bytes(
    picture: Picture, style: Shading, band: int
) -> None:
    compiled = shade(**picture, style=style, band=band)
    assert compiled.dtype == np.uint8
    assert_array_equal(compiled, shade(**picture, style=style, in_python=True))


@settings(deadline=None, max_examples=15)
@given(picture=pictures(24, 32), band=st.integers(5, 40))
def test_python_and_machine_code_make_the_same_pyramid(picture: Picture, band: int) -> None:
    """Which smaller pictures do without."""
    style = Shading(mode="occlusion", radius=1)
    assert rings_of(24 / 2).far_levels > 0
    compiled = shade(**picture, style=style, band=band)
    assert_array_equal(compiled, shade(**picture, style=style, in_python=True))


@given(picture=pictures(most=40), style=STYLES, band=st.integers(1, 16), threads=st.integers(1, 4))
def test_bytes_do_not_depend_on_bands_or_threads(
    picture: Picture, style: Shading, band: int, threads: int
) -> None:
    found = shade(**picture, style=style, band=band, threads=threads)
    assert_array_equal(found, shade(**picture, style=style))


@pytest.mark.parametrize("band", [1, 3, 7])
def test_bands_with_and_without_a_hit_at_the_border_filter_alike(band: int) -> None:
    depth = np.zeros((20, 28), np.int32)
    depth[:9:2, ::5], depth[9:, 3:] = 12, 4
    depth[12:15, 3:8] = 9
    normals = np.zeros((20, 28, 3), np.float32)
    normals[..., 2], normals[..., 0] = 0.6, -0.8
    given = depth, normals, 16, IDENTITY, Shading(mode="occlusion", radius=0.75, occlusion=4)
    assert_array_equal(shade(*given, band=band), shade(*given, band=20))


def test_memory_is_the_picture_and_a_few_rows_of_each_thread() -> None:
    """And the pyramid, of about a float a pixel."""
    side = 1024
    depth, normals = np.ones((side, side), np.int32), np.zeros((side, side, 3), np.float32)
    shade(depth[:8], normals[:8], side, IDENTITY, Shading())  # loads the kernel
    tracemalloc.start()
    shade(depth, normals, side, IDENTITY, Shading(radius=0.25), threads=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * side * side


@pytest.mark.parametrize("far", [1e-9, 1e9])
def test_the_scale_and_the_place_of_the_solid_do_not_matter(far: float) -> None:
    depth, normals = np.ones((4, 4), np.int32), np.zeros((4, 4, 3), np.float32)
    normals[..., :2] = 0.6, 0.8
    matrix = turned(30, 40)
    moved = matrix * [far, far, far, 1.0]
    moved[:3, 3] = 1e12
    expected, found = (
        shade(depth, normals, 8, each, Shading(mode="normals")) for each in (matrix, moved)
    )
    assert np.abs(found.astype(int) - expected).max() <= 1, "a rounding of a byte"


# --- normals --------------------------------------------------------------------------------------


@given(picture=pictures())
def test_normals_are_turned_by_the_jacobian_of_the_view(picture: Picture) -> None:
    """By finite differences of the view's map, in float64; bytes may differ by their rounding."""
    depth, matrix = picture["depth"], picture["matrix"]
    height, width = depth.shape
    pitch = 2 / min(height, width)
    y, x = np.mgrid[:height, :width]
    at = np.stack([x + 0.5 - width / 2, height / 2 - y - 0.5, depth - 0.5 - VOLUME / 2], axis=-1)

    def to_model(points: NDArray[np.float64]) -> NDArray[np.float64]:
        found = points @ matrix[:, :3].T + matrix[:, 3]
        with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is seen
            result: NDArray[np.float64] = found[..., :3] / found[..., 3:]
        return result

    little = 1e-6
    steps = np.eye(3) * little
    found = [
        (to_model(at * pitch + step) - to_model(at * pitch - step)) @ np.eye(3) for step in steps
    ]
    turned_ones = np.stack([(part * picture["normals"]).sum(axis=-1) for part in found], axis=-1)
    depths = (at * pitch) @ matrix[3, :3] + 1.0
    length = np.linalg.norm(turned_ones, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        expected = 127.5 + 127.5 * turned_ones / length
    # elsewhere they are replaced, or nothing is promised
    sure = (depth > 0) & (turned_ones[..., 2] > 1e-3 * length[..., 0]) & (depths > 0.1)
    picture = picture | {"style": Shading(mode="normals", smooth=0)}
    assert np.abs(shade(**picture)[sure] - expected[sure]).max(initial=0) <= 1.0


def test_normals_that_face_away_are_those_of_the_neighbours() -> None:
    depth = np.full((3, 5), 4, np.int32)
    normals = np.zeros((3, 5, 3), np.float32)
    normals[..., 0], normals[..., 2] = 0.6, 0.8
    expected = shade(depth, normals, 8, IDENTITY, Shading(mode="normals"))
    assert len(np.unique(expected.reshape(-1, 3), axis=0)) == 1
    normals[1, 2] = 0.0, 0.6, -0.8
    normals[0, 0] = 0.0
    for smooth in (0, 1, 2):
        found = shade(depth, normals, 8, IDENTITY, Shading(mode="normals", smooth=smooth))
        assert_array_equal(found, expected)


def test_smoothing_keeps_edges_and_calms_facets() -> None:
    depth = np.full((8, 16), 4, np.int32)
    random = np.random.default_rng(1)
    normals = np.zeros((8, 16, 3))
    normals[:, :8, 2] = normals[:, 8:, 0] = 1.0
    normals[:, 8:, 2] = 0.1
    normals += random.normal(scale=0.05, size=normals.shape)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    given = depth, normals.astype(np.float32), 8, IDENTITY
    rough, calm = (shade(*given, Shading(mode="normals", smooth=n))[2:-2, 2:-2] for n in (0, 2))
    for half in (np.s_[:, :5], np.s_[:, 7:]):
        assert calm[half].std(axis=(0, 1)).max() < 0.6 * rough[half].std(axis=(0, 1)).max()
    step = calm[:, 6, 0].astype(int) - calm[:, 5, 0]
    assert step.min() > 90


# --- occlusion ------------------------------------------------------------------------------------


@given(
    slope=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    radius=st.sampled_from([0.25, 1.0]),
)
def test_a_plane_hides_nothing_of_itself(
    slope: tuple[float, float], size: tuple[int, int], radius: float
) -> None:
    """Although heights are whole voxels, and cut by the volume."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    volume = 512
    z = volume / 2 + slope[0] * (x - width / 2) + slope[1] * (y - height / 2)
    depth = np.where((z >= 1) & (z < volume), np.floor(z), 0).astype(np.int32)
    normal = np.array([-slope[0], slope[1], 1.0]) / np.hypot(1.0, np.hypot(*slope))
    normals = np.where(depth[..., None] > 0, normal, 0).astype(np.float32)
    style = Shading(mode="occlusion", occlusion=4, radius=radius)
    pixels = shade(depth, normals, volume, IDENTITY, style)
    assert (pixels[depth > 0] == 255).all()


def test_a_corner_is_darker_than_its_walls_and_they_than_a_top() -> None:
    depth = np.full((64, 64), 10, np.int32)
    depth[:, :20] = 40
    depth[:20] = 40
    normals = np.zeros((64, 64, 3), np.float32)
    normals[..., 2] = 1.0
    grey = shade(depth, normals, 64, IDENTITY, Shading(mode="occlusion"))[..., 0].astype(int)
    assert grey[10, 10] == grey[63, 10] == 255
    assert grey[21, 21] + 10 < grey[21, 60] < 230
    assert abs(grey[21, 60] - grey[60, 21]) <= 1
    assert (np.diff(grey[21:50, 60]) >= -1).all(), "the further from the wall, the brighter"


@given(picture=pictures(most=10, unit=4), style=STYLES)
def test_a_turned_picture_has_the_turned_occlusion(picture: Picture, style: Shading) -> None:
    """Of whole cells of the pyramid; up to a rounding of a byte, as sums are in another order."""
    quarter = np.eye(4)
    quarter[:2, :2] = [[0, -1], [1, 0]]
    style = Shading(mode="occlusion", radius=style.radius, smooth=style.smooth)
    given = picture | {"style": style, "colours": None}
    again = given | {
        "depth": np.ascontiguousarray(np.rot90(picture["depth"])),
        "normals": np.ascontiguousarray(np.rot90(picture["normals"])),
        "matrix": picture["matrix"] @ quarter.T,
    }
    hit = picture["depth"] > 0
    found = np.rot90(shade(**again), -1)[hit].astype(int)
    assert np.abs(found - shade(**given)[hit]).max(initial=0) <= 1


# --- modes, backgrounds ---------------------------------------------------------------------------


@given(picture=pictures(), style=STYLES)
def test_nothing_is_hit_where_the_background_is(picture: Picture, style: Shading) -> None:
    """Without a shadow it depends on the row alone, and is the same in all modes."""
    given = picture | {"style": Shading(mode=style.mode, background=("#102030", "#f0e0d0"))}
    found, empty = shade(**given), shade(**given | {"depth": np.zeros_like(picture["depth"])})
    assert_array_equal(found[picture["depth"] == 0], empty[picture["depth"] == 0])
    assert_array_equal(empty, np.broadcast_to(empty[:, :1], empty.shape))
    rows = (np.arange(len(empty))[:, None] + 0.5) / len(empty)
    expected = (1 - rows) * [0x10, 0x20, 0x30] + rows * [0xF0, 0xE0, 0xD0]
    assert np.abs(empty[:, 0] - expected).max(initial=0) <= 0.51


@given(picture=pictures())
def test_a_height_map_has_greys_by_depth(picture: Picture) -> None:
    depth = picture["depth"]
    found = shade(**picture, style=Shading(mode="heightmap"))[depth > 0]
    expected = 255 * (0.125 + 0.875 * depth[depth > 0] / VOLUME)
    assert np.abs(found - expected[:, None]).max(initial=0) <= 0.51


def test_colours_are_multiplied_by_light() -> None:
    """By white light of strength 1 from the viewer a surface has its own colours."""
    depth, normals = np.ones((1, 256), np.int32), np.zeros((1, 256, 3), np.float32)
    normals[..., 2] = 1.0
    colours = np.random.default_rng(2).integers(0, 256, (1, 256, 3)).astype(np.uint8)
    style = Shading(lights=[Light((0, 0, 2))], sky="black", floor="black", edges=0)
    assert_array_equal(shade(depth, normals, 4, IDENTITY, style, colours), colours)
    red = Shading(lights=[Light((0, 0, 1), colour="red")], sky="black", floor="black", edges=0)
    assert_array_equal(
        shade(depth, normals, 4, IDENTITY, red, colours), colours * np.array([1, 0, 0], np.uint8)
    )


def test_edges_are_where_depth_steps_or_the_surface_bends() -> None:
    depth = np.full((12, 12), 4, np.int32)
    depth[:, 6:] = 12
    normals = np.zeros((12, 12, 3), np.float32)
    normals[..., 2] = 1.0
    normals[8:, :, 1:] = -1.0, 0.02
    given = depth, normals, 16, IDENTITY
    plain = shade(*given, Shading(lights=[], sky="white", floor="white", edges=0, occlusion=0))
    lined = shade(*given, Shading(lights=[], sky="white", floor="white", edges=1, occlusion=0))
    dark = (lined < plain).all(axis=2)[1:-1, 1:-1]
    expected = np.zeros((12, 12), bool)
    expected[:9, 6] = True  # the near side of the step, save of a wall that is almost edge-on
    expected[7:9] = True  # both sides of the bend
    assert_array_equal(dark, expected[1:-1, 1:-1])


def test_a_shadow_is_below_a_solid_and_soft() -> None:
    y, x = np.mgrid[:96, :96] - 47.5
    height = 24.0**2 - x * x - y * y
    depth = np.where(height > 0, 48 + np.sqrt(np.maximum(height, 0)), 0).astype(np.int32)
    normals = np.zeros((96, 96, 3), np.float32)
    normals[..., 2] = 1.0
    given = depth, normals, 96, IDENTITY
    bright, shaded = (
        shade(*given, Shading(background="white", shadow=s))[..., 0].astype(int) for s in (0, 1)
    )
    assert_array_equal(shaded[depth > 0], bright[depth > 0])
    lost = np.where(depth > 0, 0, bright - shaded)
    assert (lost[:48] == 0).all()
    assert lost[74, 47] > 150
    assert_array_equal(lost, lost[:, ::-1])
    assert np.abs(np.diff(lost[75:], axis=0)).max() < 60
