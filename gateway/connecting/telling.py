"""The same for people: tables."""

import json
from collections.abc import Iterable
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from connectors.registry import ConnectorSpec
from gateway.connecting.checking import Answer, Check, Read
from gateway.connecting.kinds import Kind
from gateway.connecting.knobs import Knob

ANSWER_CHARS_MAX: Final = 2_000


def tell_kinds(found: Iterable[Kind], console: Console) -> None:
    """One kind a line."""
    table = Table(box=None, header_style="bold")
    table.add_column("name", no_wrap=True)
    for title in ("what", "kind", "can", "from"):
        table.add_column(title, overflow="fold")
    for each in found:
        if each.problem is None:
            can = "depends on the source" if each.capabilities is None else ", ".join(each.capabilities)
            table.add_row(each.name, escape(each.label or ""), each.kind, can, escape(each.package))
        else:
            table.add_row(each.name, Text(each.problem, style="red"), "", "", escape(each.package))
    console.print(table)


def tell_knobs(spec: ConnectorSpec, found: Iterable[Knob], console: Console) -> None:
    """One setting a line."""
    console.print(f"{spec.label} ({spec.kind})", style="bold", markup=False, highlight=False)
    about = "\n".join(line.strip() for line in (spec.settings.__doc__ or "").split("\n\n")[0].splitlines())
    console.print(about.replace("``", ""), markup=False, highlight=False)
    table = Table(box=None, header_style="bold")
    table.add_column("key", no_wrap=True)
    for title in ("type", "default", "what it is"):
        table.add_column(title, overflow="fold")
    for each in found:
        default = "required" if each.required else "" if each.default is None else json.dumps(each.default)
        kind = f"{each.type} (env:NAME or file:/path)" if each.secret else each.type
        table.add_row(each.key, escape(kind), escape(default), escape(each.doc))
    console.print(table)


def tell_check(check: Check, console: Console) -> None:
    """Health, locations, and the mapped level beside the raw reply."""
    console.print(f"{check.source} ({check.connector})", style="bold", markup=False, highlight=False)
    console.print(f"can: {', '.join(check.capabilities)}", markup=False, highlight=False)
    if (health := check.health) is not None and health.ok:
        told = ["well"]
        told += [] if health.latency_ms is None else [f"{health.latency_ms:.0f} ms"]
        told += [] if health.remote_version is None else [f"version {health.remote_version}"]
        told += [] if health.credential_expires_at is None else [f"credential until {health.credential_expires_at:%Y-%m-%d}"]
        console.print(f"health: {', '.join(told)}", markup=False, highlight=False)
    if check.locations:
        console.print(_locations(check))
    if check.read is not None:
        beside = Table("what we read", "what the source said", header_style="bold", expand=True)
        beside.add_row(_levels(check.read), _answers(check.read.answers))
        console.print(beside)
    for problem in check.problems:
        console.print(f"broken: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)


def _locations(check: Check) -> Table:
    table = Table("location", "name", "city", "time zone", "active", box=None, header_style="bold")
    for each in check.locations:
        city = each.address.city if each.address else ""
        table.add_row(escape(each.id), escape(each.name), escape(city), each.time_zone or "?", "yes" if each.active else "no")
    return table


def _levels(read: Read) -> RenderableType:
    took = f"{read.sku} in {read.took_ms:.0f} ms"
    if read.unknown:
        return Text(f"{took}: unknown to the source, which is not zero")
    table = Table("at", "available", "on hand", "committed", "incoming", "as of", box=None, header_style="bold")
    for level in read.levels:
        counts = (level.available, level.on_hand, level.committed, level.incoming)
        as_of = f"{level.as_of:%Y-%m-%d %H:%M:%S %z}" if level.as_of else "?"
        table.add_row(escape(level.location), *("?" if count is None else f"{count:,}" for count in counts), as_of)
    return Group(Text(took), table)


def _answers(answers: Iterable[Answer]) -> RenderableType:
    parts: list[RenderableType] = []
    for each in answers:
        parts += [Text(each.asked, style="bold"), Text(_shortened(_indented(each.answered)))]
    return Group(*parts) if parts else Text("nothing: it was remembered")


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _shortened(text: str) -> str:
    more = len(text) - ANSWER_CHARS_MAX
    return text if more <= 0 else f"{text[:ANSWER_CHARS_MAX]}\n… and {more:,} more characters (all of it with --json)"
