"""A stand-in for a warehouse that exchanges files: a mill."""

from connectors.sandbox.flat_file.sandbox import FlatFileSandbox

__all__ = ["FlatFileSandbox"]
