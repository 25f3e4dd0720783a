"""The picture of the page: time against size, both by powers."""

from __future__ import annotations

from pathlib import Path

from bench.performance.sizes import BROADCAST, DENSE, FILL_NEW, SIZES, Sizes, pruned
from bench.subject import cpus
from intervalvm.errors import BackendError


def plot(found: Sizes, path: Path) -> None:
    """Write the picture; raises BackendError where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise BackendError("the picture needs matplotlib: pip install '.[bench]'") from None
    names = {
        DENSE: ("tab:red", "s-"),
        BROADCAST: ("tab:orange", "s-"),
        pruned(1, before=True): ("tab:gray", "o--"),
        pruned(1): ("tab:blue", "o-"),
        pruned(cpus()): ("tab:green", "o-"),
        FILL_NEW: ("black", "x"),
    }
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.add_subplot()
    for name, (colour, style) in names.items():
        points = [(n, t[name].median * 1e3) for n, t in found.taken.items() if name in t]
        if points:
            axes.loglog(*zip(*points, strict=True), style, color=colour, label=name)
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.minorticks_off()
    axes.set_xlabel("pixels a side")
    axes.set_ylabel("milliseconds")
    axes.grid(True, color="0.9")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=90)
