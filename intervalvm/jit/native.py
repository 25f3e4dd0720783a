"""Kernels as object code: compiled by numba once on a machine, then loaded without numba.

Object code is cached in files (see ``cache``). numba is imported only to compile: loading needs
llvmlite only, a tenth of the time.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import llvmlite.binding as llvm

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.environment import in_default_environment
from intervalvm.jit import notices, workers
from intervalvm.jit.cache import cache_folder, digest, is_kept, is_usable, kept
from intervalvm.jit.workers import Key
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from llvmlite import ir

Kernel = Callable[[int], int]


class Kind(NamedTuple):
    """How a kernel is made, and of what there is one."""

    module: str
    """Where it is built, by a function of (dtype, meaning): see ``Build``."""
    builder: str
    seconds: float
    """What it takes to compile, the first of all that share code: CPU time on an EPYC."""
    meanings: tuple[Meaning, ...] = tuple(Meaning)
    """The meanings of bounds: the first alone where there are none, or only those of floats."""
    on_cpu: bool = True
    """Whether the calls of a CPU use it."""
    dtypes: tuple[str, ...] = tuple(DTYPE_NAMES.values())
    """The dtypes of points: the first alone where there are none."""
    shares: str = ""
    """The name of what numba compiles, if that is the same for all dtypes, meanings and kinds of
    the name, so that only what is linked to it differs."""


KINDS = {
    "tame": Kind("jit.kernels", "build_tame", 8.0, shares="walk"),
    "careful": Kind("jit.kernels", "build_careful", 8.0, shares="walk"),
    "bounds": Kind("jit.bounding", "build_bounds", 1.0),
    "merge": Kind("jit.leaves", "build_merge", 0.5, (Meaning.FLOAT,), on_cpu=False, shares="merge"),
    "points": Kind("jit.scatter", "build_points", 5.5, (Meaning.FLOAT,), shares="points"),
    "duals": Kind("jit.scatter", "build_duals", 5.5, (Meaning.FLOAT,), shares="points"),
    "boxes": Kind("jit.boxes", "build_boxes", 4.5, shares="boxes"),
    "slopes": Kind("jit.boxes", "build_slopes", 4.5, (Meaning.FLOAT,), shares="boxes"),
    "divide": Kind("jit.dividing", "build_divide", 2.0, shares="divide"),
    "shorten": Kind("jit.shorter", "build_shorten", 1.0, (Meaning.FLOAT,), shares="shorten"),
    "voxels_tame": Kind("jit.voxels.kernels", "build_tame", 5.5, (Meaning.FLOAT,), shares="voxels"),
    "voxels_careful": Kind(
        "jit.voxels.kernels", "build_careful", 5.5, (Meaning.FLOAT,), shares="voxels"
    ),
    "hits": Kind("jit.voxels.hits", "build_hits", 2.5, (Meaning.FLOAT,)),
    # passes of the compiler
    "fold": Kind("jit.passes", "build_fold", 3.0, (Meaning.FLOAT,), dtypes=("float64",)),
    "balance": Kind("jit.passes", "build_balance", 1.0, (Meaning.FLOAT,), dtypes=("float64",)),
    "assemble": Kind("jit.passes", "build_assemble", 8.5, (Meaning.FLOAT,), dtypes=("float64",)),
    # pictures of solids
    "shade": Kind("jit.shading.kernel", "build_shade", 8.5, (Meaning.FLOAT,), dtypes=("float32",)),
    # meshes
    "mesh": Kind("jit.meshes.kernel", "build_mesh", 19.0, (Meaning.FLOAT,), dtypes=("float64",)),
    # outlines
    "outline": Kind(
        "jit.outlines.kernel", "build_outline", 9.0, (Meaning.FLOAT,), dtypes=("float64",)
    ),
}
"""All kernels. A digest of its module's sources, and of what they import, is the cache's key."""
SYMBOL = "intervalvm_kernel"
PINNED = {
    "BOUNDSCHECK": None,
    "DEBUGINFO_DEFAULT": 0,
    "DISABLE_JIT": 0,
    "LOOP_VECTORIZE": 1,
    "SLP_VECTORIZE": 0,
}
"""Numba's settings for kernels, which override those of the program, its environment and a file in
its working folder: kernels must not raise."""
LINKING = 1.2
"""Seconds to compile a kernel whose shared code is there."""
_loaded: dict[Key, Kernel] = {}
_kept: set[tuple[Path, Key]] = set()
"""Kernels that were found in a cache's folder."""
_shared: dict[str, bytes] = {}
"""Code that kernels share, by the name of its file."""
_compiling = threading.RLock()
if hasattr(os, "register_at_fork"):
    # The locks of compilers stay locked for ever in a process that is forked while another thread
    # compiles: so a fork waits for it.
    os.register_at_fork(
        before=_compiling.acquire,
        after_in_parent=_compiling.release,
        after_in_child=_compiling.release,
    )


