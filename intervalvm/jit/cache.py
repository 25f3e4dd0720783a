"""Object code in the user's cache folder.

Write access to it is code execution. So the folder and each file must be the user's own and not
writable by others; otherwise code is compiled and not cached. A file's name is a digest of
everything that could change the code, so a stale kernel is never found. Its content begins with a
digest of name and code, so a damaged or renamed one is never run. That digest detects accidents; it
is no signature.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import stat
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from intervalvm.errors import FileError
from intervalvm.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

log = logging.getLogger("intervalvm")
MOST_BYTES = 64 << 20
"""Longer files are not kernels; the longest kernel has a hundredth of this."""
SEAL_BYTES = hashlib.sha256().digest_size
FOR_OTHERS = stat.S_IWGRP | stat.S_IWOTH
OPEN_FLAGS = sum(
    getattr(os, name, 0) for name in ("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
)
"""Follow no link and wait for no pipe; not every platform has all flags."""
HARMLESS = {
    f"NUMBA_{name}"
    for name in (
        "CACHE_DIR", "DISABLE_CUDA", "DISABLE_JIT", "DISABLE_PERFORMANCE_WARNINGS",
        "ENABLE_CUDASIM", "NUM_THREADS", "THREADING_LAYER", "THREADING_LAYER_PRIORITY",
    )
}  # fmt: skip
"""Settings of numba's that do not affect kernels; all others are part of the digest."""


def kept(
    name: str, make: Callable[[], bytes], elsewhere: Callable[[], object] | None = None
) -> bytes:
    """The object code in the cache's file of that name, made if there is none.

    ``elsewhere()`` may have another process make and keep it.
    """
    folder = _own_folder()
    code = None if folder is None else _read(folder / name)
    if code is None and folder is not None and elsewhere is not None:
        elsewhere()
        code = _read(folder / name)
    if code is None:
        code = make()
        if folder is not None:
            _keep(folder / name, code)
    return code


def is_kept(name: str) -> bool:
    """Whether the cache has a file of that name."""
    folder = _own_folder()
    return folder is not None and (folder / name).is_file()


def is_usable() -> bool:
    """Whether kernels can be kept."""
    folder = _own_folder()
    with suppress(OSError):
        if folder is not None:
            _make(folder)
            return os.access(folder, os.W_OK)
    return False


def cache_folder() -> Path:
    """The platform's cache folder for compiled kernels.

    Raises RuntimeError for a user without a home. A relative path in the environment is ignored,
    since it depends on the working folder.
    """
    if sys.platform == "win32":
        base = _absolute("LOCALAPPDATA") or _home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = _home() / "Library" / "Caches"
    else:
        base = _absolute("XDG_CACHE_HOME") or _home() / ".cache"
    return base / "intervalvm"


def _absolute(variable: str) -> Path | None:
    path = Path(os.environ.get(variable, ""))
    return path if path.is_absolute() else None


def _home() -> Path:
    home = Path.home()
    if not home.is_absolute():
        raise RuntimeError(f"the home folder is given by a relative path, {str(home)!r}")
    return home


def _own_folder() -> Path | None:
    """The cache's folder, which may not exist; None, with a warning, if others may write to it."""
    fault = None
    try:
        folder = cache_folder()
        with suppress(FileNotFoundError):
            fault = _fault(folder.stat())
            if folder.is_symlink():  # where it leads is not ours to close
                fault = fault or _foreign(folder.lstat())
            elif fault is None and folder.is_dir():
                with suppress(OSError):
                    folder.chmod(0o700)  # others could at most read it
    except (RuntimeError, OSError) as error:
        fault = str(error)
    if fault is None:
        return folder
    log.warning("the compiled kernels cannot be kept: %s", fault)
    return None


def _make(folder: Path) -> None:
    """Make missing folders private, as in the XDG specification."""
    if not folder.exists():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _fault(status: os.stat_result) -> str | None:
    """Why others may have written a file, or None."""
    if not hasattr(os, "geteuid"):
        return None  # where rights are no modes, the user's own folders are closed to others
    if status.st_mode & FOR_OTHERS and status.st_uid == os.geteuid():
        return "others may write to the cache folder: remove it, and a closed one is made"
    return _foreign(status)


