"""The arguments of every command, their help, and nothing that takes time to import."""

from __future__ import annotations

import argparse
import importlib
import os
import re
from typing import TYPE_CHECKING, Any, get_args

from intervalvm.api.options import ENGINES, GRIDS, KEEPS, MODES, PROVES
from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.cli import arguments
from intervalvm.cli.arguments import hint, near
from intervalvm.cli.streams import say
from intervalvm.words import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DTYPES = tuple(DTYPE_NAMES.values())

COMMANDS = {
    "render": ("intervalvm.cli.render", "draw the shape of a .vm file (the default command)"),
    "info": ("intervalvm.cli.inspect", "say what a .vm file consists of"),
    "simplify": ("intervalvm.cli.inspect", "print the shorter tape of a box"),
    "bench": ("intervalvm.cli.bench", "time the engines on a .vm file"),
}
"""The commands: the module with a function of that name, and a line of help."""

DESCRIPTION = """\
Draw closed-form shapes by interval arithmetic: the same pixels as evaluating
every clause everywhere, about a thousand times faster."""

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
    if not words:
        _parser()[0].error("give a .vm file, as in 'intervalvm prospero.vm'; see intervalvm --help")
    parser, commands = _parser()
    if words[0] not in (*COMMANDS, "-h", "--help", "--version"):
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
    """The function that does what ``options`` ask for and returns the exit status."""
    module = importlib.import_module(COMMANDS[options.command][0])
    command: Callable[[argparse.Namespace], int] = getattr(module, options.command)
    return command


def _is_negative(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return word.startswith("-")


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser of all, and that of each command."""
    parser = argparse.ArgumentParser(
        prog="intervalvm",
        usage="intervalvm [COMMAND] FILE [option]...",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action=_Version, default=argparse.SUPPRESS, help="print the version and exit"
    )
    commands: dict[str, argparse.ArgumentParser] = {}
    adding = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    for name, add_options in (
        ("render", _render_options),
        ("info", _info_options),
        ("simplify", _simplify_options),
        ("bench", _bench_options),
    ):
        line = COMMANDS[name][1]
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
        reading.add_argument(
            "--max-bytes", type=arguments.amount_of_bytes, metavar="BYTES", help="(256M)"
        )
        reading.add_argument(
            "--max-clauses", type=arguments.clauses, metavar="N", help="(10000000)"
        )
        command.add_argument("--quiet", action="store_true", help="no progress, no summary")
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser, commands


def _render_options(command: argparse.ArgumentParser) -> None:
    what = command.add_argument_group("what to draw")
    what.add_argument(
        "--size",
        type=arguments.size,
        metavar="N|WxH",
        help="pixels: a square, or width x height (1024)",
    )
    what.add_argument(
        "--region",
        type=float,
        nargs=4,
        metavar=("X0", "X1", "Y0", "Y1"),
        help="the rectangle to show, stretched to the size (-1 1 -1 1, never stretched)",
    )
    what.add_argument(
        "--center",
        type=float,
        nargs=2,
        metavar=("X", "Y"),
        help="the middle of the picture; pixels stay square (0 0)",
    )
    what.add_argument(
        "--scale", type=float, metavar="S", help="half the shorter side of the picture (1)"
    )
    what.add_argument(
        "--crop",
        type=int,
        nargs=4,
        metavar=("LEFT", "TOP", "RIGHT", "BOTTOM"),
        help="draw these pixels of the picture alone, the same as in all of it (all)",
    )
    _add_variables(what)
    what.add_argument(
        "--mode",
        choices=MODES,
        help="inside or outside, or the values, which .npy and .tif hold (bitmap)",
    )
    what.add_argument(
        "--prove",
        choices=PROVES,
        metavar="point|area",
        help="prove each pixel's verdict for the function of real numbers, at its sample (point) "
        "or over its whole area; what is unproven is grey",
    )
    what.add_argument("--grid", choices=GRIDS, help="where the pixels are sampled (linspace)")
    _add_effort(command.add_argument_group("how to draw it"))
    _add_output(command.add_argument_group("what to say and write"))


def _add_variables(group: Any) -> None:
    group.add_argument(
        "--set",
        type=arguments.setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a free variable of the tape (may be repeated)",
    )
    group.add_argument("--z", type=float, metavar="Z", help="the third coordinate (0)")


def _add_effort(group: Any) -> None:
    group.add_argument(
        "--depth", type=int, metavar="N", help="levels of the quadtree (chosen from the size)"
    )
    group.add_argument("--engine", choices=ENGINES, help="how to evaluate (pruned)")
    group.add_argument(
        "--backend",
        choices=get_args(Backend),
        help="what evaluates (numba; numpy for dense and naive)",
    )
    group.add_argument("--dtype", choices=DTYPES, help="the arithmetic (float32)")
    group.add_argument("--threads", type=int, metavar="N", help="CPUs to use (all there are)")
    group.add_argument(
        "--max-memory",
        type=arguments.amount_of_bytes,
        metavar="4G",
        help="refuse what needs more (what is free)",
    )


def _add_output(group: Any) -> None:
    group.add_argument(
        "--out",
        metavar="PATH",
        help="the picture: .png .pgm .ppm .pbm .tif .webp or .npy, "
        "or - for a PNG on standard output (FILE's stem with .png, here)",
    )
    group.add_argument(
        "--certificate",
        metavar="PATH",
        help="also write what was proven, with --prove area, as JSON lines that "
        "tools/check_certificate.py verifies",
    )
    group.add_argument(
        "--check", action="store_true", help="also evaluate densely and compare every pixel"
    )
    report = group.add_mutually_exclusive_group()
    report.add_argument("--stats", action="store_true", help="print how the work went")
    report.add_argument("--json", action="store_true", help="print the same as one JSON object")


def _info_options(command: argparse.ArgumentParser) -> None:
    _add_variables(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _simplify_options(command: argparse.ArgumentParser) -> None:
    for axis, required in (("x", True), ("y", True), ("z", False)):
        command.add_argument(
            f"--{axis}",
            type=float,
            nargs=2,
            required=required,
            metavar=("LO", "HI"),
            help=f"the box in {axis}" + ("" if required else " (0 0)"),
        )
    command.add_argument(
        "--keep",
        choices=KEEPS,
        default="value",
        help="what stays the same at every point: the value, or only whether it is inside (value)",
    )
    command.add_argument(
        "--dtype", choices=DTYPES, help="shorten for this arithmetic alone (for both)"
    )
    command.add_argument("--out", metavar="FILE.vm", help="write there (-, standard output)")


def _bench_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--size", type=arguments.size, default=1024, metavar="N|WxH", help="pixels to draw (1024)"
    )
    _add_variables(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")


class _Version(argparse.Action):
    """The version, looked up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], **given: Any) -> None:
        super().__init__(option_strings, nargs=0, **given)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            say(f"intervalvm {version('intervalvm')}")
        except PackageNotFoundError:
            say("intervalvm, run from its sources without being installed")
        parser.exit()
