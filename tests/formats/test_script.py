"""Python files that name a shape: which one, errors at their lines, the process that runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from support.places import TOP

import intervalvm as ivm
from intervalvm.errors import DoesNotFit, FileError, FormatError
from intervalvm.expr.paint import paint_of
from intervalvm.formats.script import Script, is_script, load_script, path_of
from intervalvm.shapes import circle, rectangle

HEAD = "import intervalvm as ivm\nfrom intervalvm.shapes import *\n"
DISC, SQUARE = len(circle(1).tape()), len(rectangle(1, 1).tape())


def loaded(folder: Path, text: str, name: str = "", **limits: Any) -> Any:
    path = folder / "part.py"
    path.write_text(HEAD + text)
    return load_script(f"{path}{name}", **limits)


@pytest.mark.parametrize(
    ("text", "name", "clauses"),
    [
        ("shape = circle(1)", "", DISC),
        ("shape = circle(1)\nother = rectangle(1, 1)", "", DISC),
        ("shape = circle(1)\nother = rectangle(1, 1)", ":other", SQUARE),
        ("def shape():\n    return circle(1)", "", DISC),
        ("def build():\n    return circle(1)\npart = rectangle(1, 1)", "", DISC),
        ("def wheel():\n    return circle(1)\ndef build():\n    return 5", ":wheel", DISC),
        ("a = circle(1)\nb = rectangle(1, 1)", "", SQUARE),
        ("a = circle(1)\nb = rectangle(1, 1)\na = circle(1)", "", DISC),
        ("for i in range(2):\n    a = circle(1)\nr = 3", "", DISC),
        ("if True:\n    a, b = rectangle(1, 1), circle(1)\nx, y, z = ivm.axes()", "", DISC),
        ("a = circle(1)\nclass C:\n    b = rectangle(1, 1)\nr = ivm.var('r', 1)", "", DISC),
        ("x, y, z = ivm.axes()\nfield = x * x + y * y - 1", "", 7),
        ("tape = ivm.parse('x var-x\\n')", "", 1),
        ("a = circle(1)\nif __name__ == '__main__':\n    raise SystemExit", "", DISC),
        ("import sys\nassert sys.argv == [__file__]\na = circle(1)", "", DISC),
        ("class P:\n    pass\nimport pickle\npickle.dumps(P)\na = circle(1)", "", DISC),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\n"
         "a = circle(1)", "", DISC),
    ],
)  # fmt: skip
def test_which_shape_it_is(tmp_path: Path, text: str, name: str, clauses: int) -> None:
    assert len(loaded(tmp_path, text, name).tape()) == clauses


def test_the_shape_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    text = (
        "shape = circle(ivm.var('r', 1 / 3)).move(0.1, -1e-300).paint('#c84') | rectangle(1, 2)\n"
    )
    found = loaded(tmp_path, text)
    names: dict[str, Any] = {}
    exec(HEAD + text, names)
    shape = names["shape"]
    assert str(found.tape()) == str(shape.tape())
    assert found.defaults == {"r": 1 / 3}
    image, expected = ivm.render(found, size=64), ivm.render(shape, size=64)
    np.testing.assert_array_equal(image.pixels, expected.pixels)
    assert image.colours is not None
    np.testing.assert_array_equal(image.colours, expected.colours)
    assert paint_of(loaded(tmp_path, "shape = circle(1)")) is None


@pytest.mark.parametrize("name", ["gear", "bracket", "truchet", "mug"])
def test_examples_are_as_they_are_when_imported(name: str) -> None:
    path = TOP / "examples" / f"{name}.py"
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(path.read_text(), str(path), "exec"), names)
    shape = names["build"]()
    found = load_script(str(path))
    assert str(found.tape()) == str(shape.tape())
    assert found.defaults == shape.defaults


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a = circle(1) - crcle(2)", 3, "NameError: name 'crcle'"),
        ("a = circle(1 - (2", 3, "SyntaxError: '(' was never closed"),
        ("if True:\na = 1", 4, "IndentationError"),
        ("def f():\n    return circle(-1)\n\nshape = f()", 4, "radius=-1"),
        ("def build():\n    return 1 / 0", 4, "ZeroDivisionError"),
        ("raise SystemExit(3)", 3, "SystemExit: 3"),
        ("import nothing_of_that_name", 3, "ModuleNotFoundError"),
        ("raise KeyboardInterrupt", 3, "KeyboardInterrupt"),
        ("circle(1)(2, 3) and 1", 3, "neither true nor false"),
        ("import json\njson.loads('{')", 4, "JSONDecodeError"),
        ("def f(n):\n    return f(n + 1)\nf(0)", 4, "RecursionError"),
    ],
)
def test_errors_are_told_at_their_lines(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(FormatError) as raised:
        loaded(tmp_path, text)
    error = raised.value
    assert error.line == line
    assert error.name == str(tmp_path / "part.py")
    assert said in str(error)
    assert (HEAD + text).split("\n")[line - 1].strip() in str(error)
    assert "^" in str(error)


def test_the_mark_is_under_the_word_that_failed(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as raised:
        loaded(tmp_path, "def f():\n    é = 'é', crcle(1)\nf()")
    assert str(raised.value).endswith("        é = 'é', crcle(1)\n                 ^~~~~")


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("r = 1", "", "names no shape"),
        ("x, y, z = ivm.axes()\nr = ivm.var('r', 1)", "", "names no shape"),
        ("a = circle(1)", ":b", "defines no b"),
        ("a = 5", ":a", "a is no shape, but of type int"),
        ("shape = [circle(1)]", "", "shape is no shape, but of type list"),
        ("def build():\n    pass", "", r"build\(\) is no shape, but of type NoneType"),
        ("import os\nos._exit(5)", "", "ended, with status 5"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "", "ended, with signal 11"),
    ],
)
def test_files_without_a_shape(tmp_path: Path, text: str, name: str, said: str) -> None:
    with pytest.raises(FileError, match=said):
        loaded(tmp_path, text, name)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        load_script(str(tmp_path / "none.py"))
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(FileError, match="folder"):
        load_script(str(tmp_path / "folder.py"))
    (tmp_path / "latin.py").write_bytes(b"a = '\xe9'\n")
    with pytest.raises((FormatError, FileError), match="latin"):
        load_script(str(tmp_path / "latin.py"))


def test_shapes_beyond_the_limits(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match="max_clauses"):
        loaded(tmp_path, "shape = circle(1)", max_clauses=2)
    with pytest.raises(DoesNotFit, match="max-bytes"):
        loaded(tmp_path, "shape = circle(1)", max_bytes=20)


def test_what_it_prints_is_told_and_no_answer(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = "import os, sys\nprint('one')\nos.write(1, b'two')\nprint('three', file=sys.stderr)\n"
    assert len(loaded(tmp_path, f"{text}assert not sys.stdin.read()\na = circle(1)").tape()) == DISC
    out, err = capfd.readouterr()
    assert out == ""
    assert all(word in err for word in ("one", "two", "three"))


def test_it_imports_its_neighbours_and_what_this_process_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "neighbour.py").write_text("RADIUS = 0.25\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / "elsewhere.py").write_text("WIDTH = 2\n")
    monkeypatch.syspath_prepend(other)
    text = "from neighbour import RADIUS\nfrom elsewhere import WIDTH\n"
    found = loaded(tmp_path, f"{text}a = circle(RADIUS) | rectangle(WIDTH, 1)")
    assert str(found.tape()) == str((circle(0.25) | rectangle(2, 1)).tape())
    assert "neighbour" not in sys.modules


def test_it_ends_when_it_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "endless.py"
    path.write_text("while True:\n    pass\n")
    script = Script(str(path))
    assert not script.wait(0.05)
    assert psutil.pid_exists(script._process.pid)
    script.stop()
    assert script.wait(0)
    assert not psutil.pid_exists(script._process.pid)
    script.stop()  # again does no harm


@pytest.mark.parametrize(
    ("file", "is_one", "path"),
    [
        ("a.py", True, "a.py"),
        ("a/b.py:wheel", True, "a/b.py"),
        ("C:\\a.py:wheel", True, "C:\\a.py"),
        ("a.py:wheel:x", False, "a.py:wheel:x"),
        ("a.py:1", False, "a.py:1"),
        ("a.vm", False, "a.vm"),
        ("a.pyc", False, "a.pyc"),
        ("-", False, "-"),
    ],
)
def test_names_of_files(file: str, is_one: bool, path: str) -> None:
    assert (is_script(file), path_of(file)) == (is_one, path)


@pytest.mark.skipif(os.name != "posix", reason="needs descriptors that are counted up")
@pytest.mark.parametrize(
    "line",
    ["[1]", "{}", "3", "[" * 100_000, '{"error": 3, "line": "x"}', '{"field": 1, "paint": 0}'],
)
def test_a_script_that_writes_an_answer_of_its_own_is_an_error(tmp_path: Path, line: str) -> None:
    path = tmp_path / "shape.py"
    path.write_text(
        "import os\nfor each in range(3, 20):\n    try:\n"
        f"        os.write(each, {line!r}.encode() + b'\\n')\n"
        "    except OSError:\n        pass\nos._exit(0)\n"
    )
    with pytest.raises(FileError, match="in the place of its answer"):
        load_script(str(path))
