"""``intervalvm view``: a window in the browser."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

from intervalvm.cli.streams import log_shown, say, tell
from intervalvm.formats.vm import load
from intervalvm.viewer.server import serve
from intervalvm.viewer.source import FileSource

if TYPE_CHECKING:
    import argparse


def view(options: argparse.Namespace) -> int:
    """Run the command until it is interrupted, which is how it ends."""

    def ready(link: str) -> None:
        say(link)
        if not options.quiet:
            tell("intervalvm: the window is at this link, until Ctrl-C")
        if not options.no_browser:
            webbrowser.open(link)

    with log_shown(quiet=options.quiet):
        source = FileSource(options.file, load, dict(options.set))
        try:
            serve(source, ready, port=options.port)
        except KeyboardInterrupt:
            return 0
    return 0
