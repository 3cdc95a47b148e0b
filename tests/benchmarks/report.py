"""What a benchmark found: one table for people, one JSON object for machines."""

from collections.abc import Mapping, Sequence
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
        columns = list(dict.fromkeys(name for row in self.figures.values() for name in row))
        table = Table("", *columns)
        for subject, row in self.figures.items():
            table.add_row(subject, *(f"{row[name]:,.2f}" if name in row else "" for name in columns))
        console.print(table)
        for name, value in (*self.ratios.items(), *self.facts.items()):
            console.print(f"{name}: {value:,.2f}" if value % 1 else f"{name}: {value:,.0f}", highlight=False)
        for what in self.wrong:
            console.print(f"WRONG: {what}", style="bold red", highlight=False)


def medians(rounds: Sequence[Figures]) -> Figures:
    """Each figure's median over the rounds."""
    return {name: round(median(each[name] for each in rounds), 3) for name in rounds[0]}


def quotient(one: Figures, other: Figures, name: str) -> float:
    """How many times the other's figure the one's is."""
    return round(one[name] / other[name], 2) if other[name] else float("inf")