class Linked(Protocol):
    """A function in LLVM that a kernel calls (see ``intrinsics.call_of``)."""

    @property
    def name(self) -> str:
        """Its symbol."""

    def write(self, module: ir.Module) -> None:
        """Add it to a module."""


Build = tuple[Callable[[int], int], tuple[Linked, ...]]
"""A kernel in the subset of Python that numba compiles, from the address of a context to an int64,
and what is linked to it."""


def kernel(kind: str, dtype: str, meaning: Meaning = Meaning.FLOAT) -> Kernel:
    """A kernel of ``KINDS``, called with the address of a context.

    The modules that build them tell what they do. ``meaning`` is that of bounds, real for proofs.
    It releases the GIL. The first call on a machine compiles it, which takes seconds and is logged.
    """
    # fast path: no lock
    key = kind, dtype, meaning
    found = _loaded.get(key)
    if found is None:
        with _compiling:
            found = _loaded.get(key) or _load(*key)
            _loaded[key] = found
    return found


def kernels_of(dtypes: Iterable[str], *, proofs: bool) -> list[Key]:
    """All kernels that calls on a CPU may need in some dtypes."""
    wanted = list(dtypes)
    return [
        (name, dtype, meaning)
        for name, kind in KINDS.items()
        if kind.on_cpu
        for meaning in (kind.meanings if proofs else kind.meanings[:1])
        for dtype in [each for each in wanted if each in kind.dtypes] or kind.dtypes[:1]
    ]


def prepare(keys: Iterable[Key], processes: int) -> None:
    """Have kernels that are neither loaded nor in the cache compiled by up to so many processes.

    That takes seconds, once on a machine, and is told (see ``notices``). Where the cache cannot be
    used, they are compiled when they are called.
    """
    missing = _in_order([key for key in keys if not _is_known(key)])
    if missing and sys.executable and is_usable():
        count = min(processes, len(missing))
        with notices.told(_costs(missing), count) as reach:
            workers.compile_together(missing, count, reach)


def _is_known(key: Key) -> bool:
    """Whether a kernel need not be compiled.

    It is remembered of those that are in the cache alone: a digest of sources takes milliseconds.
    """
    if key in _loaded:
        return True
    with suppress(RuntimeError):  # there is no home
        where = cache_folder(), key
        if where not in _kept and is_there(*key):
            _kept.add(where)
        return where in _kept
    return False


def _in_order(keys: Sequence[Key]) -> list[Key]:
    """First one of all that share code, so that no two processes make the same."""
    firsts = {KINDS[kind].shares or kind: (kind, dtype, m) for kind, dtype, m in reversed(keys)}
    ahead = [key for key in keys if key in firsts.values()]
    return ahead + [key for key in keys if key not in ahead]


def _costs(keys: Iterable[Key]) -> list[float]:
    """The seconds that each kernel takes to compile, in this order."""
    made = set[str]()
    found = []
    for kind, _, _ in keys:
        shares = KINDS[kind].shares
        found.append(LINKING if shares in made else KINDS[kind].seconds)
        made |= {shares} - {""}
    return found


def make(kind: str, dtype: str, meaning: Meaning = Meaning.FLOAT, *, here: bool = True) -> bytes:
    """The object code of a kernel, from the cache or compiled: in this process if ``here``, else by
    another one if that can be, since this one could not be interrupted."""
    key = kind, dtype, meaning
    elsewhere = None if here else partial(prepare, [key], 1)
    name = _file_name(*key)
    return kept(name, lambda: _compile(*key, _target_machine()), elsewhere)


