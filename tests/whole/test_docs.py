"""What the documents show: their examples run, their tables are whole, their pictures are ours."""

from __future__ import annotations

import doctest
import inspect
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from support.places import TOP

import intervalvm as ivm
from intervalvm.ops import ROWS
from intervalvm.raster.formats import FORMATS

PAGES = [TOP / "README.md", TOP / "CHANGELOG.md", *sorted((TOP / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?:\{code-cell\} )?(\w+)\n(?::.*\n)*(.*?)^```$", re.MULTILINE | re.DOTALL)
"""What a page shows or, in a cell of a notebook, runs; without the options of the cell."""
TIME = re.compile(r" *[\d.]+ ms")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
ANCHORED = re.compile(r"\]\(([^)#:]*\.md|)#([^)]*)\)")
PATH = re.compile(r"\b(?:bench|examples|fuzz|tests|tools)/[\w./*-]*\w")
LARGEST_PICTURE = 100_000


def name_of(page: Path) -> str:
    return page.name


@pytest.fixture(scope="module")
def kernels() -> None:
    """Compile before an example runs: its output has no line that says so."""
    x, _, _ = ivm.axes()
    for prove in (None, "point"):
        ivm.render(x, size=16, prove=prove)
    solid = ivm.render3d(ivm.shapes.sphere(0.8).paint("teal"), size=16)
    assert solid.pixels.any()
    assert len(ivm.contour(ivm.shapes.circle(0.5), tolerance=0.1, arcs=True))
    assert len(ivm.mesh(ivm.shapes.sphere(0.5), depth=2).triangles)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples_run_in_the_order_of_the_page(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernels: None
) -> None:
    for challenge in ("prospero.vm", "prospero3d.vm"):
        copy(TOP / challenge, tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "console":
            run_commands(text)
        elif language == "python" and ">>>" in text:
            run_session(text, names, page.name)
        elif language == "python":
            exec(compile(text, page.name, "exec"), names)


def run_session(text: str, names: dict[str, Any], page: str) -> None:
    """Run what a prompt shows and compare the answers; ``names`` go from block to block."""
    test = doctest.DocTestParser().get_doctest(text, names, page, page, 0)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    names.update(test.globs)
    assert not said, "".join(said)


def run_commands(text: str) -> None:
    """Run the project's own commands and compare all that they print, but for the times."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        if not command.startswith("intervalvm "):
            assert not expected, f"nobody checks what {command!r} prints"
            continue
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert TIME.sub(" … ms", done.stdout) == TIME.sub(" … ms", expected), command


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def anchors_of(page: Path) -> set[str]:
    """Of its headings, as hosts of Markdown and the site make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_to_headings_lead_to_one(page: Path) -> None:
    for target, anchor in ANCHORED.findall(page.read_text(encoding="utf-8")):
        place = page.parent / target if target else page
        assert anchor in anchors_of(place), f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_scripts_and_tests_that_are_named_are_there(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # which tells of the past
        return
    for name in PATH.findall(page.read_text(encoding="utf-8")):
        assert list(TOP.glob(name)), f"{page.name} names {name}"


def test_the_format_lists_every_operation_with_its_operands() -> None:
    text = (TOP / "docs" / "format.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([\w-]+)` \| ([a-z ]*?) ?\|", text, re.MULTILINE)
    listed = [(name, len(operands.split())) for name, operands in table]
    rows = [("var-NAME" if op.name == "var" else op.name, op.arity) for op in ROWS]
    assert listed == rows


TABLES: dict[str, Any] = runpy.run_path(str(TOP / "tools" / "document_operations.py"))


@pytest.mark.parametrize("page", sorted({part[0] for part in TABLES["PARTS"]}))
def test_tables_of_operations_are_those_that_the_table_makes(page: str) -> None:
    text = (TOP / "docs" / page).read_text(encoding="utf-8")
    assert text == TABLES["written"](page), "write it anew: python tools/document_operations.py"


def test_the_readme_gives_the_commands_that_are_tried_on_a_new_machine() -> None:
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (pip .*)$", readme, re.MULTILINE)
    assert len(commands) == 2
    script = (TOP / ".ci" / "run").read_text(encoding="utf-8").replace("--quiet ", "")
    for command in commands:
        assert f"\n{command}\n" in script


def test_the_options_of_render_are_all_on_the_page_with_their_defaults() -> None:
    text = (TOP / "docs" / "pipeline.md").read_text(encoding="utf-8")
    section = text.split("## The options of `render`\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \|", section, re.MULTILINE)
    parameters = inspect.signature(ivm.render).parameters.values()
    assert rows == [(p.name, repr(p.default)) for p in parameters if p.kind is p.KEYWORD_ONLY]
    for suffix in FORMATS:
        assert f"`.{suffix}`" in section


def test_the_picture_in_the_readme_is_what_the_command_line_draws() -> None:
    with Pillow.open(TOP / "docs" / "prospero.png") as file:
        drawn = np.asarray(file)
    image = ivm.render(ivm.load(TOP / "prospero.vm"), size=drawn.shape[0])
    np.testing.assert_array_equal(drawn, image.pixels == 255)


def test_the_picture_of_an_expression_is_that_of_the_function_above_it(tmp_path: Path) -> None:
    text = (TOP / "docs" / "expressions.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(BLOCK.findall(text)[0][1].replace('"flower.vm"', repr(str(tmp_path / "flower.vm"))), names)
    with Pillow.open(TOP / "docs" / "expressions.png") as file:
        drawn = np.asarray(file)
    image = ivm.render(ivm.load(tmp_path / "flower.vm"), size=drawn.shape[0])
    np.testing.assert_array_equal(drawn, image.pixels == 255)


@pytest.mark.parametrize("picture", sorted((TOP / "docs").glob("*.png")), ids=name_of)
def test_pictures_are_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < LARGEST_PICTURE
    assert any(f"{picture.name})" in page.read_text(encoding="utf-8") for page in PAGES)


def test_the_page_on_the_pipeline_lists_every_folder_of_the_package() -> None:
    page = (TOP / "docs" / "pipeline.md").read_text(encoding="utf-8")
    package = TOP / "intervalvm"
    listed = re.findall(r"^\| `(\w+)/` \|", page, re.MULTILINE)
    assert sorted(listed) == sorted(path.parent.name for path in package.glob("*/__init__.py"))
