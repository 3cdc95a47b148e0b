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
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.parse_content_type import parse_content_type
from strawberry.http.streaming import HTTPStreamTransport, SSETransport
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.types import ExecutionResult, SubscriptionExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UnsetType

from gateway.api.context import Context, Services
from gateway.api.failures import presented
from gateway.api.schema import GatewaySchema
from gateway.settings import Server
from gateway.web.auth import Tokens

GRAPHQL_JSON: Final = "application/graphql-response+json"
CLOSE_REASON_BYTES_MAX: Final = 123  # RFC 6455, section 5.5

EXPLAINED: Final[Mapping[int, Mapping[str, str]]] = {401: {"www-authenticate": "Bearer"}, 405: {"allow": "GET, POST"}}

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


class SocketMessage(msgspec.Struct):
    """What every message over a socket has."""

    type: str
    id: str | None = None


class Asked(msgspec.Struct):
    """What a client asks over a socket."""

    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815  # the protocol's name


class Subscribe(msgspec.Struct):
    """The message that asks it."""

    id: str
    payload: Asked


class PatientSocket(BaseGraphQLTransportWSHandler[Any, None]):
    """A socket that outlives a mistake in one of its operations; what is no message of the protocol closes it, and says why."""

    async def handle_message(self, message: Any) -> None:
        """Look at the shape of a message first."""
        try:
            if msgspec.convert(message, SocketMessage).type == "subscribe":
                msgspec.convert(message, Subscribe)
        except msgspec.ValidationError as error:
            return await self.handle_invalid_message(f"Failed to parse message: {error}")
        return await super().handle_message(message)

    @staticmethod
    def _get_pre_execution_close_reason(_error: GraphQLError) -> str | None:
        """A document with an error is that operation's error, not the end of all others on the socket."""
        return None


class Socket(ASGIWebSocketAdapter):
    """The wire below it."""

    async def close(self, code: int, reason: str) -> None:
        """A reason that quotes the client may be longer than a frame allows."""
        await super().close(code, reason.encode()[:CLOSE_REASON_BYTES_MAX].decode(errors="ignore"))


class GraphView(GraphQL[Context, None]):
    """The graph at one address."""

    stream_transport_classes_by_protocol: Mapping[str, type[HTTPStreamTransport]] = MappingProxyType(
        {GRAPHQL_SSE_PROTOCOL: LineFeedEvents}
    )
    graphql_transport_ws_handler_class = PatientSocket
    websocket_adapter_class = Socket

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
        request = Request(scope, receive)
        try:
            response = await self.run(request)
        except HTTPException as error:
            status = error.status_code
            code = "UNAUTHENTICATED" if status == 401 else "BAD_REQUEST"
            response = refusal(status, error.reason, headers=EXPLAINED.get(status), code=code, media_type=_media_type(request))
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
            if parse_content_type(request.content_type or "")[0] != "application/json":
                raise HTTPException(415, "The body is `application/json`.")
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

    def encode_json(self, data: object) -> str:
        """Fast, and text: what is sent over a socket in bytes, browsers cannot read."""
        return _encode(data).decode()

    async def execute_operation(  # noqa: PLR0917  # as in the method it stands for
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> ExecutionResult | list[ExecutionResult] | SubscriptionExecutionResult:
        """Nobody asks anything without a token, and no stream begins."""
        if context.principal is None:
            raise HTTPException(401, "A bearer token is needed.")
        return await super().execute_operation(request, request_adapter, request_data, context, root_value, sub_response)

    async def execute_single(  # noqa: PLR0917  # as in the method it stands for
        self,
        request: Request,  # noqa: ARG002  # as above
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,  # noqa: ARG002  # as above
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """One answer to one operation: a GET changes nothing, and a subscription has more than one."""
        changing = {OperationType.MUTATION} if request_adapter.method == "POST" else set()
        try:
            return await self.schema.execute(
                request_data.query,
                root_value=root_value,
                variable_values=request_data.variables,
                context_value=context,
                operation_name=request_data.operation_name,
                allowed_operation_types={OperationType.QUERY} | changing,
                operation_extensions=request_data.extensions,
            )
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                raise HTTPException(406, "A subscription needs a socket, or `accept: text/event-stream`.") from error
            raise HTTPException(405, "A mutation needs POST.") from error

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """The media type that the client prefers."""
        response = await super().get_sub_response(request)
        response.media_type = _media_type(request)
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
        """With the newer media type a request error is a 4xx."""
        refused = sub_response.media_type == GRAPHQL_JSON and "data" not in response_data
        status = 400 if refused else sub_response.status_code or 200
        response = Response(_encode(response_data), status, {"vary": "accept"}, sub_response.media_type)
        response.headers.raw.extend(sub_response.headers.raw)
        return response


def refusal(
    status: int,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    code: str = "BAD_REQUEST",
    media_type: str = "application/json",
) -> Response:
    """A refusal of the transport, in the shape of the graph's own."""
    body = _encode({"errors": [{"message": message, "extensions": {"code": code}}]})
    return Response(body, status, dict(headers or {}), media_type)


def _media_type(request: Request | WebSocket) -> str:
    return GRAPHQL_JSON if GRAPHQL_JSON in request.headers.get("accept", "") else "application/json"
