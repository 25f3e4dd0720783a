"""The process that runs a Python file and sends the shape that it names; ``script`` starts it.

It is run by its path. A line of JSON on standard input says what to run, and the end of standard
input that nobody waits any more. The answer is a line of JSON on what was standard output; what the
file prints goes to standard error instead.

The shape is that of ``FILE.py:NAME``, else ``shape``, else what ``build()`` returns, else the shape
or expression that was assigned last. Code under ``if __name__ == "__main__"`` does not run.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import sys
import threading
import traceback
from types import CodeType, ModuleType
from typing import Any

MODULE = "intervalvm_shape"
"""``__name__`` of the file that runs."""
Names = dict[str, Any]


class NoShape(Exception):
    """The file names no shape."""


def main() -> None:
    """Do what standard input says, then end, whatever threads the file has started."""
    answers = os.fdopen(os.dup(1), "wb")
    asked = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    order = json.loads(asked.readline())
    threading.Thread(target=_end_with, args=(asked,), daemon=True).start()
    sys.path[:] = order["sys.path"]
    answer = answer_of(order["path"], order["name"])
    sys.stdout.flush()
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()
    os._exit(0)


def _end_with(asked: Any) -> None:
    """End this process when the one that started it does."""
    asked.read()
    os._exit(1)


def answer_of(path: str, name: str | None) -> dict[str, Any]:
    """The shape that a file names, as text; or its error, with a place in the file if known."""
    try:
        with open(path, "rb") as file:
            source = file.read()
        linecache.getlines(path)  # of errors, while the file is still as it is
        code = compile(source, path, "exec")
        found = _described(_shape(_run(path, code), source, name))
    except NoShape as error:
        return {"error": str(error)}
    except BaseException as error:
        return {"error": _message(error), **_place(path, error)}
    return found


def _run(path: str, code: CodeType) -> Names:
    """What a file defines."""
    sys.argv = [path]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    module = ModuleType(MODULE)
    module.__file__ = path
    sys.modules[MODULE] = module
    exec(code, module.__dict__)
    return module.__dict__


def _shape(names: Names, source: bytes, name: str | None) -> Any:
    """The shape among what a file defines."""
    if name is not None:
        if name not in names:
            raise NoShape(f"defines no {name}")
        return _made(names[name], name)
    for usual in ("shape", "build"):
        if usual in names:
            return _made(names[usual], usual)
    drawn = [each for each in assigned(ast.parse(source)) if _is_drawn(names.get(each))]
    if not drawn:
        raise NoShape("names no shape: assign one, as in shape = circle(1), or define build()")
    return names[drawn[-1]]


def _made(value: Any, name: str) -> Any:
    """A shape, or what a function of a file makes of none."""
    from intervalvm.expr import as_tape

    if callable(value) and not hasattr(value, "tape"):
        value, name = value(), f"{name}()"
    try:
        as_tape(value)
    except TypeError:
        raise NoShape(f"{name} is no shape, but of type {type(value).__name__}") from None
    return value


def _is_drawn(value: Any) -> bool:
    """Whether a value is a shape, a tape or an expression that is more than an axis or a number."""
    from intervalvm.expr import Expr
    from intervalvm.late import Drawable
    from intervalvm.tape import Tape

    if isinstance(value, Expr):
        return bool(value._operands)
    return isinstance(value, (Drawable, Tape))


def assigned(tree: ast.AST) -> list[str]:
    """The names that a module assigns, in the order of the lines, without those in functions."""
    found: list[str] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.append(node.id)
        found += assigned(node)
    return found


def _described(shape: Any) -> dict[str, Any]:
    """A shape as texts and numbers."""
    from intervalvm.expr import as_tape
    from intervalvm.expr.convert import defaults_of
    from intervalvm.expr.paint import paint_of

    paint = paint_of(shape)
    return {
        "field": str(as_tape(shape)),
        "paint": None if paint is None else str(paint.tape()),
        "defaults": dict(defaults_of(shape)),
    }


def _message(error: BaseException) -> str:
    from intervalvm.errors import IntervalvmError

    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    message = str(error)
    if isinstance(error, IntervalvmError) and message:
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _place(path: str, error: BaseException) -> dict[str, Any]:
    """The last line of the file that led to an exception, and the characters of it to mark."""
    if isinstance(error, SyntaxError) and error.filename == path:
        line, first = error.lineno or 1, (error.offset or 1) - 1
        last = error.end_offset if error.end_lineno == error.lineno else None
        text = linecache.getline(path, line)
        return {"line": line, "text": text, "first": first, "last": (last or 0) - 1}
    frames = traceback.extract_tb(error.__traceback__)
    found = next((frame for frame in reversed(frames) if frame.filename == path), None)
    if found is None or found.lineno is None:
        return {}
    text = linecache.getline(path, found.lineno)
    first = _characters(text, found.colno)
    last = _characters(text, found.end_colno) if found.end_lineno == found.lineno else len(text)
    return {"line": found.lineno, "text": text, "first": first, "last": last}


def _characters(text: str, count: int | None) -> int:
    """How many characters so many bytes of a line are."""
    return len(text.encode()[: count or 0].decode(errors="replace"))


if __name__ == "__main__":
    main()
