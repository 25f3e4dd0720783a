"""Atomic writes, which leave the old file or the new one, and recognition of other formats."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

from intervalvm.arguments import path_name
from intervalvm.errors import FileError

PathLike = str | os.PathLike[str]

TEMPORARY = ".intervalvm-{}.tmp"
"""The name of a partial file, with 12 random hexadecimal digits. The next write of the same user in
the folder removes that of a killed process, once it is ``LEFT_SECONDS`` old and not locked."""
LEFTOVER = re.compile(re.escape(TEMPORARY).replace(r"\{\}", "[0-9a-f]{12}"))
LEFT_SECONDS = 60.0
MOST_LINKS = 40
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
WAYS_OUT = {
    **dict.fromkeys(DISK_FULL, "make room, or write to another place"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "choose another place"),
    errno.ENAMETOOLONG: "choose a shorter one",
    errno.ELOOP: "its links lead nowhere",
}
"""Ways out of errors of the system."""
MAGIC = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"RIFF": "a WebP picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"II+\0": "a TIFF picture",
    b"P4": "a bitmap (.pbm)",
    b"P5": "a picture (.pgm)",
    b"P6": "a picture (.ppm)",
    b"\x93NUMPY": "an array of NumPy's",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"PK\x03\x04": "a ZIP archive",
}
"""First bytes of file formats. A tape may begin with some: look only if a file is not UTF-8."""

PICTURES = {
    *("png", "pgm", "ppm", "pbm", "tif", "tiff", "webp", "npy"),
    *("jpg", "jpeg", "gif", "bmp", "svg", "pdf", "ico", "avif", "heic", "jxl"),
}
"""Suffixes of pictures and arrays."""


def check_writable(path: PathLike) -> None:
    """Raise FileError if ``write_atomically(path, ...)`` would fail, as far as can be known."""
    name = check_path(path)
    with file_errors(name):
        _find(name)


def write_atomically(path: PathLike, write: Callable[[BinaryIO], object]) -> None:
    """Write the file ``path`` by ``write(stream)``, whole or not at all.

    The bytes go to a new file in the same folder, which is then renamed. After any exception,
    interrupts included, the new file is removed and the old one is unchanged. Links are followed,
    except another user's in a world-writable folder. A device, a pipe or a descriptor such as
    ``/dev/stdout`` is written in place once all bytes are ready. Raises FileError.
    """
    name = check_path(path)
    with file_errors(name):
        place = _find(name)
        if place.descriptor is None and (place.found is None or stat.S_ISREG(place.found.st_mode)):
            _replace(place, write)
            return
        whole = io.BytesIO()
        write(whole)
        flags = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        to = os.open(place.path, flags) if place.descriptor is None else os.dup(place.descriptor)
        with open(to, "wb") as stream:
            stream.write(whole.getbuffer())


def same_file(one: PathLike, other: PathLike) -> bool:
    """Whether two paths are one file, through links too; False for devices."""
    with suppress(OSError, ValueError):
        found = os.stat(one)
        return not stat.S_ISCHR(found.st_mode) and os.path.samestat(found, os.stat(other))
    with suppress(OSError, ValueError):  # the working folder may be gone
        return os.path.realpath(one) == os.path.realpath(other)
    return False


def descriptor_of(path: PathLike) -> int | None:
    """The descriptor of this process that ``path`` names, as ``/dev/stdout`` does, or None."""
    with suppress(OSError):
        return _followed(check_path(path))[1]
    return None


class _Place(NamedTuple):
    """A path without links, its status if it exists, or an open descriptor."""

    path: str
    found: os.stat_result | None
    descriptor: int | None


def check_path(path: PathLike) -> str:
    """The path as text. Raises FileError for an impossible one, ArgumentTypeError for no path."""
    name = path_name(path)
    try:
        unusable = b"\0" in os.fsencode(name)
    except UnicodeEncodeError:
        unusable = True
    if unusable:
        raise FileError(f"{name!a} cannot be the name of a file: choose another")
    return name


def _find(name: str) -> _Place:
    """The place to write to. Raises FileError or OSError if it cannot be written."""
    path, descriptor = _followed(name)
    if descriptor is not None:
        _check_open(name, descriptor)
        return _Place(path, None, descriptor)
    found, folder = _standing(path), os.path.dirname(path)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise FileError(f"{name} is a folder: give the name of a file in it")
    around = _standing(folder)
    shown = os.path.dirname(name) or folder
    if around is None:
        raise FileError(f"cannot write {name}: there is no folder {shown}: create it first")
    if not stat.S_ISDIR(around.st_mode):
        raise FileError(f"cannot write {name}: {shown} is not a folder")
    if found is not None and not os.access(path, os.W_OK):
        raise FileError(f"cannot write {name}: it is write-protected: choose another name")
    if found is not None and not stat.S_ISREG(found.st_mode):
        _check_owner(name, path, found)
    elif not os.access(folder, os.W_OK | os.X_OK):
        raise FileError(
            f"cannot write {name}: the folder {shown} is write-protected: choose another place"
        )
    return _Place(path, found, None)


def _followed(name: str) -> tuple[str, int | None]:
    """``name`` with its links resolved, and the descriptor of this process if one of them is that.

    The file or pipe of a descriptor is open already, and must not be replaced.
    """
    descriptors, path = os.path.realpath("/dev/fd"), name
    for _ in range(MOST_LINKS):
        folder, last = os.path.split(path)
        folder = os.path.realpath(folder)
        path = os.path.join(folder, last)
        if folder == descriptors and last.isdecimal():
            return path, int(last)
        if not os.path.islink(path):
            return path, None
        _check_owner(name, path, os.lstat(path))
        path = os.path.join(folder, os.readlink(path))
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _standing(path: str) -> os.stat_result | None:
    """The status of ``path``, which is no link, or None if nothing exists."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _check_owner(name: str, path: str, found: os.stat_result) -> None:
    """Refuse a link, pipe or device of another user in a world-writable folder.

    This is the rule of Linux's ``protected_symlinks`` and ``protected_fifos``.
    """
    around = os.stat(os.path.dirname(path))
    shared = stat.S_ISVTX | stat.S_IWOTH
    if around.st_mode & shared == shared and found.st_uid not in (os.geteuid(), around.st_uid):
        kind = "link" if stat.S_ISLNK(found.st_mode) else "pipe or device"
        raise FileError(
            f"cannot write {name}: {path} is a {kind} of another user's, in a folder that all may "
            "write to: choose another name"
        )


