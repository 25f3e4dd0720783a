"""Views: what each sort of them shows, and what is refused."""

from __future__ import annotations

import math
import pickle
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import intervalvm as ivm
from intervalvm import View
from intervalvm.voxel.linear import tangents

ROUNDING = 1e-12
"""Of some dozen float64 operations on numbers of about this size."""


def shown_at(view: View, x: float, y: float, z: float) -> Any:
    """The point of the shape's space that stands at a point of view space."""
    *point, w = view.matrix @ [x, y, z, 1]
    return np.array(point) / w


def seen_at(view: View, point: Any) -> Any:
    """Where a point of the shape's space is seen in view space."""
    *place, w = np.linalg.solve(view.matrix, [*point, 1])
    return np.array(place) / w


def angles() -> st.SearchStrategy[float]:
    return st.floats(-400, 400) | st.sampled_from([0.0, 90.0, -90.0, 180.0, 45.0])


@st.composite
def turntables(draw: st.DrawFn) -> View:
    center = [draw(st.floats(-3, 3)) for _ in range(3)]
    return View.turntable(
        draw(angles()),
        draw(angles()),
        draw(angles()),
        center=center,
        scale=draw(st.floats(0.01, 100)),
        perspective=draw(st.sampled_from([0.0, 0.3, 0.9])),
        up=draw(st.sampled_from(["y", "z"])),
    )


# --- the turntable --------------------------------------------------------------------------------


def test_without_angles_it_looks_from_the_front() -> None:
    assert View() == View.turntable() == View(np.eye(4))
    assert_array_equal(View().matrix, np.eye(4))


@pytest.mark.parametrize(
    ("view", "camera", "up"),
    [
        (View.turntable(90), (1, 0, 0), (0, 1, 0)),
        (View.turntable(-90), (-1, 0, 0), (0, 1, 0)),
        (View.turntable(180), (0, 0, -1), (0, 1, 0)),
        (View.turntable(0, 90), (0, 1, 0), (0, 0, -1)),
        (View.turntable(90, -90), (0, -1, 0), (1, 0, 0)),
        (View.turntable(0, 0, 90), (0, 0, 1), (-1, 0, 0)),
        (View.turntable(up="z"), (0, -1, 0), (0, 0, 1)),
        (View.turntable(90, up="z"), (1, 0, 0), (0, 0, 1)),
        (View.turntable(0, 90, up="z"), (0, 0, 1), (0, 1, 0)),
    ],
)
def test_quarter_turns_are_exact(
    view: View, camera: tuple[int, int, int], up: tuple[int, int, int]
) -> None:
    assert_array_equal(view.matrix[:3, 2], camera)
    assert_array_equal(view.matrix[:3, 1], up)
    assert_array_equal(view.matrix[:3, 0], np.cross(up, camera))
    assert not np.signbit(view.matrix[view.matrix == 0]).any()


def test_yaw_moves_the_camera_to_the_right_and_pitch_raises_it() -> None:
    x, y, z = View.turntable(20, 10).matrix[:3, 2]
    assert x > 0.3
    assert y > 0.1
    assert z > 0.9


@given(view=turntables())
def test_a_turntable_has_the_axes_of_a_camera(view: View) -> None:
    """Of one length and at right angles, right-handed; the centre is in the middle."""
    slopes = tangents(view.matrix)
    scale = np.linalg.norm(slopes[:, 0])
    tolerance = 100 * ROUNDING / scale  # of what is moved to the centre and back
    assert_allclose(slopes.T @ slopes / scale**2, np.eye(3), atol=tolerance + ROUNDING)
    assert np.linalg.det(slopes / scale) > 0


def test_perspective_shows_near_things_larger() -> None:
    center = np.array([1.0, 2, 3])
    view = View.turntable(30, 20, center=center, scale=2, perspective=0.5)
    assert_allclose(shown_at(view, 0, 0, 0), center, rtol=ROUNDING)
    for z in (-1.0, 0.0, 0.7):
        width = shown_at(view, 1, 0, z) - shown_at(view, -1, 0, z)
        assert np.linalg.norm(width) == pytest.approx(4 / (1 + 0.5 * z), rel=ROUNDING)
    assert not view.is_affine
    assert View.turntable(30, center=center).is_affine


def test_isometric_shows_three_edges_of_a_cube_alike() -> None:
    for up in ("y", "z"):
        back = View.isometric(up=up).matrix[:3, 2]
        assert_allclose(np.abs(back), [math.sqrt(1 / 3)] * 3, rtol=ROUNDING)
    assert (View.isometric().matrix[:3, 2] > 0).all()


# --- look_at --------------------------------------------------------------------------------------


def test_look_at_from_the_front_is_the_plain_view() -> None:
    assert View.look_at((0, 0, 5)) == View()
    assert View.look_at((0, -7, 0), up=(0, 0, 1)) == View.turntable(up="z")
    assert View.look_at((3, 0, 1), (0, 0, 1), scale=2) == View.turntable(
        90, center=(0, 0, 1), scale=2
    )


def test_all_lines_of_sight_meet_in_the_eye() -> None:
    eye, target, fov = np.array([3.0, 2, 5]), np.array([0.5, -1, 0]), 40.0
    view = View.look_at(eye, target, fov=fov)
    assert_allclose(shown_at(view, 0, 0, 0), target, rtol=ROUNDING)
    for x, y in product((-1.0, 0.3), (-0.2, 1.0)):
        far, near = (shown_at(view, x, y, z) - eye for z in (-1, 1))
        assert_allclose(np.cross(far, near), 0, atol=100 * ROUNDING)
    left, right = (shown_at(view, x, 0, 0) - eye for x in (-1, 1))
    cosine = left @ right / np.linalg.norm(left) / np.linalg.norm(right)
    assert math.degrees(math.acos(cosine)) == pytest.approx(fov, rel=1e-9)


