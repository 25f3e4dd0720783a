"""Writing files so that a reader sees the old one or the new one, never a part.

In: a path and a function that writes bytes. Out: the file, or a FileError and the old file.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from intervalvm.arguments import path_name
from intervalvm.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    PathLike = str | os.PathLike[str]

TEMPORARY = ".intervalvm-{}.tmp"
"""A file while it is written. A process that is killed cannot remove its own: the next to write in
the folder does, once it is ``LEFT_SECONDS`` old and nobody holds its lock."""
LEFT_SECONDS = 60.0
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_writable(path: PathLike) -> None:
    """Raise FileError if ``write_atomically(path, ...)`` could not work, as far as can be seen."""
    name = path_name(path)
    try:
        has_nul = b"\0" in os.fsencode(name)
    except UnicodeEncodeError:
        has_nul = True
    if has_nul:
        raise FileError(f"cannot write {name!r}: no file can have this name: choose another")
    target = Path(name)
    if target.is_dir():
        raise FileError(f"{target} is a folder: give the name of a file in it")
    folder = target.parent
    if not folder.exists():
        raise FileError(f"cannot write {target}: there is no folder {folder}: create it first")
    if not folder.is_dir():
        raise FileError(f"cannot write {target}: {folder} is not a folder")
    if target.exists() and not os.access(target, os.W_OK):
        raise FileError(f"cannot write {target}: it is write-protected: choose another name")
    if not _is_special(target) and not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(
            f"cannot write {target}: the folder {folder} is write-protected: choose another place"
        )


def write_atomically(path: PathLike, write: Callable[[BinaryIO], object]) -> None:
    """Have ``write(stream)`` write the file ``path``, whole or not at all.

    The bytes go to a new file in the same folder, which then takes the name. Whatever is raised on
    the way, an interrupt too, the new file is removed and the old one stays. Links are followed,
    and a device or pipe is written directly. Raises FileError, with ``disk_full`` where it is so.
    """
    path = path_name(path)
    check_writable(path)
    target = Path(os.path.realpath(path))
    with file_errors(str(path)):
        if _is_special(target):
            with open(target, "wb") as stream:
                write(stream)
            return
        # not tempfile: it makes private files where a user expects what the umask says
        partial = target.with_name(TEMPORARY.format(os.urandom(6).hex()))
        _remove_leftovers(target.parent)
        try:
            with open(partial, "xb") as stream:
                _lock(stream)
                if target.exists():
                    partial.chmod(stat.S_IMODE(target.stat().st_mode))
                write(stream)
            os.replace(partial, target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed have left."""
    before, after = TEMPORARY.split("{}")
    for name in os.listdir(folder):
        if not (name.startswith(before) and name.endswith(after)):
            continue
        with suppress(OSError):
            leftover = folder / name
            if time.time() - leftover.stat().st_mtime > LEFT_SECONDS:
                with open(leftover, "rb") as stream:
                    if _lock(stream):
                        leftover.unlink()


def _lock(stream: BinaryIO) -> bool:
    """Lock a file until it is closed; False where another process has, or where none can."""
    try:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


@contextmanager
def file_errors(name: str) -> Iterator[None]:
    """Turn an OSError into a FileError about writing ``name``; a broken pipe passes."""
    try:
        yield
    except (FileError, BrokenPipeError):
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in DISK_FULL:
            raise FileError(
                f"cannot write {name}: {reason}: make room, or write to another place",
                disk_full=True,
            ) from error
        raise FileError(f"cannot write {name}: {reason}") from error


def _is_special(target: Path) -> bool:
    """Whether a device or a pipe stands there, which a plain file must not replace."""
    return target.exists() and not target.is_file()
