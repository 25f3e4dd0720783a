"""Pictures: ink on paper, formats with and without alpha, layers, what a screen is given."""

from __future__ import annotations

import io
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image as Pillow
from PIL import ImageShow

import intervalvm as ivm
from intervalvm import ArgumentTypeError, BackendError, OptionError, shapes
from intervalvm.raster.formats import COLOURS, OPAQUE
from intervalvm.raster.look import Look

BYTES = st.integers(0, 255)
RGB = st.tuples(BYTES, BYTES, BYTES)
STAR = shapes.star(5, 0.9, 0.4)
SIZE = 64, 48
NAVY, WHITE, BLACK = (0, 0, 128), (255, 255, 255), (0, 0, 0)


def read_back(picture: ivm.Picture, format: str) -> Pillow.Image:
    picture.write(stream := io.BytesIO(), format)
    stream.seek(0)
    return Pillow.open(stream)


# --- ink and paper --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ink", "paper", "expected"),
    [
        (None, None, (WHITE, BLACK)),
        ("navy", None, (NAVY, WHITE)),
        ("#fe8", None, ((255, 238, 136), BLACK)),
        (None, "navy", (WHITE, NAVY)),
        (None, "#fe8", (BLACK, (255, 238, 136))),
        (None, "none", (BLACK, None)),
        ("navy", "Transparent", (NAVY, None)),
        (NAVY, (0, 0, 128), (NAVY, NAVY)),
    ],
)
def test_what_is_not_said_contrasts_with_what_is(ink: Any, paper: Any, expected: Any) -> None:
    look = Look.of(ink, paper)
    assert (look.ink, look.paper) == expected
    image = ivm.render(STAR, size=SIZE, ink=ink, paper=paper)
    shown = image.shown
    assert shown.shape == (*SIZE[::-1], 3 if expected[1] else 4)
    inside = image.pixels == 255
    assert (shown[inside][:, :3] == expected[0]).all()
    if expected[1] is None:
        assert_array_equal(shown[..., 3], image.pixels)
    else:
        assert (shown[~inside] == expected[1]).all()


@given(RGB, RGB)
def test_coverage_blends_to_the_nearest_byte(ink: Any, paper: Any) -> None:
    table = Look(ink, paper).table()
    share = np.arange(256)[:, None] / 255
    mixed = np.array(ink) * share + np.array(paper) * (1 - share)
    assert_array_equal(table, np.rint(mixed))  # no mean lies in the middle: 255 is odd
    assert_array_equal(Look(ink, None).table()[:, :3], np.broadcast_to(ink, (256, 3)))


def test_unproven_pixels_are_halfway() -> None:
    image = ivm.render(STAR, size=SIZE, prove="area", ink="navy", paper="white")
    unproven = image.pixels == 128
    assert unproven.any()
    assert (image.shown[unproven] == (127, 127, 191)).all()
    clear = ivm.render(STAR, size=SIZE, prove="area", ink="navy", paper="none")
    assert_array_equal(clear.shown[..., 3], image.pixels)


PAINTED = STAR.paint("teal") | shapes.circle(0.3).move(0.6)


def test_ink_colours_what_has_no_paint() -> None:
    image = ivm.render(PAINTED, size=SIZE, ink="navy")
    assert {*map(tuple, image.shown.reshape(-1, 3).tolist())} == {NAVY, (0, 128, 128), WHITE}
    clear = ivm.render(PAINTED, size=SIZE, paper="none")
    assert_array_equal(clear.shown[..., 3], clear.pixels)
    inside = clear.pixels == 255
    assert clear.colours is not None
    assert_array_equal(clear.shown[inside][:, :3], clear.colours[inside])
    plain = ivm.render(PAINTED, size=SIZE)
    assert_array_equal(plain.shown, plain.colours)
    proven = ivm.render(PAINTED, size=SIZE, prove="area")
    assert_array_equal(proven.shown, proven.colours)


