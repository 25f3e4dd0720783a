"""Kept object code: found again, and run only if it is what was kept, by whom it was kept."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from numpy.testing import assert_array_equal

import intervalvm as ivm
from intervalvm.errors import FileError
from intervalvm.jit import cache as kept_code
from intervalvm.jit import native
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from collections.abc import Callable

needs_posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes of POSIX")


@cache
def code_of(kind: str) -> bytes:
    """The real code, from the user's cache where it is."""
    name = f"{kind}-float32-nearest-{native._digest(kind, 'float32')}.o"
    machine = native._target_machine()
    return kept_code.kept(name, lambda: native._compile(kind, "float32", Meaning.FLOAT, machine))


class Compiler:
    """Stands for the compiler where only the file matters: it is quick, and counts its calls."""

    def __init__(self, walk: bytes, others: dict[str, bytes]) -> None:
        self.code, self.others, self.calls = walk, others, 0

    def __call__(self, kind: str, dtype: str, meaning: str, machine: Any) -> bytes:
        assert meaning is Meaning.FLOAT
        self.calls += 1
        return self.others.get(kind, self.code)


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Compiler:
    """An empty cache folder, and no kernel loaded."""
    of_plans = ("bounds", "fold", "balance", "assemble")
    quick = Compiler(code_of("careful"), {kind: code_of(kind) for kind in of_plans})
    monkeypatch.setattr(kept_code, "cache_folder", lambda: tmp_path / "cache" / "intervalvm")
    monkeypatch.setattr(native, "_compile", quick)
    monkeypatch.setattr(native, "prepare", lambda *_: None)
    monkeypatch.setattr(native, "_loaded", {})
    return quick


def load() -> None:
    """Load the kernel as a new process would."""
    native._loaded.clear()
    native.kernel("careful", "float32")


def kept() -> Path:
    (path,) = kept_code.cache_folder().iterdir()
    return path


def assert_renders() -> None:
    """On a tape that no other test has planned for; its walk is careful, since it divides by 0."""
    tape = ivm.parse("x var-x\ny var-y\na recip x\nv sub a y")
    native._loaded.clear()
    image = ivm.render(tape, size=64)
    assert_array_equal(image.pixels, ivm.render(tape, size=64, engine="dense").pixels)


def test_compiled_once_then_loaded_from_the_file(compiler: Compiler) -> None:
    load()
    load()
    assert compiler.calls == 1
    assert kept().name.startswith("careful-float32-")
    assert kept().read_bytes()[32:] == compiler.code
    native.kernel("careful", "float32")
    assert native.kernel("careful", "float32") is native.kernel("careful", "float32")