# --- boxes that are seen whole --------------------------------------------------------------------


@st.composite
def sides(draw: st.DrawFn) -> tuple[float, float]:
    low = draw(st.floats(-5, 5))
    return low, low + draw(st.floats(0.01, 4))


@given(view=turntables(), x=sides(), y=sides(), z=sides(), margin=st.sampled_from([0.0, 0.05, 1]))
def test_a_fitted_view_shows_a_box_whole(view: View, x: Any, y: Any, z: Any, margin: float) -> None:
    found = view.fitted(x, y, z, margin=margin)
    places = np.array([seen_at(found, corner) for corner in product(x, y, z)])
    assert np.abs(places).max() <= 1 + 1e-9
    middle = [(low + high) / 2 for low, high in (x, y, z)]
    assert_allclose(shown_at(found, 0, 0, 0), middle, atol=1e-9)
    # from the same side
    before, after = tangents(view.matrix), tangents(found.matrix)
    size = np.linalg.norm(after) / np.linalg.norm(before)
    assert_allclose(after, before * size, atol=1e-9 * float(np.linalg.norm(after)))
    if not margin:
        assert np.abs(places).max() >= 1 - 1e-9, "and no larger than needed"


def test_fit_is_a_turntable_about_a_box() -> None:
    box = ((0, 2), (-1, 0), (5, 5.5))
    options: dict[str, Any] = {"perspective": 0.3, "up": "z"}
    view = View.fit(box, 30, 20, 10, margin=0.1, **options)
    assert view == View.turntable(30, 20, 10, **options).fitted(*box, margin=0.1)
    assert View.fit(((-1, 1),) * 3, margin=0) == View()


def test_a_fitted_view_of_a_quarter_turn_keeps_axes_apart() -> None:
    view = View.turntable(90, center=(0.1, 0.2, 0.3)).fitted((0, 1), (0, 0.7), (0.3, 0.9))
    assert np.count_nonzero(view.matrix[:3, :3]) == 3


# --- as objects -----------------------------------------------------------------------------------


@given(view=turntables())
def test_a_view_is_a_value(view: View) -> None:
    again = pickle.loads(pickle.dumps(view))
    assert again == view
    assert hash(again) == hash(view)
    assert eval(repr(view), {"View": View}) == view
    assert "\n" not in repr(view) + str(view)
    assert view != View.turntable(1, 2, 3, scale=7)
    assert view != "another thing"


def test_a_view_prints_what_it_shows() -> None:
    view = View.turntable(90, 0, center=(1, 2, 3), scale=0.5, perspective=0.25)
    said = "from (1, 0, 0), up (0, 1, 0), center (1, 2, 3), scale 0.5, perspective 0.25"
    assert str(view) == said
    assert str(View()) == "from (0, 0, 1), up (0, 1, 0), center (0, 0, 0), scale 1"


def test_a_matrix_is_not_changed_from_outside() -> None:
    given_ = np.eye(4)
    view = View(given_)
    given_[0, 0] = 7
    assert view == View()
    with pytest.raises(ValueError, match="read-only"):
        view.matrix[0, 0] = 7


FLAT = np.eye(4) - np.diag([0, 0, 1, 0])
TURNED_FLAT = View.turntable(31, 17, 5).matrix @ FLAT
TILTED = np.eye(4)
TILTED[3] = [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: View(FLAT), "singular"),
        (lambda: View(TURNED_FLAT), "singular"),
        (lambda: View(np.ones((4, 4))), "singular"),
        (lambda: View(np.eye(3)), "4 rows of 4"),
        (lambda: View(np.diag([np.inf, 1, 1, 1])), "must be finite"),
        (lambda: View(TILTED), "inside infinity"),
        (lambda: View(-np.eye(4)), "inside infinity"),
        (lambda: View.turntable(np.nan), "yaw=nan: give a finite number"),
        (lambda: View.turntable(scale=0), "scale=0: give a number above 0"),
        (lambda: View.turntable(scale=-1), "scale=-1: give a number above 0"),
        (lambda: View.turntable(perspective=1), "from 0 to below 1"),
        (lambda: View.turntable(center=(0, 0)), "give three finite numbers"),
        (lambda: View.turntable(up="x"), "choose 'y' or 'z'"),
        (lambda: View.look_at((0, 0, 0)), "has no direction from"),
        (lambda: View.look_at((0, 3, 0)), "no direction across the line of sight"),
        (lambda: View.look_at((0, 3, 0), up=(0, 0, 0)), "no direction across the line of sight"),
        (lambda: View.look_at((0, 0, 1), fov=90), "below 90 degrees"),
        (lambda: View.look_at((0, 0, 1), fov=30, scale=2), "give one of them"),
        (lambda: View.fit(((0, 1), (0, 1))), "give three pairs"),
        (lambda: View().fitted((1, 0), (0, 1), (0, 1)), "give the lower end first"),
        (lambda: View().fitted((1, 1), (2, 2), (3, 3)), "cannot be seen whole"),
        (lambda: View().fitted((0, 1), (0, 1), (0, 1), margin=-1), "give a number from 0"),
    ],
)
def test_what_shows_no_volume_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ivm.OptionError, match=said):
        make()


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e12, 1e200])
def test_a_view_may_be_of_any_size(scale: float) -> None:
    view = View.turntable(31, 17, 5, center=(scale, 0, 0), scale=scale)
    assert np.linalg.norm(tangents(view.matrix)[:, 0] / scale) == pytest.approx(1)
