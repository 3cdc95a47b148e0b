"""The two protocols of Odoo's external API behind one call: ``execute(model, method, …)``."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol, TypeVar

import msgspec

from connectors.client import Client, Intent, Reply, by_status
from connectors.contract import AuthFailed, ContractBroken, NotFound, OutcomeUnknown, Rejected, SourceError, Traffic, Transient
from connectors.odoo.once import Once
from connectors.odoo.settings import OdooSettings
from connectors.registry import Tools

T = TypeVar("T")

_DETAIL_CHARS_MAX: Final = 300


class Wire(Protocol):
    """Calls methods of Odoo's models."""

    async def execute(
        self,
        model: str,
        method: str,
        *,
        returns: type[T],
        ids: Sequence[int] | None = None,
        intent: Intent = Intent.READ,
        repeatable: bool | None = None,
        **arguments: object,
    ) -> T:
        """Call a method of a model, or of the records ``ids`` of it. One call is one transaction there."""

    async def version(self) -> str:
        """The server's version, such as ``19.0``. Needs no credential."""

    def traffic(self) -> Mapping[str, Traffic]:
        """How asking goes."""

    async def aclose(self) -> None:
        """Let go of connections."""


def wire_of(settings: OdooSettings, tools: Tools) -> Wire:
    """The protocol that the settings name."""
    return JsonRpc(settings, tools) if settings.protocol == "jsonrpc" else Json2(settings, tools)


# ---------------------------------------------------------------------------------------------- what goes wrong there
class OdooFault(msgspec.Struct):
    """An exception on the other side. ``name`` is its Python class, the only stable part; ``message`` is translated."""

    name: str = ""
    message: str = ""


def parse_fault(fault: OdooFault) -> SourceError:
    """What an exception of Odoo's means to us."""
    detail = fault.message[:_DETAIL_CHARS_MAX]
    match fault.name.rpartition("."):
        case ("odoo.exceptions", _, "AccessDenied" | "AccessError") | ("odoo.http", _, "SessionExpiredException"):
            return AuthFailed(detail)
        case ("odoo.exceptions", _, "MissingError"):
            return NotFound(detail)
        case ("odoo.exceptions" | "builtins", _, _):
            # builtins.ValueError and its like are answers to mistakes of ours: asking again cannot help.
            return Rejected(detail, reason=fault.name)
        case _:
            # Mostly PostgreSQL's: serialization, locks, lost connections. Odoo has rolled back.
            return Transient(f"{fault.name}: {detail}")


# ---------------------------------------------------------------------------------------------- up to Odoo 18
class _RpcError(msgspec.Struct):
    message: str = ""
    data: OdooFault = msgspec.field(default_factory=OdooFault)


class _RpcFailure(msgspec.Struct):
    error: _RpcError | None = None


class _RpcReply(msgspec.Struct):
    jsonrpc: Literal["2.0"]
    # A method that returns None gets an answer without ``result``.
    result: msgspec.Raw = msgspec.Raw(b"null")


class _RpcVersion(msgspec.Struct):
    server_version: str


def classify_rpc(reply: Reply) -> SourceError | None:
    """Errors of JSON-RPC come with status 200."""
    if reply.status != 200:
        return by_status(reply)
    error = reply.read(_RpcFailure).error
    if error is None:
        return None
    return parse_fault(error.data) if error.data.name else Transient(error.message[:_DETAIL_CHARS_MAX])


