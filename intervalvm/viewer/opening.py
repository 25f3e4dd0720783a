"""``view``: a shape in a window, in a notebook or in the browser."""

from __future__ import annotations

import logging
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, get_args
from urllib.parse import urlencode

from intervalvm import notebooks
from intervalvm.arguments import real
from intervalvm.checks import check_word, integer_within
from intervalvm.environment import in_default_environment
from intervalvm.errors import BackendError, install_line
from intervalvm.expr import TapeLike, as_tape
from intervalvm.raster.region import Region, RegionLike, as_region
from intervalvm.viewer.request import WITH_TILES, Show
from intervalvm.viewer.scene import Scene
from intervalvm.viewer.server import serve
from intervalvm.viewer.source import Source

if TYPE_CHECKING:
    from intervalvm.viewer.widget import Window

log = logging.getLogger("intervalvm")
HEIGHTS = 120, 4096


@in_default_environment
def view(
    shape: TapeLike,
    *,
    region: RegionLike | None = None,
    show: Show = "bitmap",
    overlay: str = "none",
    variables: Mapping[str, float] | None = None,
    height: int = 480,
    port: int = 0,
) -> Window | None:
    """Show a shape in a window, to move about in it, turn it and set its variables.

    In a notebook of Jupyter, VS Code or marimo the window is a widget. Elsewhere it is a page that
    this process serves until Ctrl-C, which opens in the browser.

    Parameters
    ----------
    shape : Tape, Expr or Shape
        One that reads z is shown as a solid.
    region : Region or four floats, optional
        The part of the plane that is seen first; by default the whole shape.
    show : {"bitmap", "value", "proven"}
        What is shown first of a shape in the plane.
    overlay : {"none", "tiles", "clauses"}
        What is laid over it.
    variables : dict of str to float, optional
        In place of defaults.
    height : int
        Of the widget, in pixels of a page.
    port : int
        Of the server; 0 chooses a free one.

    Returns
    -------
    Window or None
        The widget: a notebook shows it. ``window.variables`` follows the sliders, and they it.

    Raises
    ------
    OptionError, ArgumentTypeError, VariableError
        For an invalid argument.
    BackendError
        Without the libraries of the extra ``notebook``, or elsewhere of ``view``.
    """
    check_word("show", show, get_args(Show))
    check_word("overlay", overlay, tuple(WITH_TILES))
    tape = as_tape(shape)
    height = integer_within("height", height, *HEIGHTS)
    scene = Scene(shape, "shape", {n: real(n, v) for n, v in tape.known(variables).items()})
    start = _start(as_region(region), show, overlay)
    if notebooks.jupyter() or notebooks.marimo():
        return _widget(scene, height, start)

    def ready(link: str) -> None:
        link = f"{link}#{start}"
        log.info("the window is at %s, until Ctrl-C", link)
        if not webbrowser.open(link):
            log.warning("no browser opens: open %s", link)

    with suppress(KeyboardInterrupt):
        serve(Source(scene), ready, port=port)
    return None


def _start(region: Region | None, show: Show, overlay: str) -> str:
    """The fragment of a link with which a window begins."""
    found = {"show": show, "overlay": overlay}
    if region is not None:
        (x0, x1), (y0, y1) = region.x, region.y
        # a scale is half the shorter side of a window, whose shape is not known here
        half = max(x1 - x0, y1 - y0) / 2
        center = x0 / 2 + x1 / 2, y0 / 2 + y1 / 2
        found["view"] = ",".join(map(repr, (*center, half)))
    return urlencode(found)


def _widget(scene: Scene, height: int, start: str) -> Window:
    try:
        from intervalvm.viewer.widget import Window
    except ModuleNotFoundError as error:
        needed = f"a window in a notebook needs {error.name}, which is not installed"
        raise BackendError(f"{needed}: {install_line('notebook')}") from None
    return Window(Source(scene), height=height, start=start)
