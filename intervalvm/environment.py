"""The floating-point environment: public functions run in the default one of IEEE 754.

Any library can change a thread's rounding mode or flush subnormal numbers to zero, for example one
compiled with ``-ffast-math``. Bounds, pictures and proofs need rounding to nearest and subnormals.
So public functions are decorated with ``in_default_environment``, which restores the caller's
environment afterwards.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from inspect import isclass, isfunction
from types import ModuleType
from typing import ParamSpec, TypeVar

from intervalvm.errors import BackendError

ONE, LITTLE, TINY, HALF, TWO = 1.0, 1 / (1 << 60), sys.float_info.min, 0.5, 2.0
"""Names, since Python folds literals when it compiles."""
P = ParamSpec("P")
R = TypeVar("R")
Restore = Callable[[], None]
ENVIRONMENT_BYTES = 256
"""More than any system's ``fenv_t``."""
DEFAULTS = "_FE_DFL_ENV", "__fe_dfl_env"
"""The default environment as an object, on macOS and BSD; otherwise its address is -1."""
MASKS = 0x0308031F
"""Bits of Windows' control word: denormals, rounding, exceptions."""
ALL_MASKED = 0x0008001F


def is_default() -> bool:
    """Whether this thread rounds to nearest and keeps subnormal numbers."""
    return ONE + LITTLE == ONE == ONE - LITTLE and TINY * HALF * TWO == TINY


def in_default_environment(function: Callable[P, R]) -> Callable[P, R]:
    """The function, run in ``default_environment``."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if is_default():  # ten times faster than the context
            return function(*args, **kwargs)
        with default_environment():
            return function(*args, **kwargs)

    return run


def back_in_default_environment(function: Callable[P, R]) -> Callable[P, R]:
    """A caller's function, after which the default environment is set. Raises BackendError."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        finally:
            if not is_default():
                _set_default()

    return run


def all_in_default_environment(module: ModuleType, names: Iterable[str]) -> None:
    """Decorate the named functions of a module and the public methods of its named classes.

    Functions are replaced in their own modules too, where pickle looks them up.
    """
    for name in names:
        found = getattr(module, name)
        if isclass(found):
            for owner in found.__mro__:
                for method, defined in [*vars(owner).items()]:
                    if isfunction(defined) and not method.startswith("_"):
                        setattr(owner, method, in_default_environment(defined))
        elif isfunction(found):
            run = in_default_environment(found)
            setattr(module, name, run)
            setattr(sys.modules[found.__module__], found.__name__, run)


@contextmanager
def default_environment() -> Iterator[None]:
    """Run a block in the default environment. Raises BackendError where it cannot be set."""
    if is_default():
        yield
        return
    restore = _set_default()
    try:
        yield
    finally:
        restore()


def _set_default() -> Restore:
    """Set the default environment. Raises BackendError where that is not possible."""
    set_default = _setter()
    restore = set_default() if set_default else None
    if restore is not None and is_default():
        return restore
    if restore is not None:
        restore()
    raise BackendError(
        "this thread rounds in another way than to the nearest, or takes subnormal numbers "
        "for 0, and that cannot be changed on this system: undo it in the library that set "
        "it (one compiled with -ffast-math may have), or draw in a thread without it"
    )


@lru_cache(1)
def _setter() -> Callable[[], Restore] | None:
    """A function that sets the default environment and returns one that restores the current one.

    On Linux ``fesetenv`` resets flush-to-zero too, which is not in the C standard. None where
    neither function exists.
    """
    if sys.platform == "win32":
        return _by_control_word(ctypes.PyDLL("ucrtbase"))
    for name in (None, "libm.so.6", "libm.so"):
        try:
            return _by_fenv(ctypes.PyDLL(name))
        except (OSError, AttributeError):
            continue
    return None


def _by_fenv(library: ctypes.PyDLL) -> Callable[[], Restore]:
    """By C's <fenv.h>. Raises AttributeError where the library does not have it."""
    read, write = library.fegetenv, library.fesetenv
    default = ctypes.c_void_p(-1)
    for name in DEFAULTS:
        if hasattr(library, name):
            default = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(library, name)))

    def set_default() -> Restore:
        saved = ctypes.create_string_buffer(ENVIRONMENT_BYTES)
        read(saved)
        write(default)
        return lambda: write(saved)

    return set_default


def _by_control_word(library: ctypes.PyDLL) -> Callable[[], Restore]:
    """By ``_control87`` of Windows."""
    control = library._control87

    def set_default() -> Restore:
        saved = control(0, 0)
        control(ALL_MASKED, MASKS)
        return lambda: control(saved, MASKS)

    return set_default
