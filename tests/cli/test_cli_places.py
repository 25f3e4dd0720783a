"""The command line: what is read and what is written, and that the one never harms the other."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from support.command_line import CIRCLE, PICTURE, QUICK, ascii_art, fails, files, process

import intervalvm as ivm
from intervalvm.api.save import SAVES
from intervalvm.cli import main
from intervalvm.files import PICTURES
from intervalvm.formats import write

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and descriptors of POSIX")
CORNER = ["--x", "0", "1", "--y", "0", "1"]


def state(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


# --- inputs as outputs, and two outputs in one place ----------------------------------------------

NAMES = ("tape.png", "./tape.png", "hard.png", "soft.png", "chain.png")
COMMANDS = {
    "render": lambda file, out: [file, *QUICK, "--out", out],
    "certificate": lambda file, out: [file, *QUICK, "--out", "new.png", "--certificate", out],
    "simplify": lambda file, out: ["simplify", file, *CORNER, "--out", out],
}


@posix
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("one", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_what_is_read_is_not_overwritten(
    here: Path, capsys: pytest.CaptureFixture[str], command: str, one: str, other: str
) -> None:
    (here / "circle.vm").rename(here / "tape.png")
    (here / "hard.png").hardlink_to("tape.png")
    (here / "soft.png").symlink_to("tape.png")
    (here / "chain.png").symlink_to("soft.png")
    before = state(here)
    said = fails(capsys, COMMANDS[command](one, other), folder=here)
    option = "--certificate" if command == "certificate" else "--out"
    assert f"{other} is the file that is read, and would be overwritten: give {option}" in said
    assert state(here) == before


def test_the_default_name_does_not_overwrite_either(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "circle.vm").rename(here / "shape.png")
    assert "give --out another name" in fails(capsys, ["shape.png", *QUICK], folder=here)
    assert (here / "shape.png").read_text() == CIRCLE


@pytest.mark.parametrize("words", [[], ["--out", "new.png"]])
def test_what_is_no_tape_is_told_before_where_to_write(
    words: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "shape.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    said = fails(capsys, ["shape.png", *QUICK, *words], folder=here)
    assert "shape.png:1:1: a PNG picture, not .vm text" in said


@posix
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("second", ["s.pgm", "./s.pgm", "to.pgm"])
def test_two_outputs_are_two_files(
    here: Path, capsys: pytest.CaptureFixture[str], second: str, there: bool
) -> None:
    (here / "to.pgm").symlink_to("s.pgm")
    if there:
        (here / "s.pgm").write_bytes(b"old")
    words = ["circle.vm", *QUICK, "--out", "s.pgm", "--certificate", second]
    assert "both write to" in fails(capsys, words, folder=here)
    assert (here / "s.pgm").exists() is there


@posix
def test_standard_input_is_not_overwritten_either(here: Path) -> None:
    with open("circle.vm", "rb") as tape:
        done = process("-", *QUICK, "--certificate", "circle.vm", stdin=tape)
    assert done.returncode == 2
    with open("circle.vm", "rb") as tape, open("circle.vm", "ab") as out:
        done = process("-", *QUICK, "--out", "-", stdin=tape, stdout=out)
    assert b"is the file that is read" in done.stderr
    assert (here / "circle.vm").read_text() == CIRCLE


# --- standard input and output --------------------------------------------------------------------


@pytest.mark.parametrize(("words", "written"), [([], "stdin.png"), (["--out", "a.png"], "a.png")])
def test_a_dash_reads_standard_input(here: Path, words: list[str], written: str) -> None:
    done = process("-", *QUICK, *words, input=CIRCLE.encode())
    assert done.returncode == 0, done.stderr
    assert files(here) == [written]
    assert ascii_art(here / written) == PICTURE


def test_every_command_reads_standard_input(here: Path) -> None:
    done = process("info", "-", "--json", input=CIRCLE.encode())
    assert json.loads(done.stdout)["clauses"] == 7
    done = process("simplify", "-", *CORNER, input=CIRCLE.encode())
    assert len(ivm.parse(done.stdout.decode())) == 7
    done = process("-", *QUICK, "--out", "-", input=b"a var-x\nb add a q\n")
    assert done.stderr.startswith(b"intervalvm: error: standard input:2:9: ")
    done = process("-", *QUICK, "--max-bytes", "10", input=CIRCLE.encode())
    assert (done.returncode, b"standard input: more than 10 bytes" in done.stderr) == (3, True)


def test_a_certificate_needs_a_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["circle.vm", *QUICK, "--certificate", "-"]
    assert "--certificate needs the name of a file" in fails(capsys, words, folder=here)
    words = ["-", *QUICK, "--certificate", "a"]
    assert "give a file, not -" in fails(capsys, words, folder=here)


def test_simplify_writes_utf_8_to_standard_output(here: Path) -> None:
    (here / "r.vm").write_text("x var-x\nr var-größe\nv sub x r\n", encoding="utf-8")
    environment = {"PYTHONIOENCODING": "ascii"}
    for out in ([], ["--out", "-"]):
        done = process("simplify", "r.vm", *CORNER, *out, environment=environment)
        assert (done.returncode, done.stderr) == (0, b"")
        assert "var-größe" in done.stdout.decode()
    assert files(here) == []


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no /dev/fd here")
@pytest.mark.parametrize("out", ["-", "/dev/stdout", "/dev/fd/1", "link"])
def test_standard_output_is_added_to_and_never_replaced(here: Path, out: str) -> None:
    (here / "log").write_bytes(b"line\n")
    (here / "link").symlink_to("/dev/stdout")
    with open("log", "ab") as log:
        done = process("circle.vm", *QUICK, "--out", out, stdout=log)
    assert done.returncode == 0, done.stderr
    data = (here / "log").read_bytes()
    assert data.startswith(b"line\n\x89PNG")
    assert ascii_art(io.BytesIO(data[5:])) == PICTURE
    with open("log", "ab") as log:
        done = process("circle.vm", *QUICK, "--json", "--out", out, stdout=log)
    assert b"both write to standard output" in done.stderr
    with open("log", "ab") as log:
        words = ["--out", "a.png", "--certificate", out if out != "-" else "/dev/stdout"]
        assert process("circle.vm", *QUICK, "--quiet", *words, stdout=log).returncode == 0
    assert b"intervalvm certificate" in (here / "log").read_bytes()[len(data) :]


# --- what is no tape, and what is no place for one ------------------------------------------------


def packed_zip(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tape.vm", data * 100)
    return stream.getvalue()


def picture(format: str) -> bytes:
    stream = io.BytesIO()
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    if format == "npy":
        np.save(stream, image)
    else:
        PIL.Image.fromarray(image).save(stream, format)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (picture("png"), "a PNG picture, not .vm text: give the tape itself"),
        (picture("jpeg"), "a JPEG picture"),
        (picture("gif"), "a GIF picture"),
        (picture("tiff"), "a TIFF picture"),
        (picture("webp"), "a WebP picture"),
        (picture("ppm"), "a picture (.pgm)"),
        (picture("npy"), "an array of NumPy's"),
        (gzip.compress(CIRCLE.encode()), "compressed by gzip: unpack it first"),
        (bz2.compress(CIRCLE.encode()), "compressed by bzip2: unpack it first"),
        (lzma.compress(CIRCLE.encode()), "compressed by xz: unpack it first"),
        (packed_zip(CIRCLE.encode()), "a ZIP archive: unpack it first"),
        ("x var-größe".encode("latin-1"), "not UTF-8, byte 0xf6: save it as UTF-8"),
        ("x var-x".encode("utf-16"), "UTF-16, byte 0xff: save it as UTF-8"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_file_that_is_no_tape_is_named_for_what_it_is(
    here: Path, capsys: pytest.CaptureFixture[str], data: bytes, message: str
) -> None:
    (here / "other.vm").write_bytes(data)
    said = fails(capsys, ["other.vm", *QUICK], folder=here)
    assert said.startswith("intervalvm: error: other.vm:1:")
    assert message in said
    assert ("save it as UTF-8" in said) is ("UTF" in message)


def test_a_tape_may_begin_like_the_files_of_others() -> None:
    for word in ("P5", "BZh", "%PDF", "RIFF", "GIF8"):
        assert len(ivm.parse(f"{word} var-x\nä neg {word}\n")) == 2


@pytest.mark.parametrize("suffix", sorted({*PICTURES, *SAVES, "txt", "v2"} - {"vm"}))
def test_a_tape_is_not_saved_under_the_name_of_another_file(
    here: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    for name in (f"a.{suffix}", f"a.{suffix.upper()}", Path(f"a.{suffix}")):
        with pytest.raises(ivm.OptionError, match=r"names another file: give a name in \.vm"):
            write.save(ivm.parse(CIRCLE), name)
    words = ["simplify", "none.vm", *CORNER, "--out", f"a.{suffix}"]
    assert "names another file" in fails(capsys, words, folder=here)


@pytest.mark.parametrize("name", ["a", "a.vm", "png", ".png", "a.png.vm", "a.VM"])
def test_a_tape_is_saved_under_any_other_name(here: Path, name: str) -> None:
    write.save(ivm.parse(CIRCLE), name)
    assert ivm.load(name) == ivm.parse(CIRCLE)


@pytest.mark.parametrize("name", [".", "..", "folder", "folder/"])
@pytest.mark.parametrize("command", [[], ["info"], ["bench"], ["simplify", *CORNER]])
def test_a_folder_is_named_as_one(
    here: Path, capsys: pytest.CaptureFixture[str], command: list[str], name: str
) -> None:
    (here / "folder").mkdir()
    said = fails(capsys, [*command[:1], name, *command[1:]], folder=here)
    assert said == f"intervalvm: error: {name}: is a folder, not a .vm file\n"


@pytest.mark.parametrize(
    "name", ["a" * 300, "a\0b", "a\udcffb", "a" * 300 + "/b", f"a{chr(0xD800)}"]
)
@pytest.mark.parametrize("place", ["file", "--out", "--certificate", "--set"])
def test_odd_names_are_typed_errors_or_work(
    here: Path, capsys: pytest.CaptureFixture[str], place: str, name: str
) -> None:
    """A lone surrogate is how Python reads a byte that is not UTF-8: a file may have it."""
    words = {
        "file": [name, *QUICK],
        "--out": ["circle.vm", *QUICK, "--out", f"{name}.png"],
        "--certificate": ["circle.vm", *QUICK, "--certificate", name],
        "--set": ["circle.vm", *QUICK, "--set", f"{name}=1"],
    }[place]
    status = main(words)
    _, said = capsys.readouterr()
    if name == "a\udcffb" and place in ("--out", "--certificate") and status == 0:
        assert f"{name}.png" in files(here) or name in files(here)
        return
    assert status == 2
    assert files(here) == []
    assert said.startswith("intervalvm: error: ")


@posix
def test_a_name_that_is_not_utf_8_is_printed(here: Path) -> None:
    (here / "a\udcff.vm").write_text(CIRCLE)
    done = process("info", "a\udcff.vm")
    assert (done.returncode, done.stdout.split(b"\n")[0]) == (0, b"a\\udcff.vm")
    done = process("a\udcff.vm", *QUICK, "--json")
    assert json.loads(done.stdout)["out"] == "a\udcff.png"
    assert files(here) == ["a\udcff.png"]
