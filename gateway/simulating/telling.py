"""The comparison for people: a table."""

from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.domain.whatif import Comparison, Interval, Score

NOT_KNOWN: Final = "–"
LEGEND: Final = "of an order: cost, packages, miles; of all: orders unfilled, shelves of stores emptied, orders moved elsewhere"


def tell(comparison: Comparison, about: str, console: Console) -> None:
    """One way of routing a line, beside the first of them."""
    first, *others = comparison.scores
    console.print(about, style="bold", markup=False, highlight=False, soft_wrap=True)
    told = {
        "": [score.name for score in comparison.scores],
        "cost": [_shown(score.cost_per_order_cents, _money) for score in comparison.scores],
        "± 95 %": ["", *(_difference(score.dearer) for score in others)],
        "packages": [_shown(score.packages_per_order, "{:.3f}".format) for score in comparison.scores],
        "miles": [_shown(score.miles_per_order, "{:,.0f}".format) for score in comparison.scores],
        "in time": [_shown(score.promises_kept, "{:.1%}".format) for score in comparison.scores],
        "unfilled": [f"{score.unfillable:,}" for score in comparison.scores],
        "emptied": [f"{score.emptied_in_stores:,}" for score in comparison.scores],
        "moved": ["", *(f"{score.moved:,}" for score in others)],
    }
    table = Table(box=None, header_style="bold")
    shown = {title: cells for title, cells in told.items() if any(cell not in {"", NOT_KNOWN} for cell in cells)}
    for number, title in enumerate(shown):
        table.add_column(title, no_wrap=True, justify="right" if number else "left")
    for row in zip(*shown.values(), strict=True):
        table.add_row(*map(escape, row))
    console.print(table)
    console.print(LEGEND, markup=False, highlight=False, soft_wrap=True)
    if comparison.unlike:
        unlike = (
            f"{comparison.unlike:,} of {comparison.orders:,} orders were really routed otherwise than {first.name} does it today."
        )
        console.print(unlike, markup=False, highlight=False, soft_wrap=True)
    for score in others:
        console.print(_verdict(score, first.name), markup=False, highlight=False, soft_wrap=True)


def _verdict(score: Score, first: str) -> str:
    """What the difference in cost comes to, as far as it is one."""
    if score.dearer is None or score.dearer_share is None:
        return f"{score.name}: fills no order that {first} fills."
    if not score.dearer.certain:
        return f"{score.name}: no certain difference in cost ({score.compared:,} orders)."
    word = "more" if score.dearer.mean > 0 else "less"
    return f"{score.name}: {abs(score.dearer_share):.1%} {word} an order than {first} ({score.compared:,} orders)."


def _difference(interval: Interval | None) -> str:
    if interval is None:
        return NOT_KNOWN
    mean = f"{interval.mean / 100:+,.2f}"
    return mean if interval.high is None else f"{mean} ± {(interval.high - interval.mean) / 100:,.2f}"


def _shown(value: float | None, how: Callable[[float], str]) -> str:
    return NOT_KNOWN if value is None else how(value)


def _money(cents: float) -> str:
    return f"{cents / 100:,.2f}"