def _load(kind: str, dtype: str, meaning: Meaning) -> Kernel:
    code, machine = make(kind, dtype, meaning, here=False), _target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(SYMBOL)
    # numba's convention: the result goes to an address, and the status is 0
    native = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(
        address
    )

    def call(context: int, _engine: Any = engine) -> int:  # the engine owns the code
        unfinished, no_error = ctypes.c_int64(), ctypes.c_void_p()
        native(ctypes.addressof(unfinished), ctypes.addressof(no_error), context)
        return unfinished.value

    return in_default_environment(call)  # on whatever thread it is run


def is_loaded(kind: str, dtype: str, meaning: Meaning = Meaning.FLOAT) -> bool:
    """Whether a kernel is loaded."""
    return (kind, dtype, meaning) in _loaded


def is_there(kind: str, dtype: str, meaning: Meaning = Meaning.FLOAT) -> bool:
    """Whether a kernel is loaded or in the cache, so that it need not be compiled."""
    return is_loaded(kind, dtype, meaning) or is_kept(_file_name(kind, dtype, meaning))


def _file_name(kind: str, dtype: str, meaning: Meaning) -> str:
    return f"{kind}-{dtype}-{meaning.value}-{_digest(kind, dtype, meaning)}.o"


def _digest(kind: str, dtype: str, meaning: Meaning = Meaning.FLOAT) -> str:
    """A digest of everything that could change the object code."""
    return _digest_of((KINDS[kind], dtype, meaning), KINDS[kind].module)


def _digest_of(what: object, module: str) -> str:
    machine = (
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
    )
    return digest((what, machine, _own_source()), module)


@cache
def _own_source() -> bytes:
    """That of this module, which imports all that builds kernels of any kind."""
    return Path(__file__).read_bytes()


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


def _compile(kind: str, dtype: str, meaning: Meaning, machine: llvm.TargetMachine) -> bytes:
    with notices.told(_costs([(kind, dtype, meaning)]), 1) as reach, _pinned():
        code = _compiled(kind, dtype, meaning, machine)
        reach(1)
    return code


@contextmanager
def _pinned() -> Iterator[None]:
    """Set numba's settings ``PINNED``, and its default optimization level."""
    from numba import config

    config.reload_config()  # type: ignore[no-untyped-call]  # before numba does, and undoes this
    settings = vars(config)
    pinned = PINNED | {"OPT": type(settings["OPT"])(3)}
    before = {name: settings[name] for name in pinned}
    settings.update(pinned)
    try:
        yield
    finally:
        settings.update(before)


def _compiled(kind: str, dtype: str, meaning: Meaning, machine: llvm.TargetMachine) -> bytes:
    made = KINDS[kind]
    build = getattr(import_module(f"intervalvm.{made.module}"), made.builder)
    source, linked = build(dtype, meaning)
    make_code = partial(_code, source, linked)
    if made.shares:
        name = f"{made.shares}-{_digest_of(made.shares, made.module)}.bc"
        code = _shared[name] = _shared.get(name) or kept(name, make_code)
    else:
        code = make_code()
    module = llvm.parse_bitcode(code)
    module.link_in(compiled_loops(linked, machine))
    for function in linked:
        module.get_function(function.name).linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    found: bytes = machine.emit_object(module)
    return found


def _code(source: Any, linked: Iterable[Linked]) -> bytes:
    """What numba makes of ``source`` as bitcode that calls what is linked to it."""
    from numba import cfunc, types

    from intervalvm.jit import intrinsics

    for function in linked:
        # numba links what it compiles, although it is not run: any address will do
        address = ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value
        llvm.add_symbol(function.name, address)
    compiled = cfunc(types.int64(types.int64), **intrinsics.compile_flags())(source)
    module = llvm.parse_assembly(compiled.inspect_llvm())
    # Outside numba only the function itself can be linked, not its wrapper for Python's errors.
    wrapper = module.get_function(compiled.native_name)
    wrapper.linkage = "internal"
    module.get_function(compiled.native_name.removeprefix("cfunc.")).name = SYMBOL
    code: bytes = module.as_bitcode()
    return code


def compiled_loops(loops: Iterable[Linked], machine: llvm.TargetMachine) -> llvm.ModuleRef:
    """A module with the code of ``loops``, simplified."""
    from llvmlite import ir

    source = ir.Module()
    source.triple, source.data_layout = machine.triple, str(machine.target_data)
    for loop in loops:
        loop.write(source)
    module = llvm.parse_assembly(str(source))
    # explicit vectors in order leave nothing to the other passes, which cost half of compilation
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    return module
