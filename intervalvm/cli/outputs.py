"""The place of a picture: a file, or standard output."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from intervalvm.cli.streams import STANDARD, is_standard_output
from intervalvm.errors import OptionError
from intervalvm.files import check_writable, descriptor_of

if TYPE_CHECKING:
    import argparse


def default_out(file: str, suffix: str) -> str:
    """FILE's stem with a suffix, in the current folder. A folder is refused later."""
    if file == STANDARD:
        return f"stdin{suffix}"
    stem = Path(file).stem
    return f"{stem if stem.strip('.') else 'picture'}{suffix}"


def is_nameless(out: str) -> bool:
    """Whether no suffix of ``out`` can choose a format: it is standard output, or a descriptor."""
    return out == STANDARD or (descriptor_of(out) is not None and not Path(out).suffix)


def check_place(out: str, options: argparse.Namespace) -> None:
    """Raise if a picture could not be written there after the work."""
    if not is_standard_output(out):
        check_writable(out)
    elif options.json:
        raise OptionError(f"--json and --out {out} both write to standard output: name a file")
    elif sys.stdout is not None and sys.stdout.isatty():
        raise OptionError("standard output is a terminal: pipe it on, or give --out a file name")
