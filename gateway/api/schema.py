"""The graph put together, and what happens around every operation."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, cast

import strawberry
from graphql import DocumentNode, GraphQLError, GraphQLSyntaxError, OperationDefinitionNode, parse
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionContext

from gateway.api.context import Context, Loaders, Operation
from gateway.api.errors import (
    CapacityFullError,
    ContradictoryRuleError,
    GuardrailError,
    InsufficientStockError,
    NotAllowedInStateError,
    PlainUserError,
    SlotFullError,
    VersionConflictError,
)
from gateway.api.failures import presented, unfit
from gateway.api.limits import too_large
from gateway.api.locations import Places
from gateway.api.mutations import Mutation
from gateway.api.orders import FulfillmentOrder
from gateway.api.projection import ProjectingExecutor
from gateway.api.queries import Query
from gateway.api.scalars import SCALARS
from gateway.api.subscriptions import Subscription
from gateway.settings import Queries

# One of graphql-core's rules compares fields pair by pair; its default budget lets a small document burn seconds.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 20_000


class GatewaySchema(strawberry.Schema):
    """The graph. Errors leave it only as clients may see them."""

    def process_errors(self, errors: list[GraphQLError], _execution_context: ExecutionContext | None = None) -> None:
        """Put what clients may see in the place of what happened."""
        errors[:] = [presented(error) for error in errors]


class Operating(SchemaExtension):
    """Around every operation: its own context, bounded and cached parsing and validation."""

    def __init__(
        self, limits: Queries, documents: Callable[[str], DocumentNode], verdicts: Callable[..., list[GraphQLError]]
    ) -> None:
        self._limits = limits
        self._documents = documents
        self._verdicts = verdicts

    def on_operation(self) -> Iterator[None]:
        """Give the operation loaders of its own: over a socket, a longer life would serve old stock."""
        connection = cast("Context", self.execution_context.context)
        if isinstance(connection, Context):
            self.execution_context.context = _operation(connection, self.execution_context.query or "")
        yield

    def on_parse(self) -> Iterator[None]:
        """Parse a document once, however often it is sent."""
        context = self.execution_context
        context.parse_options = {"max_tokens": self._limits.tokens_max}
        if context.query:
            with suppress(GraphQLSyntaxError):  # Strawberry tries again, at the place where it expects an error
                context.graphql_document = self._documents(context.query)
        yield

    def on_validate(self) -> Iterator[None]:
        """Measure every operation; validate a document once."""
        context = self.execution_context
        document = cast("DocumentNode", context.graphql_document)
        refusal = too_large(document, context.variables or {}, self._limits) or _ambiguous(document, context)
        rules = context.validation_rules
        errors = [refusal] if refusal is not None else self._verdicts(context.schema._schema, document, rules)  # noqa: SLF001
        context.pre_execution_errors = list(errors)
        yield

    def on_stream_result(self, result: Any) -> Iterator[None]:
        """Every streamed result reads anew."""
        operation = self.execution_context.context
        if isinstance(operation, Operation):
            operation.loaders = Loaders(operation.services)
            operation.places = Places(operation.services.sources, operation.services.readings)
        if getattr(result, "errors", None):
            result.errors = [presented(error) for error in result.errors]
        yield


def schema_of(limits: Queries) -> GatewaySchema:
    """The graph, with documents of bounded size."""

    @lru_cache(maxsize=limits.cached_max)
    def documents(text: str) -> DocumentNode:
        return parse(text, max_tokens=limits.tokens_max)

    @lru_cache(maxsize=limits.cached_max)
    def verdicts(*asked: Any) -> list[GraphQLError]:
        return [unfit(error) for error in validate_document(*asked)]

    return GatewaySchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[
            PlainUserError,
            InsufficientStockError,
            CapacityFullError,
            SlotFullError,
            NotAllowedInStateError,
            VersionConflictError,
            ContradictoryRuleError,
            GuardrailError,
            FulfillmentOrder,
        ],
        execution_context_class=ProjectingExecutor,
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=False),
        extensions=[lambda: Operating(limits, documents, verdicts)],
    )


def _ambiguous(document: DocumentNode, context: ExecutionContext) -> GraphQLError | None:
    """Why it cannot be told which operation is meant: Strawberry would take the first (GraphQL, section 6.1)."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if context._provided_operation_name is not None or len(operations) == 1:  # noqa: SLF001
        return None
    return GraphQLError("There are several operations: `operationName` has to say which.")


def _operation(connection: Context, document: str) -> Operation:
    if connection.principal is None:
        raise GraphQLError("A bearer token is needed.", extensions={"code": "UNAUTHENTICATED"})
    services = connection.services
    return Operation(
        services=services,
        principal=connection.principal,
        loaders=Loaders(services),
        places=Places(services.sources, services.readings),
        document=document,
    )
