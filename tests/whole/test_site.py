"""The site: each page can be reached, and the check of what was built finds what is wrong."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from support.places import TOP

DOCS = TOP / "docs"
CHECK: dict[str, Any] = runpy.run_path(str(DOCS / "_extensions" / "check_site.py"))
HEAD = '<link rel="stylesheet" href="site.css"><h1 id="top">A page</h1>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "a.html").write_text(HEAD + '<a href="b.html#top">b</a><img src="p.png">')
    (tmp_path / "b.html").write_text(HEAD + '<a href="#top"></a><a href="https://else.org">')
    (tmp_path / "site.css").write_text("p { background: url(p.png) }")
    (tmp_path / "p.png").touch()
    return tmp_path


def test_a_whole_site_has_no_faults(site: Path) -> None:
    assert CHECK["faults"](site) == []


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        (
            "a.html",
            '<script src="https://else.org/a.js"></script>',
            "fetches https://else.org/a.js",
        ),
        ("a.html", '<link rel="preload" href="//else.org/a.woff">', "fetches //else.org/a.woff"),
        ("a.html", "<style>@import 'https://else.org/a.css'</style>", "fetches https://else.org"),
        ("site.css", "p { background: url(https://else.org/p.png) }", "fetches https://else.org"),
        ("a.html", '<a href="c.html">c</a>', "names c.html, which is not there"),
        ("a.html", '<a href="b.html#middle">b</a>', "names b.html#middle, which has no such"),
        ("a.html", '<img src="q.png">', "names q.png, which is not there"),
    ],
)
def test_what_is_wrong_with_a_site_is_found(site: Path, file: str, text: str, says: str) -> None:
    place = site / file
    place.write_text(place.read_text() + text)
    (fault,) = CHECK["faults"](site)
    assert fault.startswith(file)
    assert says in fault


def entries(page: Path) -> set[Path]:
    """The pages that a page's table of contents names."""
    found: set[Path] = set()
    text = page.read_text(encoding="utf-8")
    in_markdown = re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    in_rst = re.findall(r"^\.\. toctree::\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    for line in "\n".join(in_markdown + in_rst).splitlines():
        name = line.strip().rpartition("<")[2].removesuffix(">")
        if name and not name.startswith(":"):
            found |= {*page.parent.glob(f"{name}.md"), *page.parent.glob(f"{name}.rst")}
    return found


def test_every_page_is_reached_from_the_first() -> None:
    """So that a page that is added has a place in the navigation."""
    reached, new = set(), {DOCS / "index.md"}
    while new:
        reached |= new
        new = set().union(*(entries(page) for page in new)) - reached
    assert reached == {*DOCS.rglob("*.md"), *DOCS.rglob("*.rst")}
