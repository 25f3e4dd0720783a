"""What ``contour`` and ``mesh`` have in common: load, make, write, report."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intervalvm.cli.outputs import check_place, default_out, is_nameless
from intervalvm.cli.streams import (
    Progress,
    check_apart,
    is_standard_output,
    log_shown,
    read_shape,
    say,
    solid_of,
    tell,
    write_bytes,
)
from intervalvm.errors import OptionError
from intervalvm.expr import as_tape
from intervalvm.raster.stats import milliseconds
from intervalvm.suffixes import format_of

if TYPE_CHECKING:
    import argparse

    from intervalvm.tape import Tape


@dataclass(frozen=True)
class Making:
    """A command that makes a file for other programs.

    ``make`` is a function of the library, ``formats`` has the suffixes of its files, the default
    first. ``facts`` are those of a result beside its statistics, ``summary`` tells it in a line.
    """

    make: Callable[..., Any]
    stage: str
    formats: Mapping[str, Any]
    facts: Callable[[Any], dict[str, Any]]
    summary: Callable[[Any], str]


def run(options: argparse.Namespace, kind: Making, saving: dict[str, Any]) -> Tape:
    """Run a command, and return the tape; ``saving`` are options of the file."""
    start = time.perf_counter()
    default = next(iter(kind.formats))
    out = default_out(options.file, f".{default}") if options.out is None else options.out
    check_place(out, options)
    format = default if is_nameless(out) else _format_of(out, options.file, kind.formats)
    check_apart(options.file, {"--out": out})
    arguments, given = _arguments(options, kind.make), _given(saving)
    with log_shown(quiet=options.quiet), Progress(wanted=not options.quiet) as progress:
        progress.stage("reading")
        shape = read_shape(options)
        loaded = time.perf_counter()
        progress.stage(kind.stage)
        result = kind.make(shape, **arguments, progress=progress)
        made = time.perf_counter()
        progress.stage("writing")
        _write(result, out, format, given)
        written = time.perf_counter()
    seconds = {
        "load": loaded - start,
        **result.stats.seconds,
        "write": written - made,
        "total": written - start,
    }
    _report(kind, result, seconds, made - loaded, out, options)
    return as_tape(shape)


def _format_of(out: str, file: str, formats: Mapping[str, Any]) -> str:
    """The format of a file name; the error names the command that writes such files, if any."""
    try:
        return format_of(out, None, formats)
    except OptionError as error:
        from intervalvm.meshes.formats import FORMATS as MESHES
        from intervalvm.outlines.saving import FORMATS as OUTLINES

        suffix = Path(out).suffix.lower()
        for command, others in (("contour", OUTLINES), ("mesh", MESHES)):
            if suffix.removeprefix(".") in others:
                way_out = f"{solid_of(file, command)} writes {suffix}"
                raise OptionError(f"{error} ({way_out})") from None
        raise


def _arguments(options: argparse.Namespace, make: Callable[..., Any]) -> dict[str, Any]:
    """The options of a command line as arguments of a function."""
    given = {name: getattr(options, name, None) for name in signature(make).parameters}
    if options.region is not None:
        ends = options.region
        given["region"] = list(zip(ends[::2], ends[1::2], strict=True))
    return _given(given | {"variables": dict(options.set)})


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _write(result: Any, out: str, format: str, options: dict[str, Any]) -> None:
    if not is_standard_output(out):
        result.save(out, format, **options)
        return
    data = io.BytesIO()
    result.save(data, format, **options)
    write_bytes(data.getbuffer())


def _report(
    kind: Making,
    result: Any,
    seconds: dict[str, float],
    making: float,
    out: str,
    options: argparse.Namespace,
) -> None:
    stats = replace(result.stats, seconds=seconds)
    if options.json:
        report = {"file": options.file, **stats.as_json(), **kind.facts(result), "out": out}
        report |= {"unit": options.unit or "mm", "scale": options.scale or 1.0}
        say(json.dumps(report, allow_nan=False))
        return
    if options.stats:
        # the file has standard output to itself
        (tell if is_standard_output(out) else say)(str(stats))
    if not options.quiet:
        undecided = stats.cells.get("undecided", 0)
        doubt = f", {undecided} cells undecided" if undecided else ""
        before = " before the scale" if options.scale not in (None, 1.0) else ""
        tell(f"{out}: {kind.summary(result)}{before}{doubt}, {milliseconds(making)}")
