"""The composition root: every concrete part is chosen here, opened here and closed here."""

from gateway.app.application import create_app
from gateway.app.parts import Parts
from gateway.app.running import running
from gateway.app.sources import open_sources

__all__ = ["Parts", "create_app", "open_sources", "running"]