def _check_open(name: str, descriptor: int) -> None:
    try:
        import fcntl

        mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    except ImportError:
        os.fstat(descriptor)
    else:
        if mode == os.O_RDONLY:
            raise FileError(f"cannot write {name}: it is open for reading alone")


def _replace(place: _Place, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside the place, and rename it."""
    folder = os.path.dirname(place.path)
    # not tempfile, whose files are private whatever the umask
    partial = os.path.join(folder, TEMPORARY.format(os.urandom(6).hex()))
    _remove_leftovers(folder)
    try:
        with open(partial, "xb") as stream:
            _lock(stream)
            if place.found is not None:
                os.chmod(partial, place.found.st_mode & 0o777)
            write(stream)
        os.replace(partial, place.path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(partial)
        raise


def _remove_leftovers(folder: str) -> None:
    """Remove partial files of this user's killed processes."""
    if os.name != "posix":  # without locks, a file in use cannot be recognized
        return
    with suppress(OSError):
        for name in filter(LEFTOVER.fullmatch, os.listdir(folder)):
            with suppress(OSError):
                _remove_leftover(os.path.join(folder, name))


def _remove_leftover(leftover: str) -> None:
    found = os.lstat(leftover)
    is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
    if is_ours and time.time() - found.st_mtime > LEFT_SECONDS:
        # it may have been replaced since: follow no link, wait for no pipe
        careful = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with open(os.open(leftover, careful), "rb") as stream:
            if _lock(stream):
                os.unlink(leftover)


def _lock(stream: BinaryIO) -> bool:
    """Lock a file until it is closed; False if it is locked, or if locks are not supported."""
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
        if error.errno in WAYS_OUT:
            reason = f"{reason}: {WAYS_OUT[error.errno]}"
        raise FileError(
            f"cannot write {name}: {reason}", disk_full=error.errno in DISK_FULL
        ) from error


def kind_of(data: bytes | bytearray) -> str | None:
    """The format of a file that begins with ``data``, and the way out."""
    kind = next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), None)
    if kind is None:
        return None
    packed = kind.startswith("compressed") or "archive" in kind
    return f"{kind}: unpack it first" if packed else f"{kind}, not .vm text: give the tape itself"


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Whether the suffix of ``path`` is that of a picture."""
    return os.path.splitext(os.fsdecode(path))[1].lower().removeprefix(".") in PICTURES