def test_frames_of_a_renderer_have_ink_and_paper() -> None:
    renderer = ivm.Renderer(STAR, size=SIZE, ink="navy")
    assert (renderer.render().shown[0, 0] == WHITE).all()
    assert (renderer.render(paper="#fe8").shown[0, 0] == (255, 238, 136)).all()
    again = pickle.loads(pickle.dumps(renderer.render(paper="none")))
    assert_array_equal(again.shown, renderer.render(paper="none").shown)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ink": "nvay"}, "ink='nvay' is not a colour .*did you mean 'navy'"),
        ({"ink": "none"}, "ink='none' is not a colour"),
        ({"paper": "whit"}, "paper='whit' is not a colour.*or \"none\" for a transparent paper"),
        ({"paper": (1, 2, 300)}, "paper=.* is not a colour"),
    ],
)
def test_what_is_no_colour_is_told(options: Any, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        ivm.render(STAR, **options)
    with pytest.raises(ArgumentTypeError, match="paper=3 is not a colour"):
        ivm.Renderer(STAR, paper=3)


# --- files ----------------------------------------------------------------------------------------

LOOKS: dict[str, dict[str, Any]] = {
    "plain": {},
    "ink": {"ink": "navy", "paper": "#fe8"},
    "clear": {"paper": "none"},
    "proven": {"prove": "area"},
    "proven ink": {"prove": "area", "ink": "#fe8"},
    "proven clear": {"prove": "area", "paper": "none"},
}


@pytest.mark.parametrize("shape", [STAR, PAINTED], ids=["bare", "painted"])
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("format", COLOURS)
def test_a_file_holds_what_is_shown(format: str, look: str, shape: Any) -> None:
    image = ivm.render(shape, size=SIZE, **LOOKS[look])
    if format in OPAQUE and image.shown.shape[2] == 4:
        with pytest.raises(OptionError, match=rf"a \.{format} has no transparency: give the paper"):
            image.write(io.BytesIO(), format)
        return
    for picture in (image, ivm.Picture(image.shown)):
        with read_back(picture, format) as read:
            found = np.asarray(read.convert("RGBA" if image.shown.shape[2] == 4 else "RGB"))
        if format in ("jpg", "jpeg"):
            assert np.abs(found.astype(int) - image.shown).mean() < 3  # it is lossy
        else:
            assert_array_equal(found, image.shown)


def test_jpeg_keeps_colours_at_full_resolution() -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2] = (255, 0, 0)
    stripes[:, 1::2] = (0, 0, 255)
    with read_back(ivm.Picture(stripes), "jpg") as read:
        found = np.asarray(read)
    assert np.abs(found.astype(int) - stripes).max() < 40
    with read_back(ivm.render(STAR, size=SIZE), "jpg") as read:
        assert read.mode == "L"


@pytest.mark.parametrize(
    ("options", "mode", "bits"),
    [({}, "1", 1), ({"ink": "navy"}, "P", 1), ({"paper": "none"}, "P", 1),
     ({"prove": "area"}, "L", 8), ({"prove": "area", "ink": "navy"}, "P", 8)],
)  # fmt: skip
def test_a_png_of_few_colours_has_few_bits(options: Any, mode: str, bits: int) -> None:
    image = ivm.render(STAR, size=SIZE, **options)
    image.write(stream := io.BytesIO(), "png")
    assert stream.getvalue()[24] == bits  # of the header: bits a sample
    with Pillow.open(stream) as read:
        assert read.mode == mode


def test_greys_alone_hold_what_is_inside() -> None:
    image = ivm.render(STAR, size=SIZE, ink="navy", paper="none")
    for format in ("pgm", "pbm"):
        with read_back(image, format) as read:
            assert_array_equal(read.convert("L"), image.pixels)


# --- pictures of arrays, layers -------------------------------------------------------------------


def test_a_picture_of_an_array() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    picture = ivm.Picture(grey)
    assert (picture.width, picture.height, picture.shown.shape) == (4, 3, (3, 4, 3))
    assert repr(picture) == "<Picture 4x3>"
    assert_array_equal(np.asarray(picture)[..., 1], grey)
    assert_array_equal(ivm.Picture(picture.to_pil()).shown, picture.shown)
    assert repr(ivm.Picture(np.zeros((1, 2, 4), np.uint8))) == "<Picture 2x1, with alpha>"
    with Pillow.open(io.BytesIO(picture._repr_png_())) as read:
        assert_array_equal(read, picture.shown)
    again = pickle.loads(pickle.dumps(picture))
    assert_array_equal(again.shown, picture.shown)


@pytest.mark.parametrize(
    "value",
    [None, 3, "a.png", np.zeros((2, 2)), np.zeros((2, 2, 2), np.uint8), np.zeros((0, 3), np.uint8),
     np.zeros((2, 0, 3), np.uint8), [[1], [2, 3]], np.zeros(4, np.uint8)],
)  # fmt: skip
def test_what_is_no_picture_is_told(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"is no picture: give one, or an array uint8"):
        ivm.Picture(value)


