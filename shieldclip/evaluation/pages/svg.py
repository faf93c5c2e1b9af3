"""Just enough SVG: escaped elements, and marks in a plot's coordinates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

Scale = Callable[[float], float]
"""From a share in ``[0, 1]`` to user units."""


def tag(name: str, *children: str, **attributes: str | float) -> Markup:
    """One element. Text and attributes are escaped; ``class_`` and ``text_anchor`` lose or change
    their underscore; lengths are written with at most two decimals.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
    )
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")


def drawing(
    name: str, title: str, description: str, *children: str, width: float, height: float
) -> Markup:
    """A whole ``svg``; ``name`` is unique on the page and ties title and description to it."""
    return tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", description, id=f"{name}-desc"),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def scale(start: float, end: float) -> Scale:
    """Maps 0 to ``start`` and 1 to ``end``."""
    return lambda share: start + share * (end - start)


def text(content: str, x: float, y: float, class_: str, anchor: str = "start") -> Markup:
    """A line of text, its baseline at ``y``."""
    return tag("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def whisker(low: float, high: float, y: float, cap: float = 3.5) -> Markup:
    """A horizontal interval with caps."""
    d = f"M{low:.2f} {y - cap:.2f}v{2 * cap}M{low:.2f} {y:.2f}H{high:.2f}m0 {-cap}v{2 * cap}"
    return tag("path", d=d, class_="whisker")


def upright_whisker(x: float, low: float, high: float, cap: float = 3.5) -> Markup:
    """A vertical interval with caps."""
    d = f"M{x - cap:.2f} {low:.2f}h{2 * cap}M{x:.2f} {low:.2f}V{high:.2f}m{-cap} 0h{2 * cap}"
    return tag("path", d=d, class_="whisker")


def circle(x: float, y: float, class_: str, r: float = 3.5) -> Markup:
    """A round mark."""
    return tag("circle", cx=x, cy=y, r=r, class_=class_)


def diamond(x: float, y: float, class_: str, r: float = 4.5) -> Markup:
    """A square mark on its corner."""
    return tag("path", d=f"M{x:.2f} {y - r:.2f}l{r} {r}l{-r} {r}l{-r} {-r}z", class_=class_)


def staircase(places: Sequence[tuple[float, float]], left: float, top: float) -> Markup:
    """A Pareto front through places from left to right: what is above and left of it is beaten.

    Args:
        places: at least one.
        left: where the line begins.
        top: where it ends.
    """
    first, *others = places
    steps = "".join(f"V{y:.2f}H{x:.2f}" for x, y in others)
    return tag("path", d=f"M{left} {first[1]:.2f}H{first[0]:.2f}{steps}V{top}", class_="front")


def clipped(label: str, length: int) -> str:
    """A label of at most ``length`` characters, its middle left out: ends tell names apart."""
    if len(label) <= length:
        return label
    head = (length - 1) // 2
    return f"{label[:head]}…{label[head + 1 - length :]}"


def _attribute(value: str | float) -> Markup:
    return escape(value if isinstance(value, str) else f"{round(value, 2):g}")
