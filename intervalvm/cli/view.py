"""``intervalvm view``: a window in the browser."""

from __future__ import annotations

import threading
import webbrowser
from functools import partial
from typing import TYPE_CHECKING

from intervalvm.cli.streams import STANDARD, limits_of, log_shown, read_shape, say, tell
from intervalvm.viewer.scene import Scene
from intervalvm.viewer.server import serve
from intervalvm.viewer.source import FileSource, Source

if TYPE_CHECKING:
    import argparse


def view(options: argparse.Namespace) -> int:
    """Serve the window until an interrupt, which is how it ends."""
    with log_shown(quiet=options.quiet):
        source = _source(options)
        try:
            serve(source, partial(_ready, options), port=options.port)
        except KeyboardInterrupt:
            return 0
    return 0


def _source(options: argparse.Namespace) -> Source:
    variables = dict(options.set)
    if options.file == STANDARD:
        return Source(Scene(read_shape(options), "standard input", variables))
    return FileSource(options.file, variables, **limits_of(options))


def _ready(options: argparse.Namespace, link: str) -> None:
    """Print the link, and open it."""
    say(link)
    if not options.quiet:
        tell("intervalvm: the window is at this link, until Ctrl-C")
    if not options.no_browser:
        # a browser of the terminal returns when it is left
        threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()
