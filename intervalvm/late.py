"""Late binding: what a class offers although a layer above its own carries it out.

Imports point down, so a tape cannot import what evaluates it. Its method calls a function by name,
and the module above provides that function when it is imported, as all of them are with the
package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
_functions: dict[str, Callable[..., Any]] = {}


def provides(function: F) -> F:
    """Let modules below call ``function`` by its name."""
    _functions[function.__name__] = function
    return function


def call(name: str, *args: Any, **options: Any) -> Any:
    """Call the function that a module above provides under ``name``."""
    return _functions[name](*args, **options)
