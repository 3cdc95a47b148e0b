"""Every address that the gateway answers at, and the order in which a request goes through it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from gateway.api.context import Services
from gateway.api.schema import GatewaySchema
from gateway.ports import NewId
from gateway.settings import Settings
from gateway.web.auth import Tokens
from gateway.web.bounds import Bounded, Identified
from gateway.web.graphql import GraphView
from gateway.web.operations import alive, metrics, ready
from gateway.web.webhooks import Webhooks

Opened = Callable[[], AbstractAsyncContextManager[Services]]


def edge(settings: Settings, schema: GatewaySchema, opened: Opened, new_id: NewId) -> Starlette:
    """The ASGI application; ``opened`` gives the services for as long as it runs."""
    view = GraphView(schema, settings.server, Tokens.of(settings.tokens))
    webhooks = Webhooks()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with opened() as services:
            app.state.services = view.services = services
            try:
                yield
            finally:
                app.state.services = view.services = None
                await webhooks.aclose()

    app = Starlette(
        routes=[
            Route("/", _home),
            Route("/graphql", view),
            WebSocketRoute("/graphql", view),
            Route("/webhooks/{source}", webhooks.__call__, methods=["POST"]),
            Route("/healthz", alive),
            Route("/readyz", ready),
            Route("/metrics", metrics),
        ],
        middleware=[
            Middleware(Identified, new_id=new_id),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.server.origins,
                allow_methods=["GET", "POST"],
                allow_headers=["authorization", "content-type", "x-request-id"],
                max_age=600,
            ),
            Middleware(Bounded, body_bytes_max=settings.server.body_bytes_max),
        ],
        lifespan=lifespan,
    )
    app.state.services = None
    return app


async def _home(_request: object) -> Response:
    return RedirectResponse("/graphql")
