"""The options of every command, their values and help, and hints for unknown words."""

from __future__ import annotations

import argparse
import importlib
import os
import re
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from intervalvm.api.options import ENGINES, GRIDS, KEEPS, MODES, PROVES
from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.cli.streams import say
from intervalvm.errors import OptionError
from intervalvm.files import is_picture
from intervalvm.memory import MOST, bytes_in
from intervalvm.words import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    Add = Callable[..., None]

DTYPES = tuple(DTYPE_NAMES.values())
GUESSES = {
    "-o": "--out", "-q": "--quiet", "-s": "--size", "-j": "--threads",
    "--width": "--size", "--height": "--size", "--resolution": "--size",
    "--proven": "--prove", "--rounding": "--prove", "--over": "--prove",
}  # fmt: skip
"""Options of other programs without similar names."""

DESCRIPTION = """\
Draw closed-form shapes by interval arithmetic: the same pixels as evaluating
every clause everywhere, about 1,000 times faster."""

EXAMPLES = """\
examples:
  intervalvm prospero.vm                          draws prospero.png, 1024x1024
  intervalvm prospero.vm --size 1920x1080 --out prospero.webp
  intervalvm prospero.vm --center 0.2 -0.1 --scale 0.05 --stats
  intervalvm prospero.vm --check                  compares with dense evaluation
  intervalvm prospero.vm --prove area             says which pixels are proven
  intervalvm ring.vm --set r=0.5 --out - | display
  intervalvm info prospero.vm
  intervalvm simplify prospero.vm --x 0 0.5 --y 0 0.5 --out corner.vm
  intervalvm bench prospero.vm
  gunzip -c prospero.vm.gz | intervalvm - --out prospero.png

'intervalvm FILE' is short for 'intervalvm render FILE';
'intervalvm COMMAND --help' lists the options of a command.

exit status: 0 done, 1 --check found a difference, 2 wrong command line or input,
3 out of memory, disk or device, 130 interrupted"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options of a command line. Raises SystemExit, having printed the help or an error."""
    words = list(argv)
    parser, commands = _parser()
    if not words:
        parser.error("give a .vm file, as in 'intervalvm prospero.vm'; see intervalvm --help")
    if words[0] == "--version":
        _say_version()
        parser.exit()
    if words[0] not in (*COMMANDS, "-h", "--help"):
        if words[0].isalpha() and not os.path.exists(words[0]):
            if words[0] == "help":
                parser.error("no command or file 'help': see intervalvm --help")
            if meant := near(words[0], COMMANDS):
                parser.error(f"no command or file {words[0]!r}{meant}")
        words.insert(0, "render")
    # A blank before it keeps argparse from taking -1e-3 or -inf for an option.
    spaced = [f" {word}" if _is_negative(word) else word for word in words]
    options, unknown = parser.parse_known_args(spaced)
    if unknown:
        command = commands[options.command]
        known = re.findall(r"--[a-z-]+", command.format_help())
        way_out = hint(argv, unknown, known, COMMANDS)
        command.error(f"unrecognized arguments: {' '.join(unknown)}{way_out}")
    return options


