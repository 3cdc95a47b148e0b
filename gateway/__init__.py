"""The gateway: one graph over many systems of record."""

__version__ = "0.1.0"
