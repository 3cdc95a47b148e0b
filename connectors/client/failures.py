"""Finer shades of ``Transient`` that decide whether a request may be sent again. Callers need only know ``Transient``."""

from connectors.contract import Transient


class NotSent(Transient):
    """The source surely never saw this attempt."""


class CircuitOpen(NotSent):
    """The breaker kept the request back."""


class Inconclusive(Transient):
    """Sent, and what came back, if anything, proves nothing: a lost answer, or a 5xx that a proxy may have made up."""