def command_of(options: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    """The function of a command, which returns the exit status."""
    module = importlib.import_module(f"intervalvm.cli.{COMMANDS[options.command][0]}")
    command: Callable[[argparse.Namespace], int] = getattr(module, options.command)
    return command


def _say_version() -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        say(f"intervalvm {version('intervalvm')}")
    except PackageNotFoundError:
        say("intervalvm, run from its sources without being installed")


def _is_negative(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return word.startswith("-")


def near(word: str, known: Iterable[str]) -> str:
    """A suggestion of a similar known word, or ""."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=1, cutoff=0.75)
    return f" (did you mean {found[0]!r}?)" if found else ""


def hint(
    words: Sequence[str], unknown: Sequence[str], known: Collection[str], commands: Iterable[str]
) -> str:
    """A hint for unknown words of a command line, or ""."""
    if "--" in words:
        return " (what stands behind -- is no option: leave -- out)"
    for word in unknown:
        if word in commands:
            return f" (the command comes first: intervalvm {word} FILE)"
        if not word.startswith("-") and is_picture(word) and "--out" in known:
            return f" (--out {word} names the picture)"
        if found := near(GUESSES.get(word.split("=")[0], word.split("=")[0]), known):
            return found
    return ""


def size(text: str) -> int | tuple[int, int]:
    if found := re.fullmatch(r"\s*([+-]?\d+)(?:[xX×]([+-]?\d+))?", text):
        width, height = found.groups()
        return int(width) if height is None else (int(width), int(height))
    raise argparse.ArgumentTypeError(f"{text!r} is not a size: give 1024 or 1920x1080")


def setting(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if name and equals:
            return name.strip(), float(value)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f"{text.strip()!r} is not NAME=VALUE: give a number, as in r=0.5"
    )


def amount_of_bytes(text: str) -> int:
    try:
        amount = bytes_in(text.strip())
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if amount == MOST:
        raise argparse.ArgumentTypeError("no machine has so much memory: give 4G or 500M")
    return amount


def clauses(text: str) -> int:
    if not re.fullmatch(r"0*[1-9]\d{0,18}", text):
        raise argparse.ArgumentTypeError(f"{text.strip()[:40]!r} is not a number of clauses from 1")
    return int(text)


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The main parser, and that of each command."""
    parser = argparse.ArgumentParser(
        prog="intervalvm",
        usage="intervalvm [COMMAND] FILE [option]...",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands: dict[str, argparse.ArgumentParser] = {}
    adding = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    for name, (_, line, add_options) in COMMANDS.items():
        command = commands[name] = adding.add_parser(
            name,
            help=line,
            prog=f"intervalvm {name}",
            description=line[0].upper() + line[1:] + ".",
            usage=f"intervalvm {name} FILE [option]...",
            allow_abbrev=False,
        )
        command.add_argument(
            "file", metavar="FILE", help="a tape in .vm text, or - for standard input"
        )
        add_options(command)
        reading = command.add_argument_group("how much of FILE is read at most")
        _add(reading, "--max-bytes BYTES", amount_of_bytes, "(256M)")
        _add(reading, "--max-clauses N", clauses, "(10000000)")
        _add(command, "--quiet", bool, "no progress, no summary")
        _add(command, "--debug", bool, "show the traceback of an error")
    return parser, commands


def _add(group: Any, usage: str, kind: Any, what: str, **more: Any) -> None:
    """Add an option: of a type, of some words, or a switch."""
    name, *values = usage.split()
    if kind is bool:
        group.add_argument(name, action="store_true", help=what)
        return
    more |= {"choices": kind} if isinstance(kind, tuple) else {"type": kind}
    if len(values) > 1:
        more |= {"nargs": len(values), "metavar": tuple(values)}
    elif values:
        more["metavar"] = values[0]
    group.add_argument(name, help=what, **more)


def _render_options(command: argparse.ArgumentParser) -> None:
    add = partial(_add, command.add_argument_group("what to draw"))
    add("--size N|WxH", size, "pixels: a square, or width x height (1024)")
    shown = "the rectangle to show, stretched to the size (-1 1 -1 1, never stretched)"
    add("--region X0 X1 Y0 Y1", float, shown)
    add("--center X Y", float, "the middle of the picture; pixels stay square (0 0)")
    add("--scale S", float, "half the shorter side of the picture (1)")
    part = "draw these pixels of the picture alone, the same as in all of it (all)"
    add("--crop LEFT TOP RIGHT BOTTOM", int, part)
    _add_variables(add)
    values = "inside or outside, or the values, which .npy and .tif hold (bitmap)"
    add("--mode", MODES, values)
    proven = (
        "prove each pixel's verdict for the function of real numbers, at its sample (point) "
        "or over its whole area; what is unproven is grey"
    )
    add("--prove point|area", PROVES, proven)
    add("--grid", GRIDS, "where the pixels are sampled (linspace)")
    add = partial(_add, command.add_argument_group("how to draw it"))
    add("--depth N", int, "levels of the quadtree (chosen from the size)")
    add("--engine", ENGINES, "how to evaluate (pruned)")
    add("--backend", get_args(Backend), "what evaluates (numba; numpy for dense and naive)")
    add("--dtype", DTYPES, "the arithmetic (float32)")
    add("--threads N", int, "CPUs to use (all there are)")
    add("--max-memory 4G", amount_of_bytes, "refuse what needs more (what is free)")
    group = command.add_argument_group("what to say and write")
    add = partial(_add, group)
    out = (
        "the picture: .png .pgm .ppm .pbm .tif .webp or .npy, "
        "or - for a PNG on standard output (FILE's stem with .png, here)"
    )
    add("--out PATH", str, out)
    certificate = (
        "also write what was proven, with --prove area, as JSON lines that "
        "tools/check_certificate.py verifies"
    )
    add("--certificate PATH", str, certificate)
    add("--check", bool, "also evaluate densely and compare every pixel")
    report = group.add_mutually_exclusive_group()
    _add(report, "--stats", bool, "print how the work went")
    _add(report, "--json", bool, "print the same as one JSON object")


def _add_variables(add: Add) -> None:
    each = "a free variable of the tape (may be repeated)"
    add("--set NAME=VALUE", setting, each, action="append", default=[])
    add("--z Z", float, "the third coordinate (0)")


def _info_options(command: argparse.ArgumentParser) -> None:
    _add_variables(partial(_add, command))
    _add(command, "--json", bool, "print one JSON object")


def _simplify_options(command: argparse.ArgumentParser) -> None:
    add = partial(_add, command)
    add("--x LO HI", float, "the box in x", required=True)
    add("--y LO HI", float, "the box in y", required=True)
    add("--z LO HI", float, "the box in z (0 0)")
    kept = "what stays the same at every point: the value, or only whether it is inside (value)"
    add("--keep", KEEPS, kept, default="value")
    add("--dtype", DTYPES, "shorten for this arithmetic alone (for both)")
    add("--out FILE.vm", str, "write there (-, standard output)")


def _bench_options(command: argparse.ArgumentParser) -> None:
    add = partial(_add, command)
    add("--size N|WxH", size, "pixels to draw (1024)", default=1024)
    _add_variables(add)
    add("--json", bool, "print one JSON object")


COMMANDS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "render": ("render", "draw the shape of a .vm file (the default command)", _render_options),
    "info": ("inspect", "say what a .vm file consists of", _info_options),
    "simplify": ("inspect", "print the shorter tape of a box", _simplify_options),
    "bench": ("bench", "time the engines on a .vm file", _bench_options),
}
"""The commands: the module here with a function of that name, a line of help, the options."""
