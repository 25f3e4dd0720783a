"""Reading ``.vm`` text, and explaining its errors.

    file    one clause a line; a line ends in LF, CRLF or CR; the value is that of the last clause
    clause  NAME OP ARG*        separated by blanks
    NAME    any word that no earlier clause has as its name
    OP      an operation of ``ops.ROWS``; ``var-NAME`` reads a free variable, set by the caller
    ARG     the NAME of an earlier clause; for ``const`` a number: 1 .5 5. 1e-3 +1 -0 inf nan
    #       starts a comment wherever a word could start

Reading is one loop that looks words up and stops at the first unknown one; slower code explains
that line. Time and memory are linear in the text, and limited by ``MOST_BYTES`` and
``MOST_CLAUSES`` unless the caller gives other limits.
"""

from __future__ import annotations

import contextlib
import os
import re
from itertools import islice
from typing import BinaryIO

import numpy as np

from intervalvm.arguments import brief, did_you_mean, path_name, real
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, DoesNotFit, FileError, FormatError, OptionError
from intervalvm.files import kind_of
from intervalvm.memory import Amount, as_bytes, in_units
from intervalvm.ops import AXES, CODE, OPS, ROWS
from intervalvm.tape import NONE, Tape, TapeBuilder, wrong_name
from intervalvm.tape.numbers import as_single

UNARY = {op.name: CODE[op.name] for op in ROWS if op.arity == 1}
BINARY = {op.name: CODE[op.name] for op in ROWS if op.arity == 2}
INPUTS = {name: CODE[name] for name in AXES.values()}
WORDS = [op.name for op in ROWS if op.name != "var"]
FOREIGN = {name: op.name for op in ROWS for name in op.names.python}
"""How others spell an operation, where the nearest word is no help."""

WORD = re.compile(r"\S+")
COMMENT = re.compile(r"(?<!\S)#.*", re.DOTALL)
SHOWN = 80
"""Characters of a line in an error; a longer line is cut around the mark."""


MOST_BYTES = 256 << 20
PART_BYTES = 1 << 20
MOST_CLAUSES = 10_000_000
"""Default limits: about 5 GiB of memory and a minute."""


@in_default_environment
def load(
    path: str | os.PathLike[str],
    *,
    max_bytes: Amount = MOST_BYTES,
    max_clauses: int = MOST_CLAUSES,
) -> Tape:
    """Read the tape in a ``.vm`` file.

    Parameters
    ----------
    path : str or path-like
    max_bytes : int, float or str
        The largest file that is read, in bytes or as "4G".
    max_clauses : int

    Returns
    -------
    Tape

    Raises
    ------
    FileError
        If the file cannot be read.
    FormatError
        If it is no tape. The message names line and column.
    DoesNotFit
        If it exceeds a limit or memory.
    """
    name, max_bytes = path_name(path), as_bytes("max_bytes", max_bytes)
    with opened(path) as file:  # what fails while it is read is read's to explain
        return read(file, name, max_bytes=max_bytes, max_clauses=max_clauses)


def opened(path: str | os.PathLike[str]) -> BinaryIO:
    """A file to be read. Raises FileError if it cannot be."""
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise FileError(_unreadable(path_name(path), error)) from error


