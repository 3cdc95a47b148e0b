"""The kinds of connectors on this machine."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import get_type_hints

from connectors.contract import PROTOCOLS, Capability, SourceKind
from connectors.registry import ConnectorSpec, UnknownConnector, installed, spec_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of connector. ``name`` goes into ``connector = "…"``, ``package`` is what was installed for it.

    ``capabilities`` are those that every source of the kind has; None: that shows only with a configured one. ``problem``: why it
    cannot be used, and then there is nothing else to say about it.
    """

    name: str
    package: str
    label: str | None = None
    kind: SourceKind | None = None
    capabilities: tuple[Capability, ...] | None = None
    problem: str | None = None


def kinds() -> tuple[Kind, ...]:
    """Every kind on this machine, by name, broken ones too."""
    return tuple(_kind(name, point) for name, point in installed().items())


def _kind(name: str, point: EntryPoint) -> Kind:
    package = point.dist.name if point.dist else point.module
    try:
        spec = spec_of(name)
    except UnknownConnector as error:
        return Kind(name=name, package=package, problem=str(error))
    except Exception as error:  # noqa: BLE001  somebody else's package fails as it likes
        return Kind(name=name, package=package, problem=f"{point.value} fails with {type(error).__name__}: {error}")
    return Kind(name=name, package=package, label=spec.label, kind=spec.kind, capabilities=_capabilities(spec))


def _capabilities(spec: ConnectorSpec) -> tuple[Capability, ...] | None:
    """Read off the class that ``open`` makes, where it is one or says so."""
    made = spec.open if isinstance(spec.open, type) else _returned(spec.open)
    if not isinstance(made, type):
        return None
    return tuple(capability for capability, protocol in PROTOCOLS.items() if issubclass(made, protocol))


def _returned(function: object) -> object:
    try:
        return get_type_hints(function).get("return")
    except (TypeError, NameError):  # no function of Python's, or annotated with what is not there
        return None