def test_each_kind_and_dtype_has_a_file(compiler: Compiler) -> None:
    for dtype in ("float32", "float64"):
        for kind in native.KINDS:
            native.kernel(kind, dtype)
    assert compiler.calls == len(list(kept_code.cache_folder().iterdir())) == 2 * len(native.KINDS)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "shorter than its digest": lambda content: content[:20],
    "truncated": lambda content: content[: len(content) // 2],
    "longer": lambda content: content + b"\0",
    "a flipped bit in the code": lambda content: (
        content[:999] + bytes([content[999] ^ 1]) + content[1000:]
    ),
    "a flipped bit in the digest": lambda content: bytes([content[0] ^ 1]) + content[1:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_compiled_anew(
    compiler: Compiler, damage: Callable[[bytes], bytes]
) -> None:
    load()
    whole = kept().read_bytes()
    kept().write_bytes(damage(whole))
    load()
    assert compiler.calls == 2
    assert kept().read_bytes() == whole


def test_a_cache_that_cannot_be_written_costs_a_warning(
    compiler: Compiler, caplog: pytest.LogCaptureFixture
) -> None:
    kept_code.cache_folder().parent.write_text("a file where the folder should be")
    assert_renders()
    assert "the compiled kernels cannot be kept: " in caplog.text
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_full_disk_costs_a_warning(
    compiler: Compiler, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, write: Any) -> None:
        raise FileError("No space left on device", disk_full=True)

    monkeypatch.setattr(kept_code, "write_atomically", full)
    load()
    assert "cannot be kept: No space left on device" in caplog.text


def test_a_file_that_cannot_be_read_is_compiled_anew(compiler: Compiler) -> None:
    load()
    name = kept()
    name.unlink()
    name.mkdir()
    load()
    assert compiler.calls == 2


# --- who may have written it --------------------------------------------------------------------


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def make_endless(path: Path) -> None:
    with open(path, "r+b") as stream:
        try:
            stream.truncate(1 << 40)
        except OSError:
            pytest.skip("this file system has no files with holes")


def make_foreign(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root gives files away")
    os.chown(path, 12345, -1, follow_symlinks=False)


CLAIMS: dict[str, Callable[[Path], None]] = {
    "a pipe": make_pipe,
    "a link": make_link,
    "a TiB of nothing": make_endless,
    "another user's": make_foreign,
    "open to the group": lambda path: path.chmod(0o620),
    "open to all": lambda path: path.chmod(0o602),
}


@needs_posix
@pytest.mark.parametrize("change", CLAIMS.values(), ids=CLAIMS)
def test_what_others_may_have_written_is_not_run(
    compiler: Compiler, change: Callable[[Path], None]
) -> None:
    """Each has the right content, as far as it has any; the next process finds a sound file."""
    load()
    path = kept()
    change(path)
    assert kept_code._read(path) is None
    load()
    load()
    assert compiler.calls == 2
    status = path.lstat()
    assert stat.S_ISREG(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == os.geteuid()


def test_a_file_under_the_name_of_another_is_not_run(compiler: Compiler) -> None:
    load()
    walk = kept()
    native.kernel("bounds", "float32")
    (other,) = set(kept_code.cache_folder().iterdir()) - {walk}
    shutil.copy(other, walk)
    load()
    assert compiler.calls == 3
    assert kept_code._read(walk) == compiler.code


@needs_posix
def test_the_folder_is_closed_whatever_the_umask(compiler: Compiler) -> None:
    before = os.umask(0)
    try:
        load()
    finally:
        os.umask(before)
    folder = kept_code.cache_folder()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, kept())] == [
        0o700,
        0o700,
        0o600,
    ]


@needs_posix
def test_a_folder_that_others_could_read_is_closed(compiler: Compiler) -> None:
    load()
    kept_code.cache_folder().chmod(0o755)
    load()
    assert compiler.calls == 1
    assert stat.S_IMODE(kept_code.cache_folder().stat().st_mode) == 0o700


@needs_posix
@pytest.mark.parametrize("foreign", [False, True])
def test_what_a_link_leads_to_is_not_closed(
    compiler: Compiler, tmp_path: Path, foreign: bool
) -> None:
    """It may be any folder of the user's, such as one that others are to read."""
    (tmp_path / "public").mkdir(mode=0o755)
    folder = kept_code.cache_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(tmp_path / "public")
    if foreign:
        make_foreign(folder)
    load()
    load()
    assert compiler.calls == (2 if foreign else 1), "a link of another user's is not followed"
    assert stat.S_IMODE((tmp_path / "public").stat().st_mode) == 0o755


@needs_posix
@pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777, 0o702], ids=oct)
def test_of_a_folder_that_others_may_write_to_nothing_is_run_and_nothing_kept(
    compiler: Compiler, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    load()
    name, folder = kept(), kept_code.cache_folder()
    folder.chmod(mode)
    load()
    assert compiler.calls == 2
    name.unlink()
    assert_renders()
    assert list(folder.iterdir()) == []
    assert "cannot be kept: others may write to the cache folder: remove it" in caplog.text


@needs_posix
def test_of_a_folder_of_another_user_nothing_is_run_and_nothing_kept(
    compiler: Compiler, caplog: pytest.LogCaptureFixture
) -> None:
    load()
    make_foreign(kept_code.cache_folder())
    load()
    assert compiler.calls == 2
    assert "cannot be kept: the cache folder belongs to another user: set XDG" in caplog.text


@pytest.mark.parametrize("path", ["", ".", "cache", "../cache", "~/cache"])
def test_a_relative_folder_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str
) -> None:
    monkeypatch.setattr(kept_code.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", path)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert kept_code.cache_folder() == tmp_path / ".cache" / "intervalvm"
    monkeypatch.setattr(Path, "home", lambda: Path(path))
    with pytest.raises(RuntimeError, match="the home folder is given by a relative path"):
        kept_code.cache_folder()


# --- the name of the file -----------------------------------------------------------------------


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the package's sources, which the digest is taken of."""
    copy = tmp_path / "intervalvm"
    shutil.copytree(Path(ivm.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(kept_code, "__file__", str(copy / "jit" / "cache.py"))
    return copy


def digest() -> str:
    """As a new process finds it."""
    for read in (kept_code._source, kept_code._modules, kept_code._digest_of_sources):
        read.cache_clear()
    return native._digest("careful", "float32")


def test_the_same_sources_elsewhere_have_the_same_digest(sources: Path) -> None:
    here = digest()
    shutil.copytree(sources, sources.parent / "again")
    kept_code.__file__ = str(sources.parent / "again" / "jit" / "cache.py")
    assert digest() == here


@pytest.mark.parametrize(
    "name", ["ops/__init__.py", "jit/lanes.py", "jit/kernels.py", "arith/elementary.py"]
)
def test_any_changed_byte_changes_the_digest(sources: Path, name: str) -> None:
    before = digest()
    source = sources / name
    source.write_bytes(source.read_bytes().replace(b"a", b"e", 1))
    assert digest() != before


def test_what_a_kernel_does_not_import_leaves_its_digest(sources: Path) -> None:
    before = digest()
    for name in ("cli/bench.py", "api/render.py", "voxel/view.py", "__init__.py", "extra.py"):
        (sources / name).write_text("")
    assert digest() == before


def test_a_new_import_changes_the_digest_with_all_that_it_imports(sources: Path) -> None:
    (sources / "extra.py").write_text("from intervalvm.more import (\n    thing,\n)\n")
    (sources / "more.py").write_text("")
    kernels = sources / "jit" / "kernels.py"
    kernels.write_text(kernels.read_text() + "\n    from intervalvm import extra\n")
    found = [digest()]
    (sources / "more.py").write_text("thing = 1\n")
    found.append(digest())
    (sources / "extra.py").write_text("")
    found.append(digest())
    assert len(set(found)) == 3


def test_the_sources_of_a_kernel_are_the_modules_that_it_loads() -> None:
    """In a process of its own, so that nothing else has imported any."""
    said = """
import sys
import intervalvm
before = set(sys.modules)
import intervalvm.jit.kernels
print(*(name for name in set(sys.modules) - before if name.startswith("intervalvm.")))
"""
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("intervalvm.") for name in done.stdout.split()}
    assert "jit.children" in loaded
    assert loaded <= set(kept_code._sources(["jit.kernels"]))


def test_versions_and_the_processor_change_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [digest(), native._digest("careful", "float64"), native._digest("tame", "float32")]
    with monkeypatch.context() as patch:
        patch.setattr(kept_code, "version", lambda package: "0.0.1")
        found.append(digest())
    with monkeypatch.context() as patch:
        patch.setattr(native.llvm, "get_host_cpu_name", lambda: "abacus")
        found.append(digest())
    assert len(set(found)) == 5
    assert digest() == found[0]


@pytest.mark.parametrize("name", ["OPT", "CPU_NAME", "CPU_FEATURES", "ENABLE_AVX", "TO_COME"])
def test_settings_of_numba_change_the_digest(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = digest()
    monkeypatch.setenv(f"NUMBA_{name}", "1")
    assert digest() != before


@pytest.mark.parametrize("name", ["NUM_THREADS", "CACHE_DIR", "DISABLE_JIT"])
def test_settings_that_change_no_code_do_not(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = digest()
    monkeypatch.setenv(f"NUMBA_{name}", "1")
    assert digest() == before


def test_the_cache_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kept_code.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kept_code.cache_folder() == tmp_path / "intervalvm"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert kept_code.cache_folder() == tmp_path / ".cache" / "intervalvm"
    monkeypatch.setattr(kept_code.sys, "platform", "darwin")
    assert kept_code.cache_folder() == tmp_path / "Library" / "Caches" / "intervalvm"
    monkeypatch.setattr(kept_code.sys, "platform", "win32")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    assert kept_code.cache_folder() == tmp_path / "AppData" / "Local" / "intervalvm"
