"""The options of a command line, and hints for unknown words."""

from __future__ import annotations

import argparse
import importlib
import os
import re
from typing import TYPE_CHECKING

from intervalvm.cli.commands import COMMANDS, OPERANDS, add_option
from intervalvm.cli.streams import say
from intervalvm.cli.values import amount_of_bytes, clauses
from intervalvm.files import is_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

GUESSES = {
    "-o": "--out", "-q": "--quiet", "-s": "--size", "-j": "--threads",
    "--width": "--size", "--height": "--size", "--resolution": "--size",
    "--proven": "--prove", "--rounding": "--prove", "--over": "--prove",
    "--azimuth": "--yaw", "--elevation": "--pitch", "--frames": "--turn", "--zoom": "--scale",
}  # fmt: skip
"""Options of other programs without similar names."""

DESCRIPTION = """\
Draw closed-form shapes by interval arithmetic: the same pixels as evaluating
every clause everywhere, thousands of times faster."""

EXAMPLES = """\
examples:
  intervalvm prospero.vm                          draws prospero.png, 1024x1024
  intervalvm prospero.vm --size 1920x1080 --out prospero.webp
  intervalvm prospero.vm --center 0.2 -0.1 --scale 0.05 --stats
  intervalvm prospero.vm --check                  compares with dense evaluation
  intervalvm prospero.vm --prove area             says which pixels are proven
  intervalvm ring.vm --set r=0.5 --out - | display
  intervalvm render3d bear.vm --yaw 30 --pitch 20 --perspective 0.3
  intervalvm render3d bear.vm --pitch 20 --turn 36 --out bear.gif
  intervalvm contour bracket.vm --tolerance 0.01 --arcs --unit mm --out bracket.dxf
  intervalvm mesh bear.vm --depth 8 --out bear.3mf
  intervalvm view gear.py                         shows it in the browser, as you edit
  intervalvm info prospero.vm
  intervalvm simplify prospero.vm --x 0 0.5 --y 0 0.5 --out corner.vm
  intervalvm bench prospero.vm
  intervalvm examples prospero gear               copies prospero.vm and gear.py here
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
        if words[0].isalnum() and not os.path.exists(words[0]):
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
        way_out = _elsewhere(unknown[0], commands)
        way_out = way_out or hint(argv, unknown, _options_of(command), COMMANDS)
        command.error(f"unrecognized arguments: {' '.join(unknown)}{way_out}")
    return options


def _options_of(command: argparse.ArgumentParser) -> list[str]:
    return re.findall(r"--[a-z0-9-]+", command.format_help())


def _elsewhere(option: str, commands: Mapping[str, argparse.ArgumentParser]) -> str:
    """Which commands have an option that another one lacks."""
    found = [name for name, command in commands.items() if option in _options_of(command)]
    if not found:
        return ""
    *others, last = found
    if not others:
        return f" (intervalvm {last} has it)"
    return f" (intervalvm {', '.join(others)} and {last} have it)"


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
            return f" (the command comes first: intervalvm {word} {OPERANDS.get(word, 'FILE')})"
        if not word.startswith("-") and _is_output(word) and "--out" in known:
            return f" (--out {word} names the file to write)"
        if found := near(GUESSES.get(word.split("=")[0], word.split("=")[0]), known):
            return found
    return ""


def _is_output(word: str) -> bool:
    """Whether the suffix is that of a picture, an outline or a mesh."""
    from intervalvm.api.save import SAVES
    from intervalvm.formats.write import SUFFIX

    suffix = os.path.splitext(word)[1].lower().removeprefix(".")
    return is_picture(word) or (suffix in SAVES and suffix != SUFFIX)


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
            usage=f"intervalvm {name} {OPERANDS.get(name, 'FILE')} [option]...",
            allow_abbrev=False,
        )
        if name not in OPERANDS:
            _add_file(command)
        add_options(command)
        add_option(command, "--quiet", bool, "no progress, no summary")
        add_option(command, "--debug", bool, "show the traceback of an error")
    return parser, commands


def _add_file(command: argparse.ArgumentParser) -> None:
    what = "a tape in .vm text, a .py (or .py:NAME) with a shape, or - for standard input"
    command.add_argument("file", metavar="FILE", help=what)
    reading = command.add_argument_group("how much of FILE is read at most")
    add_option(reading, "--max-bytes BYTES", amount_of_bytes, "(256M)")
    add_option(reading, "--max-clauses N", clauses, "(10000000)")
