"""What can go wrong, one class each.

Every class is an ``IntervalvmError`` and also the built-in exception that a caller of NumPy would
expect, so ``except ValueError`` keeps working. ``exit_status`` is what the command line returns.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ArgumentTypeError", "BackendError", "DeviceError", "DoesNotFit", "FileError",
    "FormatError", "IntervalvmError", "OptionError", "Undecided", "VariableError",
]  # fmt: skip


class IntervalvmError(Exception):
    """The base of all errors that intervalvm raises on purpose."""

    exit_status = 2


class FormatError(IntervalvmError, ValueError):
    """A ``.vm`` text is wrong. The message names file, line and column and marks the token."""

    def __init__(self, message: str, *, name: str, line: int, column: int, mark: str = "") -> None:
        place = f"{name}:{line}:{column}: {message}"
        super().__init__(f"{place}\n{mark}" if mark else place)
        self.name, self.line, self.column = name, line, column

    def __reduce__(self) -> tuple[Any, ...]:
        # pickle would call the class with the message alone; a pool of processes hangs on that
        return _restored, (type(self), self.args, self.__dict__)


class OptionError(IntervalvmError, ValueError):
    """An argument or option has a value that means nothing: a negative size, an empty region."""


class ArgumentTypeError(IntervalvmError, TypeError):
    """An argument or operand is of a type that is not taken there."""


class Undecided(ArgumentTypeError):
    """Python asked an expression for one truth or one number, and it has a value at every point."""


class VariableError(IntervalvmError, LookupError):
    """A free variable of the tape was not set, or one was set that the tape does not have."""


class FileError(IntervalvmError, OSError):
    """A file cannot be read or written. A full disk exits with status 3, the rest with 2."""

    def __init__(self, message: str, *, disk_full: bool = False) -> None:
        super().__init__(message)
        self.exit_status = 3 if disk_full else 2


class BackendError(IntervalvmError, RuntimeError):
    """A back end is not there: its library is not installed, or it has no device."""


class DeviceError(BackendError):
    """The GPU: there is none, its driver is missing, it is too old, or it failed in the middle."""

    exit_status = 3


class DoesNotFit(IntervalvmError, MemoryError):
    """The work would need more memory than there is, or than ``max_memory`` allows."""

    exit_status = 3


def install_line(extra: str) -> str:
    """The command that installs what an extra of this package needs, wherever it was got from."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        stated = requires("intervalvm") or []
    except PackageNotFoundError:  # sources on the path that nobody installed
        stated = []
    marked = [line.partition(";") for line in stated if f'extra == "{extra}"' in line]
    if not marked:
        return f"pip install '.[{extra}]' in the folder of intervalvm's sources"
    return "pip install " + " ".join(f"'{requirement.strip()}'" for requirement, _, _ in marked)


def _restored(kind: type[IntervalvmError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    """An error that came from another process; its own arguments are long used up."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
