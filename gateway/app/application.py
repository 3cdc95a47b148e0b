"""The gateway as an application."""

from dataclasses import replace
from functools import partial

from starlette.applications import Starlette

from gateway.api.schema import schema_of
from gateway.app.parts import Parts
from gateway.app.running import running
from gateway.settings import Settings
from gateway.system import uuid7_maker
from gateway.web.edge import edge


def create_app(settings: Settings, parts: Parts | None = None) -> Starlette:
    """The gateway as an ASGI application. Everything is opened when it starts and closed when it stops."""
    parts = parts or Parts()
    new_id = parts.new_id or uuid7_maker(parts.clock.now)
    return edge(settings, schema_of(settings.queries), partial(running, settings, replace(parts, new_id=new_id)), new_id)
