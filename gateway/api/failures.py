"""Errors of a whole request or field, as clients see them: a code, a sentence, and nothing about our insides."""

from typing import Final

import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from gateway.domain.refusals import Refusal, Refusals

log = structlog.get_logger(__name__)

# The names that Apollo's server gave them, which clients know.
CODES: Final = {
    "INVALID": "BAD_USER_INPUT",
    "FORBIDDEN": "FORBIDDEN",
    "NOT_FOUND": "NOT_FOUND",
    "CURSOR_EXPIRED": "CURSOR_EXPIRED",
    "OVERLOADED": "OVERLOADED",
}
INTERNAL: Final = "Something went wrong on our side; the request id finds it in our logs."


def presented(error: GraphQLError) -> GraphQLError:
    """The error as a client may see it. Bugs are logged whole and shown as no more than that."""
    if error.extensions and "code" in error.extensions:
        return error
    original = error.original_error
    if isinstance(original, Refusals):
        message, code = "; ".join(refusal.message for refusal in original.each), original.each[0].code
        return _coded(error, message, CODES.get(code, code), original.each[0].path)
    if isinstance(original, Refusal):
        return _coded(error, original.message, CODES.get(original.code, original.code), original.path)
    if isinstance(error, GraphQLSyntaxError):
        return _coded(error, error.message, "GRAPHQL_PARSE_FAILED")
    if isinstance(error, StrawberryInputCoercionError):
        return _coded(error, error.message, "BAD_USER_INPUT")
    if original is None:
        return _coded(error, error.message, "BAD_USER_INPUT" if error.path else "GRAPHQL_VALIDATION_FAILED")
    if isinstance(original, GraphQLError | CannotGetOperationTypeError | InvalidOperationTypeError):  # something does not fit
        return _coded(error, error.message, "BAD_USER_INPUT")
    log.error("request_crashed", path=error.path, exc_info=original)
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return _coded(error, INTERNAL, "INTERNAL_SERVER_ERROR", request_id=request_id)


def unfit(error: GraphQLError) -> GraphQLError:
    """What is wrong with a document, as a client may see it: a value in it that cannot be read is no bug of ours."""
    return _coded(error, error.message, "GRAPHQL_VALIDATION_FAILED")


def _coded(
    error: GraphQLError, message: str, code: str, argument: tuple[str, ...] = (), *, request_id: str | None = None
) -> GraphQLError:
    extensions: dict[str, object] = {"code": code}
    if argument:
        extensions["argumentPath"] = list(argument)
    if request_id:
        extensions["requestId"] = request_id
    return GraphQLError(
        message, nodes=error.nodes, source=error.source, positions=error.positions, path=error.path, extensions=extensions
    )
