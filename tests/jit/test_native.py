"""Kernels as machine code: free of shortcuts, and the same whatever numba's settings are."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.places import TOP

import intervalvm as ivm
from intervalvm import OptionError
from intervalvm.jit import native
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self.code = native._compile(kind, dtype, Meaning.FLOAT, machine)


@pytest.fixture(scope="module")
def compiled() -> Callable[[str, str], Compiled]:
    return cache(Compiled)


@pytest.fixture(params=COMPILED, ids=["careful-float32", "tame-float64"])
def kernel(request: pytest.FixtureRequest, compiled: Callable[[str, str], Compiled]) -> Compiled:
    return compiled(*request.param)


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


def needed(kernel: Compiled) -> set[str]:
    """The functions that a kernel calls and does not have."""
    declared = set(re.findall(r"^declare .*?@\"?([\w.]+)", kernel.ir, re.MULTILINE))
    return {name for name in declared if not name.startswith("llvm.")}


def test_the_code_needs_nothing_but_fmod(kernel: Compiled) -> None:
    """It runs in a process that has not imported numba."""
    assert needed(kernel) == {"fmod"}


@pytest.mark.parametrize(("kind", "dtype"), [("hits", "float64"), ("shade", "float32")])
def test_the_code_of_what_follows_a_walk_needs_nothing(
    compiled: Callable[[str, str], Compiled], kind: str, dtype: str
) -> None:
    assert needed(compiled(kind, dtype)) == set()


COMPILE = """
import hashlib
from intervalvm.jit import native
from intervalvm.words import Meaning
code = native._compile("bounds", "float32", Meaning.FLOAT, native._target_machine())
print(hashlib.sha256(code).hexdigest())
"""


def test_settings_of_numba_change_no_code() -> None:
    """Not even those that would have it compile nothing, or raise errors."""
    settings = {"DISABLE_JIT": 1, "BOUNDSCHECK": 1, "OPT": 0, "LOOP_VECTORIZE": 0}
    settings |= {"SLP_VECTORIZE": 1, "DEBUGINFO": 1}
    given = {f"NUMBA_{name}": str(value) for name, value in settings.items()}
    usual = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    # each in a process of its own: names in the code count what was compiled before
    found = [
        subprocess.run(
            [sys.executable, "-c", COMPILE],
            env=usual | more | {"PYTHONPATH": str(TOP)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for more in ({}, given)
    ]
    assert found[0] == found[1]
    assert len(found[0].strip()) == 64


def test_numba_has_its_settings_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import config

    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    before = dict(vars(config))
    with suppress(ZeroDivisionError), native._pinned():
        assert not config.DISABLE_JIT
        raise ZeroDivisionError
    assert vars(config) == before


# --- the first use ------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """The kernels that are loaded; none is compiled."""
    found: list[tuple[str, str, str]] = []

    def load(*key: str) -> native.Kernel:
        found.append(key)  # type: ignore[arg-type]
        return lambda context: 0

    monkeypatch.setattr(native, "_loaded", {})
    monkeypatch.setattr(native, "_load", load)
    monkeypatch.setattr(native, "is_there", lambda *_: True)
    return found


def test_warm_up_loads_what_a_picture_may_need(asked: list[tuple[str, str, str]]) -> None:
    ivm.warm_up()
    kinds = {name: kind for name, kind in native.KINDS.items() if kind.on_cpu}
    assert {"tame", "careful", "bounds"} <= set(kinds) < set(native.KINDS)  # "merge" is a GPU's
    assert all(kinds[name].meanings == tuple(Meaning) for name in ("tame", "careful"))
    wanted = {(n, d, m) for n, kind in kinds.items() for d in kind.dtypes for m in kind.meanings}
    assert len(asked) == len(wanted)
    assert set(asked) == wanted
    ivm.warm_up()
    assert len(asked) == len(wanted), "once a process"


def test_warm_up_reports_its_progress(asked: list[tuple[str, str, str]]) -> None:
    reports: list[tuple[int, int]] = []
    ivm.warm_up("float32", progress=lambda *report: reports.append(report))
    total = len(asked)
    assert reports == [(done, total) for done in range(1, total + 1)]
    with pytest.raises(ivm.ArgumentTypeError, match="progress"):
        ivm.warm_up(progress=3)  # type: ignore[arg-type]


def test_warm_up_for_some_pictures(asked: list[tuple[str, str, str]]) -> None:
    ivm.warm_up(np.float64, proofs=False)
    of_both = [key for key in asked if len(native.KINDS[key[0]].dtypes) > 1]
    assert {key[1:] for key in of_both} == {("float64", Meaning.FLOAT)}
    with pytest.raises(OptionError, match="int32"):
        ivm.warm_up("int32")


SAY = """
import logging, sys
from intervalvm.jit import native
from intervalvm.words import Meaning
native._compiled = lambda *_: b""
how = sys.argv[1]
if how == "logs":
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
if how.startswith("command line"):
    from intervalvm.cli.streams import log_shown
    shown = log_shown(quiet="quiet" in how)
    shown.__enter__()
native._compile("tame", "float32", Meaning.FLOAT, None)
"""


LINES = [
    "compiling 1 kernel for this processor, once: about # s",
    "compiled 1 kernel in # s",
]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("plain", LINES),
        ("logs", [f"INFO {line}" for line in LINES]),
        ("command line", [f"intervalvm: {line}" for line in LINES]),
        ("command line, quiet", []),
    ],
)
def test_a_program_says_once_what_it_waits_for(how: str, said: list[str]) -> None:
    """Also one that has set up no logging, where it would seem to hang."""
    done = subprocess.run(
        [sys.executable, "-c", SAY, how],
        env=os.environ | {"PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.sub(r"[\d.]+ s", "# s", done.stderr).splitlines() == said


def test_the_line_is_no_warning_where_a_program_logs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(native, "_compiled", lambda *_: b"")
    caplog.set_level(logging.INFO, "intervalvm")
    native._compile("careful", "float64", Meaning.REAL, native._target_machine())
    assert {record.levelname for record in caplog.records} == {"INFO"}
    found = [re.sub(r"[\d.]+ s", "# s", record.getMessage()) for record in caplog.records]
    assert found == LINES
