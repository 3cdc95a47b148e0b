"""Which kinds of sources there are, what each wants to know, and whether a configured one works."""

from gateway.connecting.checking import Check, checked
from gateway.connecting.kinds import Kind, kinds
from gateway.connecting.knobs import Knob, knobs, schema
from gateway.connecting.telling import tell_check, tell_kinds, tell_knobs

__all__ = ["Check", "Kind", "Knob", "checked", "kinds", "knobs", "schema", "tell_check", "tell_kinds", "tell_knobs"]
