"""The command line: the only place that prints or exits.

``options`` reads the arguments, one module a command does the work, and ``main`` turns an error
into one message and an exit status. Imports are deferred until a command needs them, for a fast
``--help``.
"""

from __future__ import annotations

import io
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from intervalvm.cli.options import command_of, parse
from intervalvm.cli.streams import tell
from intervalvm.environment import in_default_environment
from intervalvm.errors import BackendError, DoesNotFit, FileError, IntervalvmError, OptionError
from intervalvm.files import file_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED, TERMINATED, BROKEN_PIPE = (128 + number for number in (2, 15, 13))
OUT_OF_MEMORY = 3
OUR_MISTAKE = 70
"""The status of an unexpected exception: not 1, which means that ``--check`` found a difference."""
NAMES = (
    *("engine", "backend", "mode", "dtype", "threads", "depth", "grid", "crop", "size", "prove"),
    *("yaw", "pitch", "roll", "center", "scale", "perspective", "up", "frames", "seconds"),
    *("region", "tolerance", "cell", "method", "levels", "offset"),
    *("unit", "stroke_width", "version", "port"),
    *("material", "background", "sky", "floor", "occlusion", "radius", "smooth", "edges", "shadow"),
)
RENAMED = {"frames": "turn", "stroke_width": "stroke-width", "version": "dxf-version"}
NUMBER = r"[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf|nan)"
ARGUMENT = re.compile(
    rf"\b({'|'.join(NAMES)})=('[^']*'|\[[^\]]*\]|\((?:[^()]|\([^()]*\))*\)|{NUMBER})"
)


@in_default_environment
def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    0 done; 1 ``--check`` found a difference; 2 the command line or the input is wrong; 3 out of
    memory, disk or device; 130 interrupted; 141 the reader of standard output went away.
    """
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
    except SystemExit as done:  # argparse has printed its help or its error
        return done.code if isinstance(done.code, int) else 2
    except FileError as error:  # or could not print the version
        return _told(error)
    try:
        return command_of(options)(options)
    except BrokenPipeError:
        return BROKEN_PIPE
    except (KeyboardInterrupt, IntervalvmError, MemoryError) as error:
        if options.debug:
            import traceback

            traceback.print_exc()
        # frees the frames' memory for the message
        error.__traceback__ = error.__context__ = None
        ways = {"size": "choose a smaller --size", "cell": "choose a lower --depth"}
        way_out = next((ways[name] for name in ways if name in options), "use a smaller file")
        return _told(error, way_out)


def _told(error: BaseException, way_out: str = "") -> int:
    """Print an error, with ``way_out`` for memory, and return the exit status."""
    if isinstance(error, KeyboardInterrupt):
        tell("intervalvm: interrupted")
        return INTERRUPTED
    if isinstance(error, IntervalvmError):
        ours = isinstance(error, (OptionError, BackendError, DoesNotFit))
        tell(f"intervalvm: error: {in_own_words(str(error)) if ours else error}")
        return error.exit_status
    tell(f"intervalvm: error: out of memory: {way_out}")
    return OUT_OF_MEMORY


def in_own_words(message: str) -> str:
    """A message of the library, with arguments written as options of the command line."""

    def option(found: re.Match[str]) -> str:
        name, value = found.groups()
        value = re.sub(r"[^\w. #-]", "", value)
        return f"--{RENAMED.get(name, name)} {value}"

    return ARGUMENT.sub(option, re.sub(r"\bmax_memory\b", "--max-memory", message))


def run() -> NoReturn:
    """The console script: ``main`` with the process around it."""
    # an exception, not the default death, so that half-written files are removed on the way out
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        _buffer_output()
        status = main()
        if status < OUT_OF_MEMORY and sys.stdout is not None:
            # else what could not be written is still there, and was told
            with file_errors("standard output"):
                sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        status = BROKEN_PIPE
    except FileError as error:
        status = _told(error)
    except Exception:
        import traceback

        traceback.print_exc()
        status = OUR_MISTAKE
    _drop_unwritten_output()
    sys.exit(status)


def _buffer_output() -> None:
    """With PYTHONUNBUFFERED, Python silently drops what a pipe does not take."""
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):
        buffer = open(sys.stdout.fileno(), "wb", closefd=False)  # noqa: SIM115 it lives to the end
        sys.stdout = io.TextIOWrapper(
            buffer, encoding=sys.stdout.encoding, errors=sys.stdout.errors, line_buffering=True
        )


def _drop_unwritten_output() -> None:
    """Python flushes the streams once more at exit, and would complain about them again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