@given(RGB, RGB)
def test_transparent_paper_over_a_colour_is_that_paper(ink: Any, paper: Any) -> None:
    """In any coverage, bit for bit."""
    table = Look(ink, None).table()[None]
    assert_array_equal(ivm.Picture(table).over(paper).shown[0], Look(ink, paper).table())


def test_layers() -> None:
    upper = ivm.render(STAR, size=SIZE, ink="navy", paper="none")
    lower = ivm.render(shapes.circle(0.6), size=SIZE, ink="#fe8", paper="teal")
    both = upper.over(lower)
    assert type(both) is ivm.Picture
    inside = upper.pixels == 255
    assert_array_equal(both.shown, np.where(inside[..., None], NAVY, lower.shown))
    assert_array_equal(lower.over(upper).shown, lower.shown)
    clear = upper.over(ivm.render(STAR, size=SIZE, paper="none"))
    assert clear.shown.shape[2] == 4
    assert_array_equal(upper.over(lower.to_pil()).shown, both.shown)
    assert_array_equal(upper.over("white").shown[~inside], np.full(((~inside).sum(), 3), 255))
    assert_array_equal(upper.over(lower).over("red").shown, both.shown)
    solid = ivm.render3d(shapes.sphere(0.5), size=(*SIZE, 8))
    assert_array_equal(upper.over(solid).shown[~inside], solid.pixels[~inside])


def test_layers_that_do_not_fit_are_told() -> None:
    upper = ivm.render(STAR, size=SIZE, paper="none")
    with pytest.raises(OptionError, match="below has 8x8 pixels, the one above 64x48: draw both"):
        upper.over(ivm.render(STAR, size=8))
    with pytest.raises(OptionError, match="below='nowhere' is not a colour"):
        upper.over("nowhere")
    with pytest.raises(ArgumentTypeError, match="is no picture"):
        upper.over(3)


# --- screens --------------------------------------------------------------------------------------


class Viewer(ImageShow.Viewer):
    """A viewer of Pillow's, which keeps what it is shown."""

    def __init__(self) -> None:
        self.seen: list[Pillow.Image] = []

    def show(self, image: Pillow.Image, **_: Any) -> int:
        self.seen.append(image)
        return 1


@pytest.fixture
def viewer(monkeypatch: pytest.MonkeyPatch) -> Viewer:
    found = Viewer()
    monkeypatch.setattr(ImageShow, "_viewers", [found])
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=None, get_ipython=object))
    return found


def test_a_picture_is_shown_in_a_viewer(viewer: Viewer) -> None:
    """As from IPython in a terminal, which has no pictures."""
    image = ivm.render(STAR, size=SIZE, ink="navy")
    image.show()
    assert_array_equal(viewer.seen[0], image.shown)


def test_a_notebook_shows_it_below_the_cell(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    jupyter = SimpleNamespace(
        display=SimpleNamespace(display=seen.append),
        get_ipython=lambda: SimpleNamespace(kernel=None),
    )
    marimo = SimpleNamespace(
        output=SimpleNamespace(append=seen.append), running_in_notebook=lambda: True
    )
    image = ivm.render(STAR, size=SIZE)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "IPython", jupyter)
        image.show()
    monkeypatch.setitem(sys.modules, "marimo", marimo)
    image.show()
    assert seen == [image, image]
    assert not viewer.seen


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen")
def test_without_a_viewer_or_a_screen_the_error_says_so(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = ivm.render(STAR, size=SIZE)
    monkeypatch.setattr(
        ImageShow, "_viewers", [ImageShow.IPythonViewer.__new__(ImageShow.IPythonViewer)]
    )
    with pytest.raises(BackendError, match=r"no program that shows pictures here: save it instead"):
        image.show()
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BackendError, match=r"there is no screen here: save it instead, as by"):
        image.show()


def test_a_picture_is_written_whole(tmp_path: Path) -> None:
    picture = ivm.render(STAR, size=SIZE).over("red")
    picture.save(tmp_path / "a.webp")
    with Pillow.open(tmp_path / "a.webp") as read:
        assert_array_equal(read.convert("RGB"), picture.shown)
    with pytest.raises(OptionError, match=r"'\.pgm' names no format: choose \.png \.jpg"):
        picture.save(tmp_path / "a.pgm")
