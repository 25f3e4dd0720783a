"""The API reference: every public name is on one of its pages, and its docstring is complete."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.expr import functions

PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference"
ENTRY = re.compile(r"^\.\. (\w+):: ([\w.]+)", re.MULTILINE)
PARAMETERS = re.compile(r"^Parameters\n-+\n(.*?)(?=\n\S+\n---|\Z)", re.MULTILINE | re.DOTALL)


def entries() -> Iterator[str]:
    """The full names that the pages list; those of a module of ``intervalvm`` are its own too."""
    for page in sorted(PAGES.glob("*.rst")):
        owner = ""
        for directive, name in ENTRY.findall(page.read_text(encoding="utf-8")):
            if directive == "currentmodule":
                owner = name
            elif directive not in ("automodule", "toctree"):
                yield f"{owner}.{name}"
            elif name == "intervalvm.shapes":
                yield name
            else:
                yield from (f"intervalvm.{each}" for each in import_module(name).__all__)


def documented() -> Iterator[tuple[str, Any]]:
    """Public functions and classes, and the public methods and properties that classes add."""
    for module in (ivm, shapes):
        for name in module.__all__:
            found = getattr(module, name)
            yield name, found
            if isinstance(found, type) and not issubclass(found, ivm.IntervalvmError):
                for kind in found.__mro__:
                    if kind.__module__.startswith("intervalvm"):
                        for method, defined in vars(kind).items():
                            is_method = callable(defined) or hasattr(defined, "__get__")
                            is_field = inspect.ismemberdescriptor(defined)  # which a class tells
                            if not method.startswith("_") and is_method and not is_field:
                                yield f"{name}.{method}", getattr(defined, "__func__", defined)


DOCUMENTED = [(name, found) for name, found in documented() if name != "__version__"]

CALLS = set(ivm.__all__) - set(functions.__all__) - {"axes", "constant", "shapes"}
CALLS = {name for name in CALLS if inspect.isfunction(getattr(ivm, name))}
"""What has more parameters than a line can tell."""


def test_every_public_name_is_on_one_page() -> None:
    public = [f"{module.__name__}.{name}" for module in (ivm, shapes) for name in module.__all__]
    assert sorted(entries()) == sorted(public)


@pytest.mark.parametrize(("name", "found"), DOCUMENTED, ids=[name for name, _ in DOCUMENTED])
def test_a_public_name_has_a_docstring_of_its_parameters(name: str, found: Any) -> None:
    assert found.__doc__, f"{name} has no docstring"
    listed = PARAMETERS.search(inspect.cleandoc(found.__doc__))
    if listed is None:
        assert name not in CALLS, f"{name} lists no parameters"
    else:
        names = re.findall(r"^(\S.*?)(?: : .*)?$", listed[1], re.MULTILINE)
        stated = [name.strip("*") for line in names for name in line.split(", ")]
        parameters = inspect.signature(found).parameters.values()
        assert stated == [p.name for p in parameters if p.name not in ("self", "cls")]
