"""The graph over HTTP, server-sent events and sockets, as its specifications say.

Stock Strawberry answers some requests in ways of its own; each method here says which rule it keeps instead.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

import msgspec
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.streaming import HTTPStreamTransport, SSETransport
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.types import ExecutionResult
from strawberry.types.unset import UnsetType

from gateway.api.context import Context, Services
from gateway.api.failures import presented
from gateway.api.schema import GatewaySchema
from gateway.settings import Server
from gateway.web.auth import Tokens

GRAPHQL_JSON: Final = "application/graphql-response+json"
REQUEST_KEYS: Final = ("query", "operationName", "variables", "extensions")

_encode = msgspec.json.Encoder().encode


class LineFeedEvents(SSETransport):
    """Server-sent events that end their lines as most clients expect, and only for those who ask for nothing else."""

    def accepts(self, accept: str) -> bool:
        """A client that also takes JSON wants JSON: it offers both for the sake of subscriptions elsewhere."""
        return super().accepts(accept) and "json" not in accept.lower()

    def encode_event(self, event: str, data: str | None = None) -> str:
        """Some clients split events at a blank line that ends in LF."""
        return super().encode_event(event, data).replace("\r\n", "\n")

    def encode_comment(self, comment: str) -> str:
        """A heartbeat."""
        return f": {comment}\n\n"


class PatientSocket(BaseGraphQLTransportWSHandler[Any, None]):
    """A socket that outlives a mistake in one of its operations."""

    @staticmethod
    def _get_pre_execution_close_reason(_error: GraphQLError) -> str | None:
        """A document with an error is that operation's error, not the end of all others on the socket."""
        return None


class GraphView(GraphQL[Context, None]):
    """The graph at one address."""

    stream_transport_classes_by_protocol: Mapping[str, type[HTTPStreamTransport]] = MappingProxyType(
        {GRAPHQL_SSE_PROTOCOL: LineFeedEvents}
    )
    graphql_transport_ws_handler_class = PatientSocket

    def __init__(self, schema: GatewaySchema, server: Server, tokens: Tokens) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql" if server.ide else None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            connection_init_wait_timeout=timedelta(seconds=server.socket_init_timeout_s),
            max_subscriptions_per_connection=server.subscriptions_per_socket_max,
            allowed_origins=server.origins,
        )
        self._tokens = tokens
        self._sockets_max = server.sockets_max
        self.sockets = 0
        self.services: Services | None = None

    # ------------------------------------------------------------------------------------------ who and with what
    async def get_context(self, request: Request | WebSocket, response: Any) -> Context:
        """What every operation of this connection can reach."""
        if self.services is None:
            raise HTTPException(503, "The gateway is starting.")
        return Context(
            services=self.services,
            principal=self._tokens.bearer(request.headers.get("authorization")),
            request=request,
            response=response,
        )

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """A socket's token is in its handshake or in its first message."""
        context.principal = self._tokens.first_message(context.connection_params) or context.principal
        if context.principal is None:
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)

    # ------------------------------------------------------------------------------------------ GraphQL over HTTP
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Errors of the transport are JSON too."""
        if scope["type"] != "http":
            return await self._socket(scope, receive, send)
        try:
            response = await self.run(Request(scope, receive))
        except HTTPException as error:
            allow = {"allow": "GET, POST"} if error.status_code == 405 else {}
            response = refusal(error.status_code, error.reason, headers=allow)
        return await response(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.sockets >= self._sockets_max:
            return await WebSocket(scope, receive, send).close(1013, "Too many sockets.")
        self.sockets += 1
        try:
            return await super().__call__(scope, receive, send)
        finally:
            self.sockets -= 1

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """A body that is JSON, but not a request, is the client's mistake; so is a field of the wrong type."""
        if request.method == "POST":
            body = self.parse_json(await request.get_body())
            if not isinstance(body, dict):
                raise HTTPException(400, "The body is a JSON object with a `query`.")
            if not isinstance(body.get("operationName"), str | None):
                raise HTTPException(400, "`operationName` is a string.")
        data = await super().parse_http_body(request)
        if isinstance(data, GraphQLRequestData) and not data.query:
            raise HTTPException(400, "There is no `query`.")
        return data

    def decode_json(self, data: str | bytes) -> object:
        """JSON only: no NaN, bytes that are UTF-8, and no deeper than anyone needs."""
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from error

    def encode_json(self, data: object) -> bytes:
        """Fast, and the same text."""
        return _encode(data)

    def encode_json_string(self, data: object) -> str:
        """The same, for streams of text."""
        return _encode(data).decode()

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """The media type that the client prefers."""
        response = await super().get_sub_response(request)
        accept = request.headers.get("accept", "")
        response.media_type = GRAPHQL_JSON if GRAPHQL_JSON in accept else "application/json"
        return response

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """A request that was never executed has no ``data`` at all."""
        response = await super().process_result(request, result)
        if result.errors:
            errors = [presented(error) for error in result.errors]
            response["errors"] = [error.formatted for error in errors]
            if result.data is None and all(error.path is None for error in errors):
                response.pop("data", None)
        return response

    def create_response(self, response_data: Any, sub_response: Response) -> Response:
        """With the newer media type a request error is a 4xx; without a token it is 401 in either."""
        status = sub_response.status_code or 200
        errors = response_data.get("errors") or []
        if any((error.get("extensions") or {}).get("code") == "UNAUTHENTICATED" for error in errors):
            status = 401
        elif sub_response.media_type == GRAPHQL_JSON and "data" not in response_data:
            status = 400
        headers = {"vary": "accept"} | ({"www-authenticate": "Bearer"} if status == 401 else {})
        response = Response(self.encode_json(response_data), status, headers, sub_response.media_type)
        response.headers.raw.extend(sub_response.headers.raw)
        return response


def refusal(status: int, message: str, *, headers: Mapping[str, str] | None = None, code: str = "BAD_REQUEST") -> Response:
    """A refusal of the transport, in the shape of the graph's own."""
    body = _encode({"errors": [{"message": message, "extensions": {"code": code}}]})
    return Response(body, status, dict(headers or {}), "application/json")
