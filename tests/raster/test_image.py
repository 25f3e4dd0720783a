"""Images: what they show, how they are written, and what stays when writing fails."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import PIL.TiffTags
import pytest

from intervalvm import parse, render
from intervalvm.errors import ArgumentTypeError, FileError, OptionError
from intervalvm.files import write_atomically
from intervalvm.raster import formats
from intervalvm.raster.canvas import canvas
from intervalvm.raster.formats import FORMATS
from intervalvm.raster.grid import coordinates
from intervalvm.raster.image import Image
from intervalvm.raster.region import Region
from intervalvm.raster.stats import Level, Stats, milliseconds
from intervalvm.suffixes import format_of

PICTURE = """\
......###
.#...####
##.#.####
#........
"""


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 13), (1024, 1000)])
def test_a_canvas_starts_on_a_cache_line(shape: tuple[int, int], dtype: str) -> None:
    for clear in (False, True):
        memory = canvas(shape, np.dtype(dtype), clear=clear)
        assert (memory.shape, memory.dtype) == (shape, dtype)
        assert memory.ctypes.data % 64 == 0
        assert memory.flags.c_contiguous
    assert not memory.any()


def test_an_image_travels_with_its_stats() -> None:
    image = render(parse("x var-x"), size=32)
    again = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(again.pixels, image.pixels)
    assert again.stats == image.stats
    assert (again.region, again.stats.pixels["total"]) == (image.region, 1024)


def pixels(art: str = PICTURE) -> np.ndarray:
    return np.array([[255 * (c == "#") for c in row] for row in art.split()], np.uint8)


def ascii_art(bitmap: np.ndarray) -> str:
    return "".join("".join(".#"[int(v) // 255] for v in row) + "\n" for row in bitmap)


def stats(**changes: Any) -> Stats:
    return Stats(
        **{
            "clauses": 7866,
            "size": (9, 4),
            "depth": 6,
            "engine": "pruned",
            "backend": "numba",
            "dtype": "float32",
            "threads": 2,
            "grid": "linspace",
            "seconds": {"compile": 0.0123, "render": 0.00154},
            "pixels": {"inside": 14, "evaluated": 9, "total": 36},
            "levels": (
                Level((128, 128), 64, 0, 1, 63, 199.04),
                Level((16, 16), 4032, 512, 1530, 1990, 16.2),
            ),
            **changes,
        }
    )


def made(pixels: np.ndarray) -> Image:
    """An image of pixels."""
    shown = Region((-1, 1), (0, 1))
    height, width = pixels.shape
    return Image(pixels, shown, stats(), coordinates(shown, width, height, "linspace", "float32"))


@pytest.fixture
def image() -> Image:
    return made(pixels())


@pytest.fixture
def values() -> Image:
    v = np.where(pixels() > 0, -0.5, 0.25)
    v[0, 0], v[0, 1], v[0, 2] = np.nan, np.inf, 0.0
    v[3, 0] = -np.inf
    return made(v)


def test_what_an_image_says_of_itself(image: Image, values: Image) -> None:
    assert (image.width, image.height, image.mode) == (9, 4, "bitmap")
    assert repr(image) == "<Image 9x4, bitmap, x -1..1, y 0..1>"
    assert values.mode == "value"


def test_numpy_reads_an_image(image: Image, values: Image) -> None:
    assert np.asarray(image) is image.pixels
    assert np.asarray(image, dtype=float).dtype == np.float64
    assert np.array(image) is not image.pixels
    assert np.array(values).dtype == np.float64
    with pytest.raises(ValueError, match="copy"):
        np.array(image, dtype=float, copy=False)


def test_values_below_0_are_inside(values: Image) -> None:
    assert ascii_art(values.bitmap()) == PICTURE


# writing


@pytest.mark.parametrize("suffix", [name for name in FORMATS if name not in ("npy", "jpg", "jpeg")])
def test_a_picture_reads_back(image: Image, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix.upper()}"
    image.save(path)
    with PIL.Image.open(path) as read:
        assert ascii_art(np.asarray(read.convert("L"))) == PICTURE
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", ["png", "pgm", "ppm", "pbm", "webp"])
def test_a_picture_of_values_shows_what_is_inside(
    values: Image, tmp_path: Path, suffix: str
) -> None:
    values.save(tmp_path / f"a.{suffix}")
    with PIL.Image.open(tmp_path / f"a.{suffix}") as read:
        assert ascii_art(np.asarray(read.convert("L"))) == PICTURE


def test_npy_and_tif_hold_the_values(values: Image, tmp_path: Path) -> None:
    values.save(tmp_path / "v.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), values.pixels)
    values.save(tmp_path / "v.tif")
    with PIL.Image.open(tmp_path / "v.tif") as read:
        np.testing.assert_array_equal(np.asarray(read), values.pixels.astype(np.float32))


@pytest.mark.parametrize(
    ("suffix", "magic"), [("pgm", b"P5"), ("ppm", b"P6"), ("pbm", b"P4"), ("npy", b"\x93NUMPY")]
)
def test_a_suffix_names_its_own_format(
    image: Image, tmp_path: Path, suffix: str, magic: bytes
) -> None:
    image.save(tmp_path / f"a.{suffix}")
    assert (tmp_path / f"a.{suffix}").read_bytes().startswith(magic)


def test_a_notebook_shows_a_png(image: Image) -> None:
    with PIL.Image.open(io.BytesIO(image._repr_png_())) as read:
        assert ascii_art(np.asarray(read.convert("L"))) == PICTURE


def test_a_view_of_every_other_pixel_is_written(image: Image, tmp_path: Path) -> None:
    every_other = made(image.pixels[::2, ::3])
    every_other.save(tmp_path / "a.png")
    with PIL.Image.open(tmp_path / "a.png") as read:
        assert (np.asarray(read.convert("L")) == image.pixels[::2, ::3]).all()


def test_a_named_format_overrides_the_suffix(image: Image, tmp_path: Path) -> None:
    image.save(tmp_path / "a.dat", format="png")
    assert (tmp_path / "a.dat").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_is_written_to_a_stream(image: Image, tmp_path: Path, format: str) -> None:
    """As Pillow does: where the stream stands, and its name says the format."""
    image.save(tmp_path / f"a.{format}")
    expected = (tmp_path / f"a.{format}").read_bytes()
    for name in (format, format.upper(), f".{format}"):
        image.save(stream := io.BytesIO(), name)
        assert stream.getvalue() == expected
    with open(tmp_path / f"b.{format}", "wb") as file:
        image.save(file)
        assert not file.closed
    assert (tmp_path / f"b.{format}").read_bytes() == expected
    with tempfile.TemporaryFile() as file:  # whose name is a number
        image.save(file, format)
        file.seek(0)
        assert file.read() == expected


class OnlyWrites:
    """The least that is a stream: a socket or a response of a server."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> int:
        self.data += bytes(data)
        return len(data)


