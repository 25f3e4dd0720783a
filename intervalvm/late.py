"""What an object has later than its class: values made when first asked for, and methods that a
layer above carries out.

Imports point down, so a tape cannot import what evaluates it. Its method calls a function by name,
and the package, above all modules, says where those functions stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from intervalvm.api.bounding import Box, Rectangle

T = TypeVar("T")
_modules: dict[str, str] = {}
_found: dict[str, Any] = {}


def provided_by(modules: Mapping[str, str]) -> None:
    """Say which names each module of the package has, in one text; ``provided`` imports it."""
    _modules.update({name: module for module, names in modules.items() for name in names.split()})


def provided(name: str) -> Any:
    """What a module above provides under ``name``."""
    if name not in _found:
        _found[name] = getattr(import_module(f"intervalvm.{_modules[name]}"), name)
    return _found[name]


def call(name: str, *args: Any, **options: Any) -> Any:
    """Call the function that a module above provides under ``name``."""
    return provided(name)(*args, **options)


class Drawable:
    """A base of the classes of what can be drawn: ``api`` draws and bounds them, and a notebook
    shows them as a picture."""

    __slots__ = ()

    def bounds(
        self,
        *,
        tolerance: float = 0.01,
        z: float | None = None,
        variables: Mapping[str, float] | None = None,
    ) -> Rectangle | Box | None:
        """A box that is proven to hold every point inside: ``bounding_box(shape)``.

        Parameters
        ----------
        tolerance, z, variables
            As for ``bounding_box``, which also raises the same errors.
        """
        found: Rectangle | Box | None = call(
            "bounding_box", self, tolerance=tolerance, z=z, variables=variables
        )
        return found

    def save(self, path: Any, format: str | None = None, **options: Any) -> None:
        """Write a tape, a picture, an outline or a mesh: ``intervalvm.save(shape, path)``.

        Parameters
        ----------
        path : str, path-like or binary stream
            The suffix chooses what is written, such as .vm, .png, .svg, .dxf, .stl or .3mf.
        format, **options
            As for ``save``, which also raises the same errors.
        """
        call("save", self, path, format, **options)

    def show(self, **options: Any) -> None:
        """Show the shape's picture: in a notebook below the cell, elsewhere in a viewer.

        Parameters
        ----------
        **options
            Those of ``render``, or of ``render3d`` for a shape that reads z, if no ``z`` is given,
            and ``palette``, ``isolines`` and ``limits``. The picture is as ``save`` writes it.

        Raises
        ------
        BackendError
            If there is no notebook and no viewer.
        IntervalvmError
            As ``save`` does.
        """
        call("show", self, **options)

    def _repr_png_(self) -> bytes | None:
        picture: bytes | None = call("png", self)
        return picture

    def _repr_html_(self) -> str:
        text: str = call("html", self)
        return text


class cached_property(Generic[T]):  # noqa: N801 as the standard library's
    """A property whose value is kept in the object; threads that ask at once get the same one.

    ``functools.cached_property`` of Python 3.11 holds one lock for all objects of a class while it
    computes: a process forked meanwhile by another thread would wait for it for ever.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        kept: T = vars(instance).setdefault(self._name, self._make(instance))
        return kept
