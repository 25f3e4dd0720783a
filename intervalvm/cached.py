"""Values that an object works out once, when they are first asked for.

``functools.cached_property`` of Python 3.11 holds a lock meanwhile, one for all objects of a class.
A process that is forked while another thread works such a value out waits for that lock for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class cached_property(Generic[T]):  # noqa: N801 as the standard library's
    """A property whose value is kept in the object; threads that ask at once get the same one."""

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
