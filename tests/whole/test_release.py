"""What a release says about itself away from its repository, and how to get what it needs."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from support.places import TOP

from intervalvm.errors import install_line

SCRIPT = TOP / "tools" / "name_repository.py"
NAMES: dict[str, Any] = runpy.run_path(str(SCRIPT))
URL, TAG = "https://example.org/someone/intervalvm", "v1.2"
ALT = "intervalvm: shapes are formulas; pictures, exact to the last bit"
REWRITTEN = ("README.md", "pyproject.toml", "CITATION.cff")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a](docs/a.md#b)", f"[a]({URL}/blob/{TAG}/docs/a.md#b)"),
        ("![a](docs/a.png)", f"![a]({URL}/raw/{TAG}/docs/a.png)"),
        ('<img src="docs/a.png">', f'<img src="{URL}/raw/{TAG}/docs/a.png">'),
        ('<a href="docs/a.md">', f'<a href="{URL}/blob/{TAG}/docs/a.md">'),
        (
            "[![a](docs/a.png)](docs/a.md)",
            f"[![a]({URL}/raw/{TAG}/docs/a.png)]({URL}/blob/{TAG}/docs/a.md)",
        ),
        (
            "| ![a](b.png) | [`c`](d) |",
            f"| ![a]({URL}/raw/{TAG}/b.png) | [`c`]({URL}/blob/{TAG}/d) |",
        ),
        ("[a](https://example.com/b)", "[a](https://example.com/b)"),
        ("[a](#b)", "[a](#b)"),
    ],
)
def test_relative_links_lead_to_the_repository(before: str, after: str) -> None:
    assert NAMES["linked"](before, URL, TAG) == after


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A copy of what is rewritten, by the script as it is run for a release."""
    if "[project.urls]" in (TOP / "pyproject.toml").read_text(encoding="utf-8"):
        pytest.skip("these sources are those of a release: their repository is named already")
    (tmp_path / "tools").mkdir()
    shutil.copy(SCRIPT, tmp_path / "tools")
    for name in REWRITTEN:
        shutil.copy(TOP / name, tmp_path)
    command = [sys.executable, str(tmp_path / "tools" / SCRIPT.name), URL, TAG]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path


def test_every_link_of_the_readme_leads_to_a_file_of_the_release(named: Path) -> None:
    text = (named / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)|(?:src|href|srcset)=\"([^\"]+)\"", text)
    ours = [a or b for a, b in targets if not (a or b).startswith("#")]
    assert all(target.startswith("https://") for target in ours)
    inside = [target.removeprefix(URL) for target in ours if target.startswith(URL)]
    assert len(inside) > 20
    assert f"![{ALT}]({URL}/raw/{TAG}/docs/readme/banner.png)" in text
    assert f'src="{URL}/raw/{TAG}/docs/readme/part.png"' in text
    for target in inside:
        kind, tag, path = target.removeprefix("/").split("/", 2)
        assert tag == TAG
        assert kind in ("raw", "blob")
        assert kind == "blob" or path.endswith((".png", ".webp", ".gif", ".svg"))
        assert (TOP / path.partition("#")[0]).exists(), target


def test_nothing_else_of_the_readme_changes(named: Path) -> None:
    text = (named / "README.md").read_text(encoding="utf-8")
    back = text.replace(f"{URL}/raw/{TAG}/", "").replace(f"{URL}/blob/{TAG}/", "")
    assert back == (TOP / "README.md").read_text(encoding="utf-8")


def test_the_addresses_of_the_project_are_those_of_the_repository(named: Path) -> None:
    before = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    after = tomllib.loads((named / "pyproject.toml").read_text(encoding="utf-8"))
    urls = after["project"].pop("urls")
    assert after == before
    assert urls["Homepage"] == URL
    assert all(address.startswith(URL) for address in urls.values())
    citation = (named / "CITATION.cff").read_text(encoding="utf-8")
    assert citation.endswith(f'\nrepository-code: "{URL}"\n')


def test_sources_are_not_named_twice(named: Path) -> None:
    before = {name: (named / name).read_bytes() for name in REWRITTEN}
    with pytest.raises(AssertionError, match="are there already"):
        NAMES["name_repository"](named, URL, TAG)
    assert {name: (named / name).read_bytes() for name in REWRITTEN} == before


@pytest.mark.parametrize(
    "words", [[], [URL], ["someone/intervalvm", TAG], [URL + "/", TAG], [URL, "a b"]]
)
def test_other_words_are_refused(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    script = shutil.copy(SCRIPT, tmp_path / "tools")
    done = subprocess.run(
        [sys.executable, str(script), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("usage: ")


# --- lines that install something -----------------------------------------------------------------

TEXTS = [
    path
    for folder in ("bench", "docs", "examples", "fuzz", "intervalvm", "tools")
    for path in sorted((TOP / folder).rglob("*.*"))
    if path.suffix in (".md", ".rst", ".py", ".js", ".html") and path.name != "release.md"
]
TEXTS += [TOP / "README.md", TOP / "CHANGELOG.md", TOP / ".ci" / "run"]
STATED = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = STATED["optional-dependencies"]
NAMED = {
    extra
    for path in (TOP / "intervalvm").rglob("*.py")
    for extra in re.findall(r"\binstall_line\(\W(\w+)\W\)", path.read_text(encoding="utf-8"))
}
"""The extras that messages of the package name."""


def test_no_page_names_an_extra_that_is_not_there_or_the_project_as_on_an_index() -> None:
    lines = [
        (path, line)
        for path in TEXTS
        for line in re.findall(r"pip install [^\n]*", path.read_text(encoding="utf-8"))
    ]
    assert len(lines) > 10
    for path, line in lines:
        assert not re.match(r"pip install \W*intervalvm", line), f"{path}: {line}"
        for extras in re.findall(r"\.\[([\w,]+)\]", line):
            assert {*extras.split(",")} <= EXTRAS.keys(), f"{path}: {line}"


def requirements(words: Iterable[str]) -> set[tuple[str, str, str]]:
    """Their names, extras and versions, however they are spelled."""
    read = [Requirement(word) for word in words]
    return {(each.name, str(sorted(each.extras)), str(each.specifier)) for each in read}


@pytest.mark.parametrize("extra", sorted(NAMED))
def test_a_message_names_what_an_extra_needs_and_not_the_project_itself(extra: str) -> None:
    try:
        stated = metadata.requires("intervalvm") or []
    except metadata.PackageNotFoundError:
        stated = []
    line = install_line(extra)
    if not any(f'extra == "{extra}"' in each for each in stated):
        assert line == f"pip install '.[{extra}]' in the folder of intervalvm's sources"
        return
    command, *words = shlex.split(line.removeprefix("pip "))
    assert command == "install"
    assert requirements(words) == requirements(EXTRAS[extra])
    assert all(Requirement(word).name != "intervalvm" for word in words)


def test_every_extra_for_users_is_named_by_a_message() -> None:
    assert EXTRAS.keys() >= NAMED
    assert {"cad", "cuda", "fonts", "mesh", "sympy", "view"} <= NAMED


def test_sources_that_are_not_installed_say_where_the_line_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert install_line("view") == "pip install '.[view]' in the folder of intervalvm's sources"