@pytest.mark.parametrize("format", FORMATS)
def test_a_stream_need_not_be_seekable(image: Image, format: str) -> None:
    image.save(expected := io.BytesIO(), format)
    image.save(stream := OnlyWrites(), format)
    assert stream.data == expected.getvalue()
    reading, writing = os.pipe()
    with open(reading, "rb") as reader, open(writing, "wb") as writer:
        image.write(writer, format)
        writer.close()
        assert reader.read() == expected.getvalue()


def test_a_stream_without_a_name_needs_a_format(image: Image, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="a stream has no suffix: name the format, as in format="):
        image.save(io.BytesIO())
    with tempfile.TemporaryFile() as file, pytest.raises(OptionError, match="name the format"):
        image.save(file)
    with pytest.raises(ArgumentTypeError, match="the file is bytes"):
        image.save(io.StringIO(), "png")
    with open(tmp_path / "a.png", "w") as file, pytest.raises(TypeError, match="in mode 'wb'"):
        image.save(file)
    with pytest.raises(ArgumentTypeError, match="format=3: give a name, as in format='png'"):
        image.save(tmp_path / "b.png", 3)  # type: ignore[arg-type]
    with open(tmp_path / "a.png", "rb") as reader, pytest.raises(OptionError, match="mode 'wb'"):
        image.save(reader)
    with pytest.raises(OptionError, match=r"^format='bmp' names no format: choose \.png"):
        image.save(io.BytesIO(), "bmp")


