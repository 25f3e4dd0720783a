"""Names the repository that a release is built from: ``python tools/name_repository.py URL TAG``.

The project does not know where it is kept: a fork is as good as another. So the README links by
relative paths, which a package index cannot follow, and pyproject.toml has no addresses. Before a
release is built, this rewrites the sources in place: links and pictures of README.md lead to TAG
at URL, pyproject.toml gets the addresses of the project, CITATION.cff that of the code.

URL is that of a repository on GitHub, or on another server with the same paths.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PICTURE = re.compile(r"(!\[[^\]]*\]\(|\bsrc(?:set)?=\")(?!\w+:|#)([^)\"]+)")
LINK = re.compile(r"((?<!!)\[(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*\]\(|\bhref=\")(?!\w+:|#)([^)\"]+)")
URLS = """\
[project.urls]
Homepage = "{url}"
Documentation = "{url}/tree/{tag}/docs"
Changes = "{url}/blob/{tag}/CHANGELOG.md"
Issues = "{url}/issues"

"""
BEFORE = "[project.scripts]\n"
"""The line of pyproject.toml that the addresses stand before."""


def linked(text: str, url: str, tag: str) -> str:
    """A page in Markdown whose relative links lead to the repository."""
    text = PICTURE.sub(rf"\g<1>{url}/raw/{tag}/\g<2>", text)
    return LINK.sub(rf"\g<1>{url}/blob/{tag}/\g<2>", text)


def addressed(pyproject: str, url: str, tag: str) -> str:
    """pyproject.toml with the addresses of the project."""
    assert pyproject.count(BEFORE) == 1
    assert "[project.urls]" not in pyproject, "they are there already"
    return pyproject.replace(BEFORE, URLS.format(url=url, tag=tag) + BEFORE)


def cited(citation: str, url: str) -> str:
    """CITATION.cff with the address of the code."""
    assert "repository-code:" not in citation, "it is there already"
    return f'{citation.rstrip()}\nrepository-code: "{url}"\n'


def name_repository(top: Path, url: str, tag: str) -> None:
    """Rewrite the sources in the folder ``top``."""
    new = {
        "README.md": lambda text: linked(text, url, tag),
        "pyproject.toml": lambda text: addressed(text, url, tag),
        "CITATION.cff": lambda text: cited(text, url),
    }
    written = {name: change((top / name).read_text("utf-8")) for name, change in new.items()}
    for name, text in written.items():
        (top / name).write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Rewrite the sources that this script is part of."""
    match sys.argv[1:]:
        case [url, tag] if re.fullmatch(r"https://[^\s\"]+[^\s\"/]", url) and re.fullmatch(
            r"[\w./-]+", tag
        ):
            name_repository(TOP, url, tag)
        case _:
            sys.exit("usage: python tools/name_repository.py https://SERVER/OWNER/NAME TAG")


if __name__ == "__main__":
    main()