class JsonRpc:
    """``/jsonrpc``: one path for everything, the credential inside each call."""

    def __init__(self, settings: OdooSettings, tools: Tools) -> None:
        self._settings = settings
        self._client = Client(base_url=settings.url, tools=tools, limits=settings.limits(), classify=classify_rpc)
        self._user = Once(self._authenticate)

    async def execute(
        self,
        model: str,
        method: str,
        *,
        returns: type[T],
        ids: Sequence[int] | None = None,
        intent: Intent = Intent.READ,
        repeatable: bool | None = None,
        **arguments: object,
    ) -> T:
        """See ``Wire.execute``."""
        positional: list[object] = [] if ids is None else [list(ids)]
        if "vals_list" in arguments:
            # Up to 18 the dispatcher reads the values of ``create`` from the first positional argument.
            positional.append(arguments.pop("vals_list"))
        login = [self._settings.database, await self._user.get(), self._settings.api_key]
        try:
            return await self._call(
                "object",
                "execute_kw",
                [*login, model, method, positional, arguments],
                returns=returns,
                intent=intent,
                repeatable=repeatable,
            )
        except AuthFailed:
            self._user.forget()
            raise

    async def version(self) -> str:
        """See ``Wire.version``."""
        return (await self._call("common", "version", [], returns=_RpcVersion)).server_version

    def traffic(self) -> Mapping[str, Traffic]:
        """See ``Wire.traffic``."""
        return self._client.traffic()

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._user.aclose()
        await self._client.aclose()

    async def _authenticate(self) -> int:
        settings = self._settings
        login = [settings.database, settings.login, settings.api_key, {}]
        user = await self._call("common", "authenticate", login, returns=object)
        if user is False:
            raise AuthFailed(f"Odoo does not accept the API key of {settings.login} for {settings.database}")
        if not isinstance(user, int) or isinstance(user, bool):
            raise ContractBroken("authenticate answered neither a user's id nor false")
        return user

    async def _call(
        self,
        service: str,
        method: str,
        args: Sequence[object],
        *,
        returns: type[T],
        intent: Intent = Intent.READ,
        repeatable: bool | None = None,
    ) -> T:
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": service, "method": method, "args": args}}
        reply = await self._client.call("POST", "/jsonrpc", returns=_RpcReply, intent=intent, repeatable=repeatable, json=body)
        try:
            return Reply(status=200, headers={}, body=bytes(reply.result)).read(returns)
        except ContractBroken as error:
            if intent is Intent.WRITE and not repeatable:
                raise OutcomeUnknown(error.detail) from error
            raise


# ---------------------------------------------------------------------------------------------- from Odoo 19 on
class _WebVersion(msgspec.Struct):
    version: str


def classify_json2(reply: Reply) -> SourceError | None:
    """JSON-2 has proper statuses, but for our own mistakes, which it answers with 500."""
    if reply.status < 400 or reply.status in {401, 403, 404, 429}:
        return by_status(reply)
    fault = reply.read(OdooFault)
    error = parse_fault(fault) if fault.name else None
    # What is not Odoo's own word on the matter is judged as any other server fault.
    return error if isinstance(error, Rejected | NotFound | AuthFailed) else by_status(reply)


class Json2:
    """``/json/2/<model>/<method>``: named arguments only, the credential in a header."""

    def __init__(self, settings: OdooSettings, tools: Tools) -> None:
        headers: Mapping[str, str] = {"authorization": f"bearer {settings.api_key}", "x-odoo-database": settings.database}
        self._client = Client(
            base_url=settings.url, tools=tools, limits=settings.limits(), headers=headers, classify=classify_json2
        )

    async def execute(
        self,
        model: str,
        method: str,
        *,
        returns: type[T],
        ids: Sequence[int] | None = None,
        intent: Intent = Intent.READ,
        repeatable: bool | None = None,
        **arguments: object,
    ) -> T:
        """See ``Wire.execute``."""
        body = arguments if ids is None else {"ids": list(ids), **arguments}
        path = f"/json/2/{model}/{method}"
        return await self._client.call("POST", path, returns=returns, intent=intent, repeatable=repeatable, json=body)

    async def version(self) -> str:
        """See ``Wire.version``."""
        return (await self._client.call("GET", "/web/version", returns=_WebVersion)).version

    def traffic(self) -> Mapping[str, Traffic]:
        """See ``Wire.traffic``."""
        return self._client.traffic()

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
