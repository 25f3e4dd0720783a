"""Atheris, in one place: runs a function on bytes that its coverage chooses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def lead(one: Callable[[bytes], None]) -> None:
    """Run ``one`` until it raises, with the command line's options for libFuzzer."""
    try:
        import atheris
    except ImportError:
        sys.exit("this needs atheris: pip install '.[fuzz]'")
    for module in ("vmfile", "tape", "compiler", "evaluate"):
        for name in list(sys.modules):
            if name.startswith(f"intervalvm.{module}"):
                _instrument(atheris, sys.modules[name])
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


def _instrument(atheris: object, module: object) -> None:
    """Have the functions of a module report which branches they take."""
    import types

    for name, value in vars(module).items():
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:  # type: ignore[attr-defined]
            setattr(module, name, atheris.instrument_func(value))  # type: ignore[attr-defined]
