"""``intervalvm info`` and ``intervalvm simplify``."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from intervalvm.api import bounds as in_box
from intervalvm.arguments import bounds_text
from intervalvm.cli.streams import (
    STANDARD,
    Progress,
    check_apart,
    read_shape,
    say,
    solid_of,
    tell,
    write_bytes,
)
from intervalvm.expr import as_tape
from intervalvm.expr.convert import defaults_of
from intervalvm.files import check_writable
from intervalvm.formats.write import check_name, save
from intervalvm.raster.stats import text_table
from intervalvm.tape.liveness import peak_live

if TYPE_CHECKING:
    import argparse

    from intervalvm.expr import TapeLike

SQUARE = (-1.0, 1.0)


def info(options: argparse.Namespace) -> int:
    """Print the operations of a file, and the bounds of its value over the default square."""
    with Progress(wanted=not options.quiet) as progress:
        progress.stage("reading")
        shape = read_shape(options)
        progress.stage("bounding")
        bounds = _bounds(shape, dict(options.set), 0.0 if options.z is None else options.z)
    tape = as_tape(shape)
    facts = {
        "file": options.file,
        "clauses": len(tape),
        "operations": tape.counts(),
        "live_arrays": peak_live(tape),
        "axes": list(tape.axes),
        "variables": list(tape.variables),
        "bounds": bounds,
    }
    say(json.dumps(facts, allow_nan=False) if options.json else _as_text(facts))
    return 0


def _bounds(shape: TapeLike, variables: dict[str, float], z: float) -> dict[str, Any] | None:
    """Lower, upper and maybe_nan over -1..1 in x and y; None if variables have no value.

    An infinite end is None, since JSON has no infinity.
    """
    if not variables and set(as_tape(shape).variables) - set(defaults_of(shape)):
        return None
    box = in_box.interval(shape, x=SQUARE, y=SQUARE, z=(z, z), variables=variables)
    ends = {"lower": box.lower, "upper": box.upper}
    finite = {name: end if math.isfinite(end) else None for name, end in ends.items()}
    return {**finite, "maybe_nan": box.maybe_nan}


def _as_text(facts: dict[str, Any]) -> str:
    rows = [
        ("clauses", str(facts["clauses"])),
        ("live arrays", str(facts["live_arrays"])),
        ("axes", " ".join(facts["axes"]) or "none"),
        ("variables", " ".join(facts["variables"]) or "none"),
        ("bounds", _bounds_text(facts)),
    ]
    if "z" in facts["axes"]:
        rows.append(("solid", f"drawn by {solid_of(facts['file'])}"))
    operations = [(name, str(n)) for name, n in facts["operations"].items()]
    return f"{facts['file']}\n{text_table(rows, left=2)}\n\n{text_table(operations, left=1)}"


def _bounds_text(facts: dict[str, Any]) -> str:
    bounds = facts["bounds"]
    if bounds is None:
        first = facts["variables"][0]
        return f"depend on the variables: give each a value, as in --set {first}=0.5"
    lower, upper = bounds_text(
        -math.inf if bounds["lower"] is None else bounds["lower"],
        math.inf if bounds["upper"] is None else bounds["upper"],
    )
    nan = ", may be NaN" if bounds["maybe_nan"] else ""
    return f"{lower}..{upper} for x and y in -1..1{nan}"


def simplify(options: argparse.Namespace) -> int:
    """Print or write the tape of a file, shortened for a box."""
    check_apart(options.file, {"--out": options.out})
    to_file = options.out not in (None, STANDARD)
    if to_file:
        check_name(options.out)
        check_writable(options.out)
    box: dict[str, Any] = {
        axis: tuple(getattr(options, axis)) for axis in "xyz" if getattr(options, axis)
    }
    with Progress(wanted=not options.quiet) as progress:
        progress.stage("reading")
        tape = as_tape(read_shape(options))
        progress.stage("simplifying")
        short = in_box.simplify(tape, **box, keep=options.keep, dtype=options.dtype)
    if not to_file:
        write_bytes(str(short).encode())  # a tape is UTF-8, whatever the terminal's encoding
        return 0
    save(short, options.out)
    if not options.quiet:
        tell(f"{options.out}: {len(short)} of {len(tape)} clauses")
    return 0
