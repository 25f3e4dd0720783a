"""FILE and the places that a command writes to: read, and kept from overwriting one another."""

from __future__ import annotations

import itertools
import os
import sys
from typing import TYPE_CHECKING

from intervalvm.errors import FileError, OptionError
from intervalvm.files import descriptor_of, same_file
from intervalvm.formats.vm import load, read

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from intervalvm.tape import Tape

STANDARD = "-"
"""What stands for standard input as FILE, and for standard output as the name of an output."""


def read_tape(options: argparse.Namespace) -> Tape:
    """The tape of FILE, of which no more is read than the options allow."""
    given = {name: getattr(options, name) for name in ("max_bytes", "max_clauses")}
    limits = {name: value for name, value in given.items() if value is not None}
    if options.file != STANDARD:
        return load(options.file, **limits)
    if sys.stdin is None:
        raise FileError("standard input is closed: give the name of a .vm file")
    return read(sys.stdin.buffer, "standard input", **limits)


def is_standard_output(path: str) -> bool:
    """Whether a name stands for standard output: ``-``, or a path that leads there."""
    return path == STANDARD or descriptor_of(path) == 1


def check_apart(file: str, outputs: Mapping[str, str | None]) -> None:
    """Raise OptionError where writing an output, by option, would overwrite FILE or another.

    Where it would overwrite FILE, and that is no tape, raises what ``load`` does.
    """
    source = "/dev/stdin" if file == STANDARD else file
    named = {option: path for option, path in outputs.items() if path is not None}
    places = {o: "/dev/stdout" if path == STANDARD else path for o, path in named.items()}
    for option, place in places.items():
        if os.path.isfile(source) and same_file(place, source):
            if file != STANDARD:
                load(file)  # what is no tape is told so first: no other name would help
            raise OptionError(
                f"{named[option]} is the file that is read, and would be overwritten: "
                f"give {option} another name"
            )
    for one, other in itertools.combinations(places, 2):
        if same_file(places[one], places[other]):
            raise OptionError(f"{one} and {other} both write to {named[other]}: give two names")
