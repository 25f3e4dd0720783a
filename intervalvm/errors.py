"""The errors. Each is an ``IntervalvmError`` and the built-in exception that NumPy would raise.

``exit_status`` is the exit status of the command line.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ArgumentTypeError", "BackendError", "DeviceError", "DoesNotFit", "FileError",
    "FormatError", "IntervalvmError", "OptionError", "Undecided", "VariableError",
]  # fmt: skip


class IntervalvmError(Exception):
    """The base class of all deliberate errors."""

    exit_status = 2


class FormatError(IntervalvmError, ValueError):
    """A ``.vm`` text is invalid. The message has file, line and column, and marks the token."""

    def __init__(self, message: str, *, name: str, line: int, column: int, mark: str = "") -> None:
        place = f"{name}:{line}:{column}: {message}"
        super().__init__(f"{place}\n{mark}" if mark else place)
        self.name, self.line, self.column = name, line, column

    def __reduce__(self) -> tuple[Any, ...]:
        # pickle would call the class with the message alone, and hang a pool of processes
        return _restored, (type(self), self.args, self.__dict__)


class OptionError(IntervalvmError, ValueError):
    """An argument has an invalid value: a negative size, an empty region."""


class ArgumentTypeError(IntervalvmError, TypeError):
    """An argument or operand has an invalid type."""


class Undecided(ArgumentTypeError):
    """An expression or a shape was converted to a bool or a number."""


class VariableError(IntervalvmError, LookupError):
    """A free variable of a tape has no value, or a value was given for an unknown one."""


class FileError(IntervalvmError, OSError):
    """A file cannot be read or written. The exit status is 3 for a full disk, else 2."""

    def __init__(self, message: str, *, disk_full: bool = False) -> None:
        super().__init__(message)
        self.exit_status = 3 if disk_full else 2


class BackendError(IntervalvmError, RuntimeError):
    """A back end is not available, for example because its library is not installed."""


class DeviceError(BackendError):
    """The GPU is missing, too old or without driver, or it failed."""

    exit_status = 3


class DoesNotFit(IntervalvmError, MemoryError):
    """The work needs more memory than is available or than ``max_memory`` allows."""

    exit_status = 3


def install_line(extra: str) -> str:
    """The command that installs the requirements of an extra of this package."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        stated = requires("intervalvm") or []
    except PackageNotFoundError:  # sources that are not installed
        stated = []
    marked = [line.partition(";") for line in stated if f'extra == "{extra}"' in line]
    if not marked:
        return f"pip install '.[{extra}]' in the folder of intervalvm's sources"
    return "pip install " + " ".join(f"'{requirement.strip()}'" for requirement, _, _ in marked)


def _restored(kind: type[IntervalvmError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    """Unpickle an error without the arguments of its constructor."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
