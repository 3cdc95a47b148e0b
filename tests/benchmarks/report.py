"""What a benchmark found: one table for people, one JSON object for machines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table

from tests.benchmarks.machine import machine, versions

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``figures`` are medians over the rounds, by what was measured; ``ratios`` compare what ran side by side in the same run.

    ``wrong`` says which facts did not hold: figures of a gateway that answers wrongly are worth nothing.
    """

    name: str
    rounds: int
    setup: str
    figures: Mapping[str, Figures]
    ratios: Figures = field(default_factory=dict)
    facts: Figures = field(default_factory=dict)
    wrong: Sequence[str] = ()
    machine: Mapping[str, str] = field(default_factory=machine)
    versions: Mapping[str, str] = field(default_factory=versions)

    def json(self) -> str:
        """One object."""
        return msgspec.json.encode(self).decode()

    def show(self, console: Console) -> None:
        """Tables."""
        console.print(f"[bold]{self.name}[/]: {self.setup}; medians of {self.rounds} rounds", highlight=False)
        for about in (self.machine, self.versions):
            console.print(", ".join(f"{name} {value}" for name, value in about.items()), style="dim", highlight=False)
        names = list(dict.fromkeys(name for row in self.figures.values() for name in row))
        cells = {
            (subject, name): f"{row[name]:,.2f}" if name in row else "" for subject, row in self.figures.items() for name in names
        }
        if len(names) > len(self.figures):  # the longer side runs down: consoles are narrow
            console.print(_table(names, list(self.figures), lambda name, subject: cells[subject, name]))
        else:
            console.print(_table(list(self.figures), names, lambda subject, name: cells[subject, name]))
        for name, value in (*self.ratios.items(), *self.facts.items()):
            console.print(f"{name}: {value:,.2f}" if value % 1 else f"{name}: {value:,.0f}", highlight=False)
        for what in self.wrong:
            console.print(f"WRONG: {what}", style="bold red", highlight=False)


def _table(rows: Sequence[str], columns: Sequence[str], cell: Callable[[str, str], str]) -> Table:
    table = Table("")
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(row, *(cell(row, column) for column in columns))
    return table


def medians(rounds: Sequence[Figures]) -> Figures:
    """Each figure's median over the rounds."""
    return {name: round(median(each[name] for each in rounds), 3) for name in rounds[0]}


def quotient(one: Figures, other: Figures, name: str) -> float:
    """How many times the other's figure the one's is."""
    return round(one[name] / other[name], 2) if other[name] else float("inf")
