"""Python files in place of a ``.vm``, in every command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import intervalvm as ivm
from intervalvm.cli import main
from intervalvm.shapes import circle, rectangle, sphere

TEXT = """\
from intervalvm import var
from intervalvm.shapes import circle, rectangle, sphere
print("working")
r = var("r", 0.5)
disc = circle(r).paint("teal")
ball = sphere(0.5)
shape = disc | rectangle(0.2, 1.5)
"""
SHAPE = circle(ivm.var("r", 0.5)).paint("teal") | rectangle(0.2, 1.5)


@pytest.fixture(autouse=True)
def script(here: Path) -> Path:
    path = here / "part.py"
    path.write_text(TEXT)
    return path


def test_render_keeps_colours_and_defaults(here: Path) -> None:
    assert main(["part.py", "--size", "64", "--quiet"]) == 0
    found = np.asarray(PIL.Image.open(here / "part.png").convert("RGB"))
    np.testing.assert_array_equal(found, ivm.render(SHAPE, size=64).shown)
    assert main(["part.py:disc", "--size", "64", "--set", "r=0.25", "--check"]) == 0
    found = np.asarray(PIL.Image.open(here / "part.png").convert("RGB"))
    disc = circle(0.25).paint("teal")
    np.testing.assert_array_equal(found, ivm.render(disc, size=64).shown)


def test_json_alone_is_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["part.py", "--size", "64", "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["file"] == "part.py"
    assert "working" in err


def test_solids_outlines_and_meshes(here: Path) -> None:
    assert main(["render3d", "part.py:ball", "--size", "64", "--quiet"]) == 0
    found = np.asarray(PIL.Image.open(here / "part.png").convert("RGB"))
    np.testing.assert_array_equal(found, ivm.render3d(sphere(0.5), size=64).pixels)
    assert main(["contour", "part.py", "--quiet"]) == 0
    assert ivm.contour(SHAPE).svg().count("<path") == (here / "part.svg").read_text().count("<path")
    assert main(["mesh", "part.py:ball", "--depth", "4", "--quiet"]) == 0
    assert (here / "part.stl").stat().st_size > 1000


def test_facts_shorter_tapes_and_times(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "part.py", "--json"]) == 0
    facts = json.loads(capfd.readouterr()[0])
    assert facts["clauses"] == len(SHAPE.tape())
    assert facts["bounds"] is not None  # by the default of r
    assert main(["simplify", "part.py", "--x", "0.3", "0.4", "--y", "0", "0.1"]) == 0
    assert len(ivm.parse(capfd.readouterr()[0])) <= len(SHAPE.tape())
    assert main(["bench", "part.py:ball", "--size", "16", "--json"]) == 0
    assert all(row["identical"] for row in json.loads(capfd.readouterr()[0])["rows"])


def test_an_error_is_one_message_with_its_line(capfd: pytest.CaptureFixture[str]) -> None:
    Path("part.py").write_text("from intervalvm.shapes import *\nshape = crcle(1)\n")
    assert main(["part.py"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("intervalvm: error: part.py:2:9: NameError: name 'crcle' is not defined")
    assert "Traceback" not in err


def test_its_own_file_is_not_written_over(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["part.py:disc", "--out", "part.py"]) == 2
    assert "part.py" in capfd.readouterr()[1]
    assert Path("part.py").read_text() == TEXT


def test_a_certificate_is_of_a_tape(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["part.py", "--certificate", "part.jsonl"]) == 2
    assert "save its shape as .vm" in capfd.readouterr()[1]


def test_a_window_on_what_cannot_be_read(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["view", "nothing.py", "--no-browser"]) == 2
    assert "no such file" in capfd.readouterr()[1]
    assert main(["view", "circle.vm", "--no-browser", "--port", "70000"]) == 2
    assert "--port" in capfd.readouterr()[1]
