"""``intervalvm examples``: the shapes and scripts that come with the package, listed or copied."""

from __future__ import annotations

import ast
import os
import re
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING

from intervalvm.arguments import did_you_mean
from intervalvm.cli.streams import say, tell
from intervalvm.errors import FileError, OptionError
from intervalvm.files import file_errors, write_atomically
from intervalvm.raster.stats import text_table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

PACKAGE = Path(__file__).resolve().parents[1]
NEXT = "intervalvm examples NAME... copies those that are named into this folder"


def examples(options: argparse.Namespace) -> int:
    """List the examples, or copy those that are named into the current folder."""
    found = shipped()
    if not options.names:
        say(f"{_table(found)}\n\n{NEXT}")
        return 0
    chosen = {path.name: path for name in options.names for path in _meant(name, found)}
    for name in chosen:
        if os.path.lexists(name) and not options.force:
            raise OptionError(f"{name} is in this folder already: give --force to replace it")
    for name, path in chosen.items():
        with file_errors(str(path)), path.open("rb") as source:
            write_atomically(name, partial(copyfileobj, source))
        if not options.quiet:
            tell(name)
    return 0


def shipped(package: Path = PACKAGE) -> list[Path]:
    """The examples, by name: those in the package of a wheel, else those beside it in the sources.

    Raises FileError where there are none.
    """
    inside, beside = package / "examples", package.parent
    found = [*inside.glob("*.py"), *inside.glob("*.vm")]
    if not found and (beside / "prospero.vm").is_file():
        found = [*(beside / "examples").glob("*.py"), *beside.glob("prospero*.vm")]
    if not found:
        raise FileError(f"{package}: this copy of the package has no examples: install it anew")
    return sorted(found, key=lambda path: path.name)


def _meant(name: str, found: Iterable[Path]) -> list[Path]:
    """The files that a name stands for: one by its whole name, else all with that stem."""
    files = [path for path in found if name in (path.name, path.stem)]
    if not files:
        known = sorted({path.stem for path in found})
        meant = did_you_mean(name, known)
        raise OptionError(f"no example {name!r}{meant}: choose {', '.join(known)}")
    return files


def _table(found: Iterable[Path]) -> str:
    """A line for each name: its files, and what they are."""
    by_stem: dict[str, list[Path]] = {}
    for path in found:
        by_stem.setdefault(path.stem, []).append(path)
    rows = [
        (stem, " ".join(path.name for path in files), _about(files))
        for stem, files in by_stem.items()
    ]
    return text_table(rows, left=3)


def _about(files: Iterable[Path]) -> str:
    """What the docstring of the script among ``files`` begins with."""
    script = next(path for path in files if path.suffix == ".py")
    text = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    return re.split(r"[:.](?:\s|$)", text)[0].replace("``", "")
