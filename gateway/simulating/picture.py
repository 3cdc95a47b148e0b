"""The trade-off as a picture: what an order is paid against the packages that it comes in. Scalable Vector Graphics, by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10
from typing import Final

from gateway.domain.whatif import Comparison, Interval, Score

WIDTH: Final = 760
HEIGHT: Final = 460
LEFT, RIGHT, TOP, BOTTOM = 80, 170, 78, 64
TICKS: Final = 5
LABEL_HEIGHT: Final = 18
LABEL_CHARACTERS: Final = 21
MARGIN: Final = 0.08
# Colors stand in each rule: viewers that are no browsers know no variables.
STYLE: Final = """
  svg { font: 13px system-ui, sans-serif } .title { font-size: 16px; font-weight: 600 } .cross { stroke-width: 2 }
  .paper { fill: #ffffff } text { fill: #1f2328 } .soft { fill: #6e7781 } .grid, .lead { stroke: #d0d7de }
  .first { stroke: #0969da; fill: #0969da } .other { stroke: #bc4c00; fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #e6edf3 } .soft { fill: #8d96a0 } .grid, .lead { stroke: #30363d }
    .first { stroke: #4493f8; fill: #4493f8 } .other { stroke: #f0883e; fill: #f0883e }
  }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One way of routing, in dollars and packages an order; each with the ends of its interval."""

    name: str
    cost: tuple[float, float, float]
    packages: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Values put to places from ``begin`` to ``end``."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Where that value is."""
        return self.begin + (value - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """Round values on it, a handful."""
        step = _round_step((self.high - self.low) / TICKS)
        first = floor(self.low / step) + 1
        return [number * step for number in range(first, floor(self.high / step) + 1)]


def picture(comparison: Comparison, about: str) -> str:
    """The picture as a document of its own, readable on light and on dark. The first way stands for itself, others with crosses.

    The crosses are 95 % intervals of the differences to the first way, order by order. What fills no order is not in it.
    """
    first = comparison.scores[0]
    points = [point for score in comparison.scores if (point := _point(score, first)) is not None]
    across = _axis([value for point in points for value in point.cost], LEFT, WIDTH - RIGHT)
    up = _axis([value for point in points for value in point.packages], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title about">',
        f'<title id="title">Cost and packages an order</title><desc id="about">{escape(_told(points, about))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="26">What an order is paid, and how many packages it comes in</text>',
        f'<text class="soft" x="{LEFT}" y="45">{escape(about)}</text>',
        f'<text class="soft" x="{LEFT}" y="62">crosses: 95 % intervals of the differences, order by order</text>',
        *_grid(across, up),
        *_marks(points, across, up),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _point(score: Score, first: Score) -> Point | None:
    """Others stand where the first stands, and their differences away from it: these are known best."""
    own = (score.cost_per_order_cents, score.packages_per_order)
    base = (first.cost_per_order_cents, first.packages_per_order)
    if own[0] is None or own[1] is None or base[0] is None or base[1] is None:
        return None
    cost = _ends(base[0], score.dearer, own[0])
    packages = _ends(base[1], score.more_packages, own[1])
    return Point(name=score.name, cost=(cost[0] / 100, cost[1] / 100, cost[2] / 100), packages=packages)


def _ends(base: float, difference: Interval | None, own: float) -> tuple[float, float, float]:
    if difference is None:
        return own, own, own
    low = difference.mean if difference.low is None else difference.low
    high = difference.mean if difference.high is None else difference.high
    return base + low, base + difference.mean, base + high


def _axis(values: Sequence[float], begin: float, end: float) -> Axis:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * MARGIN or max(abs(high) * MARGIN, MARGIN)
    return Axis(low=low - room, high=high + room, begin=begin, end=end)


def _round_step(rough: float) -> float:
    """The next of 1, 2 and 5, and of these times ten."""
    power = 10.0 ** floor(log10(rough))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= rough)


def _grid(across: Axis, up: Axis) -> Iterable[str]:
    for value in across.ticks():
        x = across.at(value)
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text class="soft" x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{value:,.2f}</text>'
    for value in up.ticks():
        y = up.at(value)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        yield f'<text class="soft" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.3f}</text>'
    middle_x, middle_y = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    yield f'<text x="{middle_x}" y="{HEIGHT - 16}" text-anchor="middle">USD an order</text>'
    yield f'<text transform="translate(20 {middle_y}) rotate(-90)" text-anchor="middle">packages an order</text>'


def _marks(points: Sequence[Point], across: Axis, up: Axis) -> Iterable[str]:
    labels = _label_heights([up.at(point.packages[1]) for point in points])
    for number, (point, label_y) in enumerate(zip(points, labels, strict=True)):
        kind = "other" if number else "first"
        left, x, right = map(across.at, point.cost)
        bottom, y, top = map(up.at, point.packages)
        edge = WIDTH - RIGHT + 8
        yield f'<line class="lead" x1="{x + 7:.1f}" y1="{y:.1f}" x2="{edge - 3:.1f}" y2="{label_y:.1f}"/>'
        yield f'<line class="cross {kind}" x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}"/>'
        yield f'<line class="cross {kind}" x1="{x:.1f}" y1="{bottom:.1f}" x2="{x:.1f}" y2="{top:.1f}"/>'
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        yield f'<text x="{edge:.1f}" y="{label_y + 4:.1f}">{escape(_shortened(point.name))}</text>'


def _label_heights(heights: Sequence[float]) -> list[float]:
    """The same, moved down where two would stand on each other, and up where they would leave the picture."""
    placed = [0.0] * len(heights)
    lowest = float("-inf")
    for number in sorted(range(len(heights)), key=heights.__getitem__):
        placed[number] = lowest = max(heights[number], lowest + LABEL_HEIGHT)
    beyond = max(0.0, lowest - (HEIGHT - BOTTOM))
    return [height - beyond for height in placed]


def _shortened(name: str) -> str:
    return name if len(name) <= LABEL_CHARACTERS else f"{name[: LABEL_CHARACTERS - 1]}…"


def _told(points: Sequence[Point], about: str) -> str:
    each = "; ".join(f"{point.name}: {point.cost[1]:,.2f} USD, {point.packages[1]:.3f} packages" for point in points)
    return f"{about}. {each}."
