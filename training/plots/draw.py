"""Small multiples: a panel a question, a colour a run, names at the ends of the lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from plots.log import Log, Series
from plots.panels import Panel

from shieldclip.drafts import drafted

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Okabe and Ito 2008: told apart with any colour vision; names at the lines say the rest."""
DASHES = ("-", (0, (3, 1.5)))
MUTED, RULE = "#59626d", "#dfe3e8"
COLUMNS, WIDTH, HEIGHT = 3, 4.6, 2.5
LINE_HEIGHT = 0.085
"""Least distance of two names, in panel heights."""
FEW = 60
"""Series shorter than this show their points."""

End = tuple[float, str, str]
"""Value, name and colour of the last point of a line."""


def draw(logs: Sequence[Log], panels: Sequence[Panel]) -> Figure:
    """The whole picture, on white."""
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(WIDTH * columns, HEIGHT * rows), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(hspace=0.06, wspace=0.04)
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, panel in zip(grid, panels, strict=False):
        _panel(axes, panel, logs)
    for axes in grid[max(0, len(panels) - columns) : len(panels)]:
        axes.set_xlabel("step", color=MUTED, fontsize=8, loc="right")
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write SVG or PNG, by suffix, whole or not at all."""
    # No date and no random ids: equal logs give equal files.
    metadata = {"Date": None} if path.suffix == ".svg" else {}
    with rc_context({"svg.hashsalt": "shieldclip"}), drafted(path) as draft:
        kind = path.suffix.removeprefix(".")
        figure.savefig(draft, format=kind, dpi=150, facecolor="white", metadata=metadata)


def _panel(axes: Axes, panel: Panel, logs: Sequence[Log]) -> None:
    ends: list[End] = []
    for log, colour in zip(logs, cycle(COLOURS)):
        for names, style, dashes in zip(panel.curves, panel.styles, DASHES, strict=False):
            series = log.series(names)
            if series is not None:
                values = _scaled(series, panel)
                _line(axes, series.steps, values, colour, dashes)
                ends += _end(values, f"{log.name} {style}".strip(), colour)
    _frame(axes, panel)
    _names(axes, ends)


def _line(
    axes: Axes, steps: Sequence[float], values: Sequence[float], colour: str, dashes: object
) -> None:
    marker = "o" if len(steps) < FEW else ""
    axes.plot(
        steps, values, color=colour, linestyle=dashes, linewidth=1.4, marker=marker, markersize=2.5
    )


def _scaled(series: Series, panel: Panel) -> tuple[float, ...]:
    factor = 100 if panel.share else 1
    return tuple(factor * value for value in series.values)


def _end(values: Sequence[float], name: str, colour: str) -> list[End]:
    known = [value for value in values if math.isfinite(value)]
    return [(known[-1], name, colour)] if known else []


def _frame(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, loc="left", fontsize=10, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelsize=8, length=3)
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if panel.share:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))


def _names(axes: Axes, ends: Sequence[End]) -> None:
    """Writes names right of the plot, each as near to its line's end as the others let it."""
    low, high = axes.get_ylim()
    ordered = sorted(ends)
    wanted = [(value - low) / (high - low) for value, _, _ in ordered]
    for (_, name, colour), height in zip(ordered, spread(wanted), strict=True):
        axes.annotate(
            name,
            xy=(1.02, height),
            xycoords="axes fraction",
            color=colour,
            fontsize=7.5,
            va="center",
            annotation_clip=False,
        )


def spread(wanted: Sequence[float]) -> list[float]:
    """Heights at least `LINE_HEIGHT` apart, near ascending ``wanted`` ones, pushed up, then down.

    They stay below 1 where they have room, and keep their order.
    """
    heights: list[float] = []
    for height in wanted:
        heights.append(max([height, *(below + LINE_HEIGHT for below in heights[-1:])]))
    ceiling = 1.0
    for at in reversed(range(len(heights))):
        heights[at] = min(heights[at], ceiling)
        ceiling = heights[at] - LINE_HEIGHT
    return heights
