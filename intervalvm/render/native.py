"""Kernels as object code: compiled by numba once on a machine, then loaded without numba.

The object code of each dtype stands in a file of the user's cache folder. Its name is a digest of
all that could change the code (this package's sources, the versions of numba and llvmlite, the
processor and its features), so a stale kernel is never found; its content carries a digest of its
own, so a damaged one is never run. A file that cannot be used is compiled anew.

numba is imported only to compile: loading takes llvmlite's binding alone, a tenth of the time.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llvmlite
import llvmlite.binding as llvm

from intervalvm.environment import in_default_environment
from intervalvm.errors import FileError
from intervalvm.files import write_atomically

if TYPE_CHECKING:
    from intervalvm.evaluate.steps import Loop

log = logging.getLogger("intervalvm")
Kernel = Callable[[int], int]
KINDS = ("tame", "careful", "bounds", "merge")
SYMBOL = "intervalvm_kernel"
_compiling = threading.Lock()


def kernel(kind: str, dtype: str, rounding: str = "nearest") -> Kernel:
    """A kernel of ``kernels``, called with the address of a context: one of ``KINDS``.

    "tame" and "careful" are walks, "bounds" evaluates one box, "merge" draws what others evaluated;
    ``rounding`` is that of bounds, and "outward" is for proofs. It releases the GIL while it runs.
    The first call on a machine compiles it, which takes seconds and is logged.
    """
    with _compiling:
        return _loaded(kind, dtype, rounding)


@lru_cache
def _loaded(kind: str, dtype: str, rounding: str) -> Kernel:
    machine = _target_machine()
    name = f"{kind}-{dtype}-{rounding}-{_digest(kind, dtype, rounding)}.o"
    code = kept(name, lambda: _compile(kind, dtype, rounding, machine))
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(SYMBOL)
    # Its result goes to an address and its error status is always 0: that is numba's convention.
    native = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(
        address
    )

    def call(context: int, _engine: Any = engine) -> int:  # the engine owns the code
        unfinished, no_error = ctypes.c_int64(), ctypes.c_void_p()
        native(ctypes.addressof(unfinished), ctypes.addressof(no_error), context)
        return unfinished.value

    return in_default_environment(call)  # on whatever thread it is run


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """The object code in the cache's file of that name; made and kept where there is none."""
    path = _place(name)
    code = None if path is None else _read(path)
    if code is None:
        code = make()
        if path is not None:
            _keep(path, code)
    return code


def _place(name: str) -> Path | None:
    """The file of that name in the cache; None for a user without a home."""
    try:
        return cache_folder() / name
    except RuntimeError as error:
        log.warning("the compiled kernels cannot be kept: %s", error)
        return None


def _keep(path: Path, code: bytes) -> None:
    """Two processes may both do so at once: each writes the same, whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda stream: stream.write(_sealed(code)))
    except (FileError, OSError) as error:
        log.warning("the compiled kernels cannot be kept: %s", error)


def cache_folder() -> Path:
    """Where compiled kernels are kept: the platform's folder for what can be made again."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "intervalvm"


def _digest(kind: str, dtype: str, rounding: str = "nearest") -> str:
    """A name for the object code: whatever could change the code changes it."""
    machine = (llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    return digest((kind, dtype, rounding, machine))


def digest(what: object) -> str:
    """A digest of ``what``, which prints as itself, of this package's sources and of numba."""
    found = hashlib.sha256()
    package = Path(__file__).parents[1]
    for source in sorted(package.rglob("*.py")):
        found.update(source.relative_to(package).as_posix().encode() + b"\0")
        found.update(source.read_bytes() + b"\0")
    versions = (version("numba"), llvmlite.__version__, sys.platform)
    found.update(repr((what, versions)).encode())
    return found.hexdigest()[:32]


def _sealed(code: bytes) -> bytes:
    return hashlib.sha256(code).digest() + code


def _read(path: Path) -> bytes | None:
    """The object code in a file, or None if there is none or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    code = content[32:]
    return code if _sealed(code) == content else None


def _target_machine() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic" if sys.platform != "win32" else "default",
        codemodel="jitdefault",
        jit=True,
    )


def _compile(kind: str, dtype: str, rounding: str, machine: llvm.TargetMachine) -> bytes:
    purpose = "" if rounding == "nearest" else " of proofs"
    message = "compiling the %s %s kernel%s for this processor (once, some seconds)"
    log.info(message, kind, dtype, purpose)
    from numba import cfunc, types

    from intervalvm.render import batches, intrinsics, kernels

    loops = kernels.loops(kind, dtype, rounding)
    if kind == "bounds":
        source = kernels.build_bounds(loops)
    elif kind == "merge":
        source = batches.build_merge(dtype)
    else:
        source = kernels.build(dtype, loops)
    for loop in loops:
        # numba links what it compiles although nobody will run it: any address will do
        llvm.add_symbol(loop.name, ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value)
    signature = types.int64(types.int64)
    compiled = cfunc(signature, **intrinsics.compile_flags())(source)
    module = llvm.parse_assembly(compiled.inspect_llvm())
    # Outside numba only the function itself can be linked, not its wrapper for Python's errors.
    wrapper = module.get_function(compiled.native_name)
    wrapper.linkage = "internal"
    module.get_function(compiled.native_name.removeprefix("cfunc.")).name = SYMBOL
    module.link_in(compiled_loops(loops, machine))
    for loop in loops:
        module.get_function(loop.name).linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    code: bytes = machine.emit_object(module)
    return code


def compiled_loops(loops: Iterable[Loop], machine: llvm.TargetMachine) -> llvm.ModuleRef:
    """A module with the code of ``loops``, optimised."""
    from llvmlite import ir

    source = ir.Module()
    source.triple, source.data_layout = machine.triple, str(machine.target_data)
    for loop in loops:
        loop.write(source)
    module = llvm.parse_assembly(str(source))
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module
