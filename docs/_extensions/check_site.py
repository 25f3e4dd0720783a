"""A check of the built site: nothing is fetched from elsewhere, and every link leads somewhere.

Sphinx checks references as it reads pages. This reads what it wrote: of each page what a browser
fetches by itself, and the files and anchors that links name.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FETCHED = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")


class Page(HTMLParser):
    """What a page is called by, what it links to, and what it fetches."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        text = path.read_text(encoding="utf-8")
        self.fetched += FETCHED.findall(text)
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a":
            self.links += [found["href"]] if "href" in found else []
        elif tag == "link":
            self.fetched += [found["href"]]
        else:
            self.fetched += [found[name] for name in ("src", "data", "poster") if name in found]


def faults(folder: Path) -> list[str]:
    """Say what is wrong with the pages and styles of a folder."""
    files = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]
    pages = {path: Page(path) for path in files}
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder)
        for address in page.fetched + page.links:
            parts = urlsplit(address)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                found += [f"{name} fetches {address}"] if address in page.fetched else []
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{name} names {address}, which is not there")
            elif parts.fragment and target in pages:
                has_it = unquote(parts.fragment) in pages[target].anchors
                found += [] if has_it else [f"{name} names {address}, which has no such anchor"]
    for path in sorted(folder.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        found += [f"{path.name} fetches {address}" for address in FETCHED.findall(text)]
    return found


def check(app: Sphinx, exception: Exception | None) -> None:
    from sphinx.errors import ExtensionError

    if exception is None and app.builder.format == "html":
        found = faults(Path(app.outdir).resolve())
        if found:
            raise ExtensionError("the site is not whole:\n" + "\n".join(found))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", check)
    return {"parallel_read_safe": True}
