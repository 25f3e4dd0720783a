"""Kernels as object code: compiled once, kept in a file, checked when loaded, free of shortcuts."""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from numpy.testing import assert_array_equal

import intervalvm as ivm
from intervalvm.errors import FileError
from intervalvm.render import native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHAPE = "x var-x\ny var-y\nv mul x y"
COMPILED = [("careful", "float32"), ("tame", "float64")]
"""Not all: what could go wrong does so in any of them, and each takes seconds."""


class Compiled:
    """One kernel as it is compiled for use: its LLVM code, assembly and object code."""

    def __init__(self, kind: str, dtype: str) -> None:
        machine = native._target_machine()
        emit_object = machine.emit_object

        def record(module: Any) -> bytes:
            self.ir, self.assembly = str(module), machine.emit_assembly(module)
            code: bytes = emit_object(module)
            return code

        machine.emit_object = record
        self.code = native._compile(kind, dtype, machine)


@pytest.fixture(scope="module")
def compiled() -> Callable[[str, str], Compiled]:
    return cache(Compiled)


@pytest.fixture(params=COMPILED, ids=["careful-float32", "tame-float64"])
def kernel(request: pytest.FixtureRequest, compiled: Callable[[str, str], Compiled]) -> Compiled:
    return compiled(*request.param)


class Compiler:
    """Stands for the compiler where only the file matters: it is quick, and counts its calls."""

    def __init__(self, walk: bytes, bounds: bytes) -> None:
        self.code, self.bounds, self.calls = walk, bounds, 0

    def __call__(self, kind: str, dtype: str, machine: Any) -> bytes:
        self.calls += 1
        return self.bounds if kind == "bounds" else self.code


@pytest.fixture
def compiler(
    compiled: Callable[[str, str], Compiled], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Compiler]:
    """An empty cache folder, and no kernel loaded."""
    quick = Compiler(compiled("careful", "float32").code, compiled("bounds", "float32").code)
    monkeypatch.setattr(native, "cache_folder", lambda: tmp_path / "cache" / "intervalvm")
    monkeypatch.setattr(native, "_compile", quick)
    native._loaded.cache_clear()
    yield quick
    native._loaded.cache_clear()


def load() -> None:
    """Load the kernel as a new process would."""
    native._loaded.cache_clear()
    native.kernel("careful", "float32")


def kept() -> Path:
    (path,) = native.cache_folder().iterdir()
    return path


def assert_renders() -> None:
    """On a tape that no other test has planned for; its walk is careful, since it divides by 0."""
    tape = ivm.parse("x var-x\ny var-y\na recip x\nv sub a y")
    native._loaded.cache_clear()
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
    assert compiler.calls == len(list(native.cache_folder().iterdir())) == 2 * len(native.KINDS)


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
    native.cache_folder().parent.write_text("a file where the folder should be")
    assert_renders()
    assert "the compiled kernels cannot be kept: " in caplog.text
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_full_disk_costs_a_warning(
    compiler: Compiler, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, write: Any) -> None:
        raise FileError("No space left on device", disk_full=True)

    monkeypatch.setattr(native, "write_atomically", full)
    load()
    assert "cannot be kept: No space left on device" in caplog.text


def test_a_file_that_cannot_be_read_is_compiled_anew(compiler: Compiler) -> None:
    load()
    name = kept()
    name.unlink()
    name.mkdir()
    load()
    assert compiler.calls == 2


# --- the name of the file -----------------------------------------------------------------------


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the package's sources, which the digest is taken of."""
    copy = tmp_path / "intervalvm"
    shutil.copytree(Path(ivm.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(native, "__file__", str(copy / "render" / "native.py"))
    return copy


def digest() -> str:
    return native._digest("careful", "float32")


def test_the_same_sources_elsewhere_have_the_same_digest(sources: Path) -> None:
    here = digest()
    shutil.copytree(sources, sources.parent / "again")
    native.__file__ = str(sources.parent / "again" / "render" / "native.py")
    assert digest() == here


@pytest.mark.parametrize(
    "name", ["ops.py", "evaluate/lanes.py", "render/kernels.py", "cli/bench.py"]
)
def test_any_changed_byte_changes_the_digest(sources: Path, name: str) -> None:
    before = digest()
    source = sources / name
    source.write_bytes(source.read_bytes().replace(b"a", b"e", 1))
    assert digest() != before


def test_a_new_or_renamed_file_changes_the_digest(sources: Path) -> None:
    found = [digest()]
    (sources / "extra.py").write_text("")
    found.append(digest())
    (sources / "extra.py").rename(sources / "other.py")
    found.append(digest())
    assert len(set(found)) == 3


def test_versions_and_the_processor_change_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [digest(), native._digest("careful", "float64"), native._digest("tame", "float32")]
    with monkeypatch.context() as patch:
        patch.setattr(native, "version", lambda package: "0.0.1")
        found.append(digest())
    with monkeypatch.context() as patch:
        patch.setattr(native.llvm, "get_host_cpu_name", lambda: "abacus")
        found.append(digest())
    assert len(set(found)) == 5
    assert digest() == found[0]


def test_the_cache_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(native.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert native.cache_folder() == tmp_path / "intervalvm"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert native.cache_folder() == tmp_path / ".cache" / "intervalvm"
    monkeypatch.setattr(native.sys, "platform", "darwin")
    assert native.cache_folder() == tmp_path / "Library" / "Caches" / "intervalvm"
    monkeypatch.setattr(native.sys, "platform", "win32")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    assert native.cache_folder() == tmp_path / "AppData" / "Local" / "intervalvm"


# --- the code -----------------------------------------------------------------------------------


def test_no_instruction_may_be_reordered_or_contracted(kernel: Compiled) -> None:
    """One clause is one rounding: LLVM is given no leave to do otherwise."""
    flags = re.compile(r"\b(fast|contract|reassoc|nnan|ninf|nsz|arcp|afn)\b")
    arithmetic = [
        line for line in kernel.ir.splitlines() if re.search(r" = f?\w+ .*(float|double)", line)
    ]
    assert len(arithmetic) > 100
    assert [line for line in arithmetic if flags.search(line)] == []
    assert "llvm.fma" not in kernel.ir  # fmuladd is spelled so too


def test_no_machine_instruction_multiplies_and_adds(kernel: Compiled) -> None:
    assert len(kernel.assembly) > 10_000
    assert re.findall(r"\b(vfn?m(?:add|sub)\w*|fn?m(?:add|sub|la|ls)\b\w*)", kernel.assembly) == []


def test_the_code_needs_nothing_but_fmod(kernel: Compiled) -> None:
    """It runs in a process that has not imported numba."""
    declared = set(re.findall(r"^declare .*?@\"?([\w.]+)", kernel.ir, re.MULTILINE))
    needed = {name for name in declared if not name.startswith("llvm.")}
    assert needed == {"fmod"}
