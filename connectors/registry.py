"""Connector kinds by name: ours, and other people's by the entry point ``dom.connectors``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import httpx

from connectors.contract import Connector, SourceKind

GROUP = "dom.connectors"


def _unseen(_asked: str, _answered: bytes) -> None:
    """Nobody compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a connector may use of the machine. ``transport`` replaces the network; ``now`` is an instant with an offset.

    ``witness`` is shown every answer as it came, with what was asked: for people who compare it with what we make of it.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    transport: httpx.AsyncBaseTransport | None = None
    witness: Callable[[str, bytes], None] = _unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSpec:
    """One kind of connector.

    ``settings`` is a frozen dataclass: its fields are the keys of a ``[sources.NAME]`` table, credentials are typed ``Secret``.
    ``open`` makes one connector of such settings, without I/O.
    """

    id: str
    label: str
    kind: SourceKind
    settings: type[Any]
    open: Callable[[Any, Tools], Connector]


class UnknownConnector(LookupError):
    """No installed package offers a connector of that name, or it cannot be imported. The message says which."""


def installed() -> Mapping[str, EntryPoint]:
    """Every connector kind on this machine, by name; nothing is imported."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def spec_of(connector: str) -> ConnectorSpec:
    """The kind of that name, imported now.

    Raises:
        UnknownConnector: Not installed, or broken.
    """
    points = installed()
    if connector not in points:
        raise UnknownConnector(f"no connector {connector!r} is installed; there is {', '.join(points) or 'none'}")
    try:
        spec = points[connector].load()
    except ImportError as error:
        raise UnknownConnector(f"connector {connector!r} ({points[connector].value}) cannot be imported: {error}") from error
    if not isinstance(spec, ConnectorSpec):
        raise UnknownConnector(f"connector {connector!r}: {points[connector].value} is not a ConnectorSpec")
    return spec