def read(
    file: BinaryIO, name: str, *, max_bytes: int = MOST_BYTES, max_clauses: int = MOST_CLAUSES
) -> Tape:
    """The tape in an open file; ``name`` appears in errors. Else as ``load``."""
    try:
        size = os.fstat(file.fileno()).st_size  # 0 for a pipe or a device
        data = _at_most(file, max_bytes + 1) if size <= max_bytes else b""
    except OSError as error:
        raise FileError(_unreadable(name, error)) from error
    except MemoryError:
        raise _out_of_memory(name) from None
    if max(size, len(data)) > max_bytes:
        limit = in_units(max_bytes)
        found = f"{in_units(size)} is" if size else f"more than {limit} is"
        raise DoesNotFit(
            f"{name}: {found} too much to read, the limit is {limit}: "
            "raise max_bytes (on the command line: --max-bytes)"
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8(name, data, error.start) from error
    except MemoryError:
        raise _out_of_memory(name) from None
    return parse(text, name=name, max_clauses=max_clauses)


def _at_most(file: BinaryIO, count: int) -> bytearray:
    """Up to ``count`` bytes, in parts, since one ``read(count)`` allocates that much."""
    data = bytearray()
    while part := file.read(min(PART_BYTES, count - len(data))):
        data += part
    return data


def _out_of_memory(name: str) -> DoesNotFit:
    return DoesNotFit(f"{name}: reading it takes more memory than there is: use a smaller file")


@in_default_environment
def parse(text: str, *, name: str = "<string>", max_clauses: int = MOST_CLAUSES) -> Tape:
    """Read the tape in a text.

    Parameters
    ----------
    text : str
        ``.vm`` text, one clause a line.
    name : str
        The name of the text in errors.
    max_clauses : int

    Returns
    -------
    Tape

    Raises
    ------
    FormatError
        If the text is no tape. The message names line and column.
    DoesNotFit
        If it exceeds ``max_clauses`` or memory.
    """
    if not isinstance(text, str):
        raise ArgumentTypeError(
            f"the text of a tape is a str, not {type(text).__name__!r}: decode bytes, join lines, "
            "or load(path) a file"
        )
    if real("max_clauses", max_clauses) < 0:
        raise OptionError(f"max_clauses={brief(max_clauses)}: give a number from 0")
    try:
        return _parsed(text, name, max_clauses)
    except DoesNotFit:
        raise
    except MemoryError:
        raise _out_of_memory(name) from None


def _parsed(text: str, name: str, max_clauses: int) -> Tape:
    lines = _lines(text)
    builder = TapeBuilder()
    add_code, add_left, add_right = (
        operands.append for operands in (builder.codes, builder.left, builder.right)
    )
    const = CODE["const"]
    defined: dict[str, int] = {}
    texts: dict[int, str] = {}
    wide: list[float] = []
    for number, line in enumerate(lines):
        words = (COMMENT.sub("", line) if "#" in line else line).split()
        count = len(words)
        i = len(defined)
        try:
            if count == 4:
                add_code(BINARY[words[1]])
                add_left(defined[words[2]])
                add_right(defined[words[3]])
            elif count == 3 and words[1] != "const":
                add_code(UNARY[words[1]])
                add_left(defined[words[2]])
                add_right(NONE)
            elif count == 3:
                wide.append(_number(words[2]))
                texts[i] = words[2]
                add_code(const)
                add_left(NONE)
                add_right(NONE)
            elif count == 2 and words[1] in INPUTS:
                builder.clause(words[1])
            elif count == 2 and words[1].startswith("var-") and words[1] != "var-":
                builder.variable(words[1].removeprefix("var-"))
            elif count == 0:
                continue
            else:
                raise LookupError
            if defined.setdefault(words[0], i) != i:
                raise LookupError
        except (LookupError, ValueError):
            raise _fault(name, lines, number, defined) from None
        if i >= max_clauses:
            raise DoesNotFit(
                f"{name}:{number + 1}: more than {max_clauses} clauses are too many: "
                "raise max_clauses (on the command line: --max-clauses)"
            )
    if not defined:
        raise FormatError("no clause: a tape needs at least one", name=name, line=1, column=1)
    singles = _singles(list(texts.values()), wide)
    builder.constants = dict(zip(texts, zip(wide, singles, strict=True), strict=True))
    return builder.build()


def _lines(text: str) -> list[str]:
    unmarked = text.removeprefix("\ufeff")
    return unmarked.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _number(text: str) -> float:
    """``float`` without ``1_000`` and digits of other scripts."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)


def _singles(texts: list[str], wide: list[float]) -> list[np.float32]:
    """Each number as float32, rounded once from its text; ``wide`` has them as float64."""
    doubles = np.array(wide, np.float64)
    with np.errstate(over="ignore", under="ignore"):
        singles = doubles.astype(np.float32)
    # The text matters only if the float64 is the middle of two float32, whose low 28 bits are 0.
    middle = (doubles.view(np.uint64) & np.uint64((1 << 28) - 1) == 0) & (singles != doubles)
    for i in np.flatnonzero(middle).tolist():
        singles[i] = as_single(texts[i], wide[i])
    return list(singles)


def _fault(name: str, lines: list[str], number: int, defined: dict[str, int]) -> FormatError:
    """The error of the invalid line ``number``, counted from 0."""
    line = COMMENT.sub("", lines[number])
    place, message = _wrong_word(lines, number, line.split(), defined)
    word = next(islice(WORD.finditer(line), place, None))  # a line may have millions of them
    return error_at(message, name, lines[number], number, *word.span())


def _wrong_word(
    lines: list[str], number: int, words: list[str], defined: dict[str, int]
) -> tuple[int, str]:
    """The index of the invalid word of a clause, and the message."""
    name, op, *operands = words if len(words) > 1 else (words[0], "")
    if name in defined:
        both = f"{_defining_line(lines, name)} and {number + 1}"
        return 0, f"{_quoted(name)} is defined twice, on lines {both}"
    if not op:
        return 0, f"no operation: {_quoted(name)} is only a name"
    if op in ("var", "var-"):
        return 1, f"{op!r} lacks a name: var-x, var-y, var-z or a free variable's"
    variable = op.removeprefix("var-")
    if op not in OPS and variable == op:
        return 1, f"unknown operation {_quoted(op)}{_meant_operation(op, name)}"

    if op not in OPS and (why := wrong_name(variable)):
        return 1, f"{_quoted(variable)} {why}"
    arity = 1 if op == "const" else OPS[op].arity if op in OPS else 0
    if len(operands) != arity:
        noun = "number" if op == "const" else "argument"
        takes = f"takes {arity} {noun}{'' if arity == 1 else 's'}, not {len(operands)}"
        return 1 if len(operands) < arity else 2 + arity, f"{_quoted(op)} {takes}"
    if op == "const":
        return 2, f"{_quoted(operands[0])} is not a number such as 1, .5, -1e-3, inf or nan"
    place, operand = next((i, word) for i, word in enumerate(operands, 2) if word not in defined)
    if operand == name:
        return place, f"{_quoted(operand)} is used in its own definition"
    return place, f"{_quoted(operand)} is not defined{_meant_clause(operand, lines, defined)}"


def _meant_operation(op: str, name: str) -> str:
    if name in WORDS:
        return f" (does the clause lack a name before {name!r}?)"
    word = op.lower()
    return did_you_mean(FOREIGN.get(word, word), WORDS)


def _meant_clause(operand: str, lines: list[str], defined: dict[str, int]) -> str:
    if line := _defining_line(lines, operand):
        return f" yet: its clause comes later, on line {line}"
    with contextlib.suppress(ValueError):
        _number(operand)
        return " (a number needs a clause of its own: NAME const NUMBER)"
    return did_you_mean(operand, reversed(defined))


def _defining_line(lines: list[str], name: str) -> int | None:
    firsts = (line.split(maxsplit=1)[:1] for line in lines)
    return next((number for number, first in enumerate(firsts, 1) if first == [name]), None)


def error_at(message: str, name: str, line: str, number: int, first: int, last: int) -> FormatError:
    """The error at the characters ``first`` to ``last`` of a line, which it shows with a mark.

    Lines are counted from 0.
    """
    line = line.rstrip()
    start = max(0, min(first - SHOWN // 2, len(line) - SHOWN))
    stop = start + SHOWN
    before = ("…" if start else "") + _shown(line[start:first])
    token = _shown(line[first : min(last, stop)])
    after = _shown(line[last:stop]) + ("…" if stop < len(line) else "")
    under = " " * _width(before) + "^" + "~" * (_width(token) - 1)
    mark = f"    {before}{token}{after}\n    {under}"
    return FormatError(message, name=name, line=number + 1, column=first + 1, mark=mark)


def _shown(text: str) -> str:
    """The text in one line: a tab is one blank, other unprintable characters are escaped."""

    def escaped(char: str) -> str:
        if "\udc80" <= char <= "\udcff":  # a byte that is not UTF-8, as "surrogateescape" reads it
            return f"\\x{ord(char) - 0xDC00:02x}"
        return char.encode("unicode_escape").decode()

    return "".join(c if c.isprintable() else escaped(c) for c in text.replace("\t", " "))


def _width(text: str) -> int:
    """The columns that a terminal takes for ``text``."""
    import unicodedata

    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _quoted(word: str) -> str:
    return repr(word if len(word) <= SHOWN // 2 else word[: SHOWN // 2] + "…")


def _not_utf8(name: str, data: bytes | bytearray, start: int) -> FormatError:
    if kind := kind_of(data):
        return FormatError(kind, name=name, line=1, column=1)
    encoding = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "not UTF-8"
    message = f"the file is {encoding}, byte {data[start]:#04x}: save it as UTF-8"
    before = _lines(data[:start].decode())
    lines = _lines(data.decode(errors="surrogateescape"))
    column = len(before[-1])
    return error_at(message, name, lines[len(before) - 1], len(before) - 1, column, column + 1)


def _unreadable(name: str, error: Exception) -> str:
    if not name:
        return "an empty text names no file: give the name of a .vm file"
    if os.path.isdir(name):
        return f"{name}: is a folder, not a .vm file"
    if isinstance(error, FileNotFoundError):
        with contextlib.suppress(OSError):  # the working folder may be gone
            folder, file = os.path.split(os.path.abspath(name))
            if not os.path.isdir(folder):
                return f"{name}: there is no folder {folder}"
            return f"{name}: no such file in {folder}{_file_like(file, folder)}"
    return f"{name}: cannot be read: {getattr(error, 'strerror', None) or error}"


def _file_like(file: str, folder: str) -> str:
    """A suggestion of a file of similar name, with any suffix; tapes come first."""
    names = sorted(os.listdir(folder), key=lambda name: (name.endswith(".vm"), name))
    stems = {os.path.splitext(name)[0]: name for name in names}
    return did_you_mean(os.path.splitext(file)[0], stems, stems.__getitem__)