def _foreign(status: os.stat_result) -> str | None:
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        return "the cache folder belongs to another user: set XDG_CACHE_HOME to one of your own"
    return None


def _read(path: Path) -> bytes | None:
    """The object code in a file; None if it is missing, damaged or not the user's own."""
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, OPEN_FLAGS)) as stream:
            status = os.fstat(stream.fileno())
            is_sound = stat.S_ISREG(status.st_mode) and status.st_size <= MOST_BYTES
            if not is_sound or _fault(status) is not None:
                return None
            content = stream.read(MOST_BYTES)
    except OSError:
        return None
    code = content[SEAL_BYTES:]
    return code if _sealed(path.name, code) == content else None


def _keep(path: Path, code: bytes) -> None:
    """Write a file atomically; concurrent processes write the same bytes."""

    def write(stream: BinaryIO) -> None:
        if hasattr(os, "fchmod"):
            os.fchmod(stream.fileno(), 0o600)
        stream.write(_sealed(path.name, code))

    try:
        _make(path.parent)
        path.unlink(missing_ok=True)  # it may be a pipe or a link, which would be written to
        write_atomically(path, write)
    except (FileError, OSError) as error:
        log.warning("the compiled kernels cannot be kept: %s", error)


def _sealed(name: str, code: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + code).digest() + code


def digest(what: object, *modules: str) -> str:
    """A digest of ``what``, which prints as itself, and of all else that could change a kernel.

    That is the sources of ``modules``, such as "jit.kernels", and of all that they import from this
    package, Python, numba and its settings, llvmlite and the platform.
    """
    import llvmlite

    found = hashlib.sha256(_digest_of_sources(modules))
    versions = (version("numba"), llvmlite.__version__, sys.implementation.cache_tag)
    given = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))
    settings = [item for item in given if item[0] not in HARMLESS]
    found.update(repr((what, versions, settings, sys.platform, sys.maxsize)).encode())
    return found.hexdigest()[:32]


@cache  # a millisecond
def _digest_of_sources(modules: tuple[str, ...]) -> bytes:
    found = hashlib.sha256()
    for name, content in sorted(_sources(modules).items()):
        found.update(name.encode() + b"\0" + content + b"\0")
    return found.digest()


IMPORT = re.compile(
    rb"^ *from intervalvm\.?([\w.]*) import (?:\(([^)]*)\)|(.*))|^ *import intervalvm\.([\w.]+)",
    re.MULTILINE,
)
"""An import of one of this package's modules, wherever it stands."""
FOR_TYPES = re.compile(rb"^ *if TYPE_CHECKING:\n(?:(?: {4}.*)?\n)+", re.MULTILINE)
"""What only a type checker reads, which changes no kernel."""


def _sources(modules: Iterable[str]) -> dict[str, bytes]:
    """The sources of modules and of what they import, by module; packages have theirs too."""
    package, found, todo = Path(__file__).parents[1], dict[str, bytes](), set(modules)
    while todo:
        name = todo.pop()
        found[name], imported = _source(package, name)
        todo |= imported - found.keys()
    return found


@cache  # all kernels have most modules in common
def _source(package: Path, name: str) -> tuple[bytes, frozenset[str]]:
    """The source of a module, and the modules that it imports."""
    path = package.joinpath(*name.split("."))
    source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_bytes()
    imported = {name.rpartition(".")[0]}
    for module, block, line, whole in IMPORT.findall(FOR_TYPES.sub(b"", source)):
        base = (module or whole).decode()
        imported.add(base)
        if not whole:
            words = re.findall(r"\w+", (block or line).decode())
            # others are names in a module, which is read itself
            members = {f"{base}.{word}".lstrip(".") for word in words}
            imported |= members
    return source, frozenset(imported & _modules(package) - {""})  # which imports all the rest


@cache
def _modules(package: Path) -> frozenset[str]:
    """The names of all modules and packages in a package."""
    paths = [path.relative_to(package) for path in package.rglob("*.py")]
    names = (path.parent if path.name == "__init__.py" else path.with_suffix("") for path in paths)
    return frozenset(".".join(name.parts) for name in names)
