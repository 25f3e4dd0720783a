"""The shape of the package: imports go down only, and nothing heavy comes before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

import intervalvm
from intervalvm import late, words

ROOT = Path(intervalvm.__file__).parent
LAYERS = [
    {"errors"},
    {"environment"},
    {"arguments"},
    {"hints"},
    {"aside", "files", "late", "memory", "notebooks"},
    {"words", "checks", "colours"},
    {"suffixes", "units"},
    {"arith"},
    {"ops"},
    {"tape"},
    {"expr"},
    {"formats"},
    {"shapes"},
    {"evaluate"},
    {"compiler"},
    {"jit"},
    {"gpu"},
    {"raster"},
    {"voxel"},
    {"cells"},
    {"outlines"},
    {"meshes"},
    {"proof"},
    {"api"},
    {"viewer"},
    {"__init__"},
    {"cli"},
    {"__main__"},
]
"""From the bottom up; a folder is one layer. A module imports from layers below its own, or from
its own folder, and never in a circle."""
PROGRAMS = {"formats/script_process.py"}
"""Run as processes of their own, which they end."""
EXAMPLES = "examples"
"""A folder of scripts that an installed package has; they are users of it, and no layer."""
MODULES = sorted(
    path.relative_to(ROOT)
    for path in ROOT.rglob("*.py")
    if path.relative_to(ROOT).parts[0] != EXAMPLES
)


def layer_of(name: str) -> int:
    return next(i for i, names in enumerate(LAYERS) if name in names)


def part_of(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(module: Path, *, lazy: bool) -> list[str]:
    """Full names of what a module imports: at its import, or also inside functions (``lazy``)."""
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        if is_type_checking(node):
            return
        if not lazy and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            found.extend(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse((ROOT / module).read_text(encoding="utf-8")))
    return found


def own_parts(names: list[str]) -> set[str]:
    """The layers' names among full names; what stands in ``intervalvm`` itself is ``__init__``."""
    known = set().union(*LAYERS)
    parts = [name.split(".")[1] for name in names if name.startswith("intervalvm.")]
    return {part if part in known else "__init__" for part in parts}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_go_down(module: Path) -> None:
    mine = part_of(module)
    for part in own_parts(imports(module, lazy=True)):
        allowed = part == mine or layer_of(part) < layer_of(mine)
        assert allowed, f"{module} imports {part}"


def test_no_imports_form_a_circle() -> None:
    """Those that wait for a call count too."""
    names = {name_of(module): module for module in MODULES}
    reads = {
        name: {own for full in imports(module, lazy=True) for own in modules_of(full, names)}
        for name, module in names.items()
    }
    while free := [name for name, read in reads.items() if not read & reads.keys() - {name}]:
        for name in free:
            del reads[name]
    assert not reads, f"in circles, or leading to one: {sorted(reads)}"


def name_of(module: Path) -> str:
    return ".".join(["intervalvm", *module.with_suffix("").parts]).removesuffix(".__init__")


def modules_of(full: str, names: dict[str, Path]) -> list[str]:
    """The module that an imported name is, or stands in."""
    return [full] if full in names else [full.rpartition(".")[0]] if "." in full else []


LATE = {
    "tape/__init__.py": {"evaluate", "to_dot"},
    "late.py": {"bounding_box", "html", "png", "save", "show"},
    "expr/node.py": {"call_function", "call_ufunc", "python_source", "ufunc", "ufuncs"},
}
"""What a class offers although a module above carries it out: the calls that go up, by name."""


def test_calls_that_go_up_are_few_and_found() -> None:
    found: dict[str, set[str]] = {}
    for module in MODULES:
        for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and ast.unparse(node.func) in ("late.call", "call")
            if is_call and isinstance(name := node.args[0], ast.Constant):
                found.setdefault(module.as_posix(), set()).add(name.value)
    assert found == LATE
    for name in set().union(*LATE.values()):
        assert callable(late.provided(name))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_the_gpu_libraries_are_imported_in_their_places_alone(module: Path) -> None:
    names = imports(module, lazy=True)
    gpu = {name for name in names if name.split(".")[0] == "cupy" or "numba.cuda" in name}
    if part_of(module) == "gpu":
        return
    assert not gpu
    assert not any("cupy" in name or "numba.cuda" in name for name in imports(module, lazy=False))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_only_the_command_line_prints_or_exits(module: Path) -> None:
    if part_of(module) in ("cli", "__main__") or module.as_posix() in PROGRAMS:
        return
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    forbidden = {"print", "exit", "quit", "input", "sys.exit", "os._exit", "sys.stdout.write"}
    assert not forbidden & set(calls)
    assert "SystemExit" not in [n.id for n in ast.walk(tree) if isinstance(n, ast.Name)]


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout


WORDS = {
    word
    for choices in vars(words).values()
    if get_origin(choices) is Literal
    for word in get_args(choices)
}


def compared(tree: ast.AST) -> set[str]:
    """The words that a module compares something with, or keeps to look for something among."""
    found: set[str] = set()
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("is_word"):
            parts = [*node.args]
        for part in parts:
            found |= {n.value for n in ast.walk(part) if isinstance(n, ast.Constant)} & WORDS
    return found


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_only_options_compare_words(module: Path) -> None:
    """Others ask what ``api.options`` made of them: a ``Way``, a truth, a table."""
    found = compared(ast.parse((ROOT / module).read_text(encoding="utf-8")))
    assert not found or module == Path("api/options.py")


def test_comparisons_of_words_are_found() -> None:
    ways = [
        "engine == 'naive'", "'dense' != engine", "backend in ('cupy', 'cuda')",
        "is_word(keep, ('value', 'sign'))", "a if job.prove == 'area' else b",
    ]  # fmt: skip
    assert all(compared(ast.parse(way)) for way in ways)
    assert compared(ast.parse("match grid:\n    case 'center':\n        pass")) == {"center"}
    assert not compared(ast.parse("engine = 'naive'; draw(engine='naive'); engine is None"))
    assert compared(ast.parse((ROOT / "api/options.py").read_text(encoding="utf-8")))


HEAVY = {
    "numba", "llvmlite", "PIL", "rich", "psutil", "cupy", "IPython", "matplotlib", "sympy",
    "fontTools", "uharfbuzz", "shapely", "trimesh", "manifold3d", "pyvista",
}  # fmt: skip


@pytest.mark.parametrize("name", ["intervalvm", "intervalvm.shapes"])
def test_importing_the_package_imports_nothing_heavy(name: str) -> None:
    code = f"import sys, {name}; print(sorted({HEAVY} & set(sys.modules)))"
    assert run(code).strip() == "[]"


def test_importing_the_package_starts_no_thread_and_reads_no_setting() -> None:
    code = (
        "import intervalvm, logging, threading; "
        "print(threading.active_count(), logging.root.handlers)"
    )
    assert run(code).strip() == "1 []"


@pytest.mark.parametrize("call", ["render(tape, size=8)", "render3d(tape, size=8).pixels"])
def test_rendering_with_kept_kernels_does_not_import_numba(call: str) -> None:
    """Loading them takes llvmlite's binding alone."""
    code = (
        "import sys, intervalvm as ivm\n"
        "tape = ivm.parse('x var-x')\n"
        f"ivm.{call}\n"
        "print('numba' in sys.modules)"
    )
    run(code)  # which compiles them, where this machine has none
    assert run(code).strip() == "False"