@pytest.mark.parametrize("path", ["a.jfif", "a", "png", ".png", "a.png.bak", "a."])
def test_an_unknown_suffix_lists_the_known_ones(path: str) -> None:
    with pytest.raises(OptionError, match=r"choose \.png \.jpg \.jpeg \.webp \.tif"):
        format_of(path, None, FORMATS)


@pytest.mark.parametrize(
    ("format", "width", "height", "fits"),
    [
        ("webp", 16383, 16383, True),
        ("webp", 16384, 1, False),
        ("webp", 1, 16384, False),
        ("npy", 1 << 40, 1, True),
        ("jpg", 65500, 65500, True),
        ("jpeg", 65501, 1, False),
        *((name, (1 << 29) - 2, 1 << 20, name not in formats.SIDE_MOST) for name in FORMATS),
        *((name, (1 << 29) - 1, 1, name == "npy") for name in FORMATS),
    ],
)
def test_what_a_format_holds(format: str, width: int, height: int, fits: bool) -> None:
    """The last two are where Pillow reports that memory has run out."""
    if fits:
        formats.check_holds(format, width, height)
    else:
        with pytest.raises(OptionError, match=f"at most .*, not .*{width}.*: choose"):
            formats.check_holds(format, width, height)


def test_an_image_too_large_for_its_format_is_not_written(tmp_path: Path) -> None:
    wide = made(np.zeros((1, 16384), np.uint8))
    with pytest.raises(OptionError, match="at most 16383 pixels a side, not 16384x1"):
        wide.save(tmp_path / "a.webp")
    with pytest.raises(OptionError, match="at most 16383 pixels a side, not 16384x1"):
        wide.write(io.BytesIO(), "webp")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("mode", ["bitmap", "value"])
def test_a_tiff_beyond_4_gib_is_a_bigtiff(
    image: Image,
    values: Image,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    is_big: bool,
) -> None:
    """The limit is lowered to the size of a small image, for the offsets are the same."""
    chosen = image if mode == "bitmap" else values
    pixels = chosen.pixels if mode == "bitmap" else chosen.pixels.astype(np.float32)
    monkeypatch.setattr(formats, "TIFF_MOST", pixels.nbytes - is_big)
    chosen.save(tmp_path / "a.tif")
    header = (tmp_path / "a.tif").read_bytes()[:4]
    assert header == (b"II+\0" if is_big else b"II*\0")
    with PIL.Image.open(tmp_path / "a.tif") as read:
        np.testing.assert_array_equal(np.asarray(read), pixels)
        assert not hasattr(read, "n_frames") or read.n_frames == 1


@pytest.mark.parametrize("strip_bytes", [1, 7, 36, 72, 1 << 20])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (4, 9), (64, 33)])
def test_a_bigtiff_in_strips_of_any_size_reads_back(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int], dtype: type, strip_bytes: int
) -> None:
    monkeypatch.setattr(formats, "STRIP_BYTES", strip_bytes)
    monkeypatch.setattr(formats, "TIFF_MOST", 0)
    values = np.random.default_rng(1).integers(0, 256, shape).astype(dtype)[::-1, ::-1]
    made(values).write(stream := io.BytesIO(), "tif")
    with PIL.Image.open(stream) as read:
        np.testing.assert_array_equal(np.asarray(read), values)
        assert read.n_frames == 1
        assert read.tag_v2.tagtype[PIL.TiffImagePlugin.STRIPOFFSETS] == PIL.TiffTags.LONG8


