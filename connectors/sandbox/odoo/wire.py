"""Odoo's two protocols in front of one database, with their own envelopes for errors."""

import hmac
import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.sandbox.odoo.model import Model
from connectors.sandbox.odoo.records import OdooError

Rows = list[dict[str, Any]]


class _Params(msgspec.Struct):
    service: str
    method: str
    args: list[Any]


class _Call(msgspec.Struct):
    params: _Params
    id: int | str | None = None


class Methods:
    """What can be called, by name, with Odoo's own parameter names. Those with ``ids`` are methods of records."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def search_read(
        self,
        model: str,
        domain: Sequence[Sequence[Any]] = (),
        fields: Sequence[str] | None = None,
        *,
        offset: int = 0,
        limit: int | None = None,
        order: str = "id",
    ) -> Rows:
        """Search and read in one."""
        records = self._model.records
        rows = _ordered(records.search(model, domain), order)
        page = rows[offset : None if limit is None else offset + limit]
        return records.read(model, page, fields or records.table(model).fields)

    def fields_get(self, model: str, allfields: Sequence[str] = (), attributes: Sequence[str] = ()) -> dict[str, Any]:
        """The fields there are, of those named."""
        fields = self._model.records.table(model).fields
        return {name: dict.fromkeys(attributes, "char") for name in fields if not allfields or name in allfields}

    def create(self, model: str, vals_list: Sequence[Mapping[str, Any]]) -> list[int]:
        """New records."""
        make = self._model.create_picking if model == "stock.picking" else lambda values: self._model.create(model, values)
        return [make(values)["id"] for values in vals_list]

    def context_get(self, _model: str) -> dict[str, Any]:
        """Who is asking."""
        return {"lang": "en_US", "tz": "UTC", "uid": self._model.user_id}

    def action_confirm(self, _model: str, ids: Sequence[int]) -> bool:
        """Out of draft."""
        return self._each(self._model.confirm, ids)

    def action_assign(self, _model: str, ids: Sequence[int]) -> bool:
        """Reserve."""
        return self._each(self._model.assign, ids)

    def action_cancel(self, _model: str, ids: Sequence[int]) -> bool:
        """Stop."""
        return self._each(self._model.cancel, ids)

    def button_validate(self, _model: str, ids: Sequence[int]) -> None:
        """Ship. Returns nothing, which JSON-RPC answers without ``result``."""
        self._each(self._model.validate, ids)

    def _each(self, step: Callable[[dict[str, Any]], None], ids: Sequence[int]) -> bool:
        for picking in self._model.pickings(ids):
            step(picking)
        return True


def _ordered(rows: Rows, order: str) -> Rows:
    """By terms such as ``write_date desc, id``: sorted by the last one first, as sorting is stable."""
    for term in reversed(order.split(",")):
        name, _, direction = term.strip().partition(" ")
        rows = sorted(rows, key=operator.itemgetter(name), reverse=direction.lower() == "desc")
    return rows


class Wire:
    """The routes. JSON-2 came with version 19."""

    def __init__(self, model: Model, *, version: int, database: str, login: str, api_key: str) -> None:
        self._methods = Methods(model)
        self._model = model
        self._version = f"{version}.0"
        self._database = database
        self._login = login
        self._api_key = api_key

    def routes(self) -> list[BaseRoute]:
        """Both protocols, as far as the version has them."""
        routes: list[BaseRoute] = [Route("/jsonrpc", self._json_rpc, methods=["POST"]), Route("/web/version", self._web_version)]
        if self._version == "19.0":
            routes.append(Route("/json/2/{model}/{method}", self._json2, methods=["POST"]))
        return routes

    def _call(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        self._model.records.table(model)
        if method.startswith("_") or not hasattr(self._methods, method):
            raise OdooError("werkzeug.exceptions.NotFound", f"The method {model}.{method} does not exist", status=404)
        function = getattr(self._methods, method)
        try:
            inspect.signature(function).bind(model, *args, **kwargs)
        except TypeError as error:
            raise OdooError("builtins.TypeError", str(error)) from error
        return function(model, *args, **kwargs)

    # ------------------------------------------------------------------------------------------ JSON-RPC
    async def _json_rpc(self, request: Request) -> Response:
        call = msgspec.json.decode(await request.body(), type=_Call)
        envelope: dict[str, Any] = {"jsonrpc": "2.0", "id": call.id}
        try:
            result = self._rpc(call.params)
        except OdooError as error:
            fault = {"name": error.name, "message": error.message, "arguments": [error.message], "debug": "", "context": {}}
            return _json({**envelope, "error": {"code": 200, "message": "Odoo Server Error", "data": fault}})
        return _json(envelope if result is None else {**envelope, "result": result})

    def _rpc(self, params: _Params) -> Any:
        match params.service, params.method, params.args:
            case "common", "version", _:
                return {"server_version": self._version, "protocol_version": 1}
            case "common", "authenticate", [database, login, api_key, *_]:
                self._check_database(database)
                known = login == self._login and self._is_key(api_key)
                return self._model.user_id if known else False
            case "object", "execute_kw", [database, user_id, api_key, model, method, args, *kwargs]:
                self._check_database(database)
                if user_id != self._model.user_id or not self._is_key(api_key):
                    raise OdooError("odoo.exceptions.AccessDenied", "Access Denied", status=403)
                return self._call(model, method, *args, **(kwargs[0] if kwargs else {}))
            case _:
                raise OdooError("builtins.NameError", f"Method not available {params.service}.{params.method}")

    def _check_database(self, database: str) -> None:
        if database != self._database:
            raise OdooError("psycopg2.OperationalError", f'FATAL:  database "{database}" does not exist')

    # ------------------------------------------------------------------------------------------ JSON-2
    async def _json2(self, request: Request) -> Response:
        try:
            return _json(self._named_call(request, msgspec.json.decode(await request.body(), type=dict[str, Any])))
        except OdooError as error:
            fault = {"name": error.name, "message": error.message, "arguments": [error.message], "context": {}, "debug": ""}
            return _json(fault, status=error.status)

    def _named_call(self, request: Request, arguments: dict[str, Any]) -> Any:
        scheme, _, api_key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._is_key(api_key):
            raise OdooError("werkzeug.exceptions.Unauthorized", "Invalid apikey", status=401)
        if request.headers.get("x-odoo-database", self._database) != self._database:
            raise OdooError("werkzeug.exceptions.NotFound", "No such database", status=404)
        arguments.pop("context", None)
        try:
            return self._call(request.path_params["model"], request.path_params["method"], **arguments)
        except OdooError as error:
            if error.name == "builtins.TypeError":  # here a wrong argument is told apart from a failure inside
                raise OdooError("werkzeug.exceptions.UnprocessableEntity", error.message, status=422) from error
            raise

    async def _web_version(self, _request: Request) -> Response:
        return _json({"version": self._version, "version_info": [int(float(self._version)), 0, 0, "final", 0, ""]})

    def _is_key(self, api_key: object) -> bool:
        return isinstance(api_key, str) and hmac.compare_digest(api_key.encode(), self._api_key.encode())


def _json(content: object, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json; charset=utf-8")