def test_a_small_tiff_stays_one_that_every_program_reads() -> None:
    assert 3 << 30 < formats.TIFF_MOST < 1 << 32


# whole or not at all


def test_a_file_has_the_rights_that_the_umask_gives(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new", lambda stream: stream.write(b"new"))
    (tmp_path / "beside").write_bytes(b"")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "beside").stat().st_mode


def test_a_file_that_is_replaced_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, lambda stream: stream.write(b"new"))
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder/real")
    write_atomically(tmp_path / "link", lambda stream: stream.write(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "real").read_bytes() == b"new"


def test_a_device_stays_a_device() -> None:
    write_atomically(os.devnull, lambda stream: stream.write(b"gone"))
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, OSError(5, "I/O")])
def test_whatever_is_raised_the_old_file_stays(
    tmp_path: Path, error: BaseException | type[BaseException]
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def half(stream: Any) -> None:
        stream.write(b"half")
        raise error

    with pytest.raises((FileError, KeyboardInterrupt, SystemExit, MemoryError)):
        write_atomically(path, half)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_has_its_own_status(tmp_path: Path, number: int) -> None:
    def full(stream: Any) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(FileError, match="make room") as caught:
        write_atomically(tmp_path / "a", full)
    assert caught.value.exit_status == 3
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_knows_a_full_disk(image: Image, name: str) -> None:
    with pytest.raises(FileError, match="No space left") as caught:
        image.save("/dev/full", format=name)
    assert caught.value.exit_status == 3


def test_places_where_no_file_can_be(image: Image, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    for path, message in (
        (tmp_path / "folder.png", "is a folder"),
        (tmp_path / "none" / "a.png", "there is no folder"),
        (tmp_path / "file" / "a.png", "is not a folder"),
    ):
        with pytest.raises(FileError, match=message) as caught:
            image.save(path)
        assert caught.value.exit_status == 2


def test_write_protected_places(image: Image, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    path.chmod(0o444)
    if os.access(path, os.W_OK):
        pytest.skip("nothing is protected from this user")
    with pytest.raises(FileError, match="write-protected"):
        image.save(path)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(FileError, match="write-protected"):
            image.save(tmp_path / "b.png")
    finally:
        tmp_path.chmod(0o755)


# stats


def test_stats_print_as_a_table() -> None:
    assert str(stats()) == (
        "9x4 pixels, 7866 clauses, depth 6, grid linspace, float32\n"
        "pruned on numba, 2 threads\n"
        "14 pixels inside (38.9%), 9 evaluated (25.0%)\n"
        "\n"
        "   tile  regions  inside  outside  ambiguous  mean clauses\n"
        "128x128       64       0        1         63         199.0\n"
        "  16x16     4032     512     1530       1990          16.2\n"
        "\n"
        "compile      12.3 ms\n"
        "render       1.54 ms"
    )


def test_stats_without_levels() -> None:
    assert "tile" not in str(stats(levels=(), threads=1))
    assert "1 thread\n" in str(stats(levels=(), threads=1))


def test_stats_are_plain_json() -> None:
    plain = stats().as_json()
    assert json.loads(json.dumps(plain)) == plain
    assert list(plain) == [
        *("clauses", "size", "depth", "engine", "backend", "dtype", "threads", "grid"),
        *("seconds", "pixels", "levels"),
    ]
    assert plain["levels"][0] == {
        "tile": [128, 128],
        "regions": 64,
        "inside": 0,
        "outside": 1,
        "ambiguous": 63,
        "mean_clauses": 199.04,
    }


def test_times_are_read_at_a_glance() -> None:
    assert [milliseconds(s) for s in (0.0, 0.001234, 0.009999, 0.0456, 0.09996, 12.345)] == [
        *("0.00 ms", "1.23 ms", "10.0 ms", "45.6 ms", "100 ms", "12345 ms")
    ]
