"""Plain values are read off in one go instead of being walked field by field.

graphql-core treats every field as if it might wait, fail or be intercepted: about four microseconds each, most of a stock query's
time. Where a selected subtree holds nothing but attributes of our own plain types, it is compiled once per document into nested
functions that read those attributes and check that each value is exactly what its type promises. For anything else — a null where
none may be, another class, a value out of range — the function gives up, and graphql-core completes that subtree as it always
would: results, errors, paths and null propagation are its own.

What a plan depends on besides the document are the variables of ``@skip`` and ``@include``; plans are kept per combination.
"""

from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from typing import Any, Final

from cachetools import LRUCache
from graphql import (
    DirectiveNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

Memo = dict[tuple[int, int], Any]
"""What was made of an object that many others mention, by the plan and the object; it lives for one operation."""

Complete = Callable[[Any, Memo], Any]
Plans = dict[Any, "Complete | None"]

INT_MAX: Final = 2**31 - 1
DOCUMENTS_MAX: Final = 512
SHARED: Final = frozenset({"Location", "Source"})
DEFINITION: Final = "strawberry-definition"


class Unplanned(Exception):
    """A subtree, or a value in it, for which graphql-core's own way must be taken."""


class ProjectingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes like its base, but reads plain subtrees off in one go."""

    _plans: Plans | None = None
    _memo: Memo
    _intercepted = False

    def complete_list_value(self, return_type: Any, field_details_list: Any, *rest: Any) -> Any:
        """A list, read off if it is plain."""
        return self._complete(super().complete_list_value, return_type, field_details_list, rest)

    def complete_object_value(self, return_type: Any, field_details_list: Any, *rest: Any) -> Any:
        """An object, read off if it is plain."""
        return self._complete(super().complete_object_value, return_type, field_details_list, rest)

    def _complete(self, walk: Callable[..., Any], return_type: Any, fields: Any, rest: tuple[Any, ...]) -> Any:
        plan = self._plan(return_type, fields)
        if plan is not None:
            try:
                return plan(rest[2], self._memo)
            except Unplanned:
                pass
        return walk(return_type, fields, *rest)

    def _plan(self, return_type: Any, fields: Any) -> Complete | None:
        if self._plans is None:
            intercepted = self.middleware_manager is not None and bool(self.middleware_manager.middlewares)
            self._plans, self._memo = {} if intercepted else plans_of(self), {}
            self._intercepted = intercepted
        if self._intercepted:
            return None
        key = (return_type, *(id(each.node) for each in fields))
        if key not in self._plans:
            try:
                self._plans[key] = _complete_as(self, return_type, fields)
            except Unplanned:
                self._plans[key] = None
        return self._plans[key]


# ---------------------------------------------------------------------------------------------- which plans
_documents: LRUCache[int, tuple[OperationDefinitionNode, tuple[str, ...], dict[Any, Plans]]] = LRUCache(DOCUMENTS_MAX)


def plans_of(executor: ProjectingExecutor) -> Plans:
    """The plans for this operation, under these values of ``@skip`` and ``@include``."""
    operation = executor.operation
    known = _documents.get(id(operation))
    if known is None or known[0] is not operation:
        known = _documents[id(operation)] = (operation, _deciding_variables(executor), {})
    _, names, tables = known
    given = executor.variable_values.coerced
    return tables.setdefault(tuple(given.get(name) for name in names), {})


class _Deciding(Visitor):
    """Finds the variables that decide whether a field is there at all."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in {"skip", "include"}:
            self.names |= {each.value.name.value for each in node.arguments or () if isinstance(each.value, VariableNode)}


def _deciding_variables(executor: ProjectingExecutor) -> tuple[str, ...]:
    found = _Deciding()
    visit(executor.operation, found)
    for fragment in executor.fragment_definitions.values():
        visit(fragment, found)
    return tuple(sorted(found.names))


# ---------------------------------------------------------------------------------------------- how to complete
def _complete_as(executor: ProjectingExecutor, return_type: Any, fields: Any) -> Complete:
    """How to complete a value of that type.

    Raises:
        Unplanned: It holds something that is not plain.
    """
    if isinstance(return_type, GraphQLNonNull):
        return _complete_as(executor, return_type.of_type, fields)
    if isinstance(return_type, GraphQLList):
        return _list_of(_nullable(executor, return_type.of_type, fields))
    if isinstance(return_type, GraphQLObjectType):
        return _object(executor, return_type, fields)
    read = _leaf(return_type)
    return lambda value, _memo: read(value)


def _nullable(executor: ProjectingExecutor, return_type: Any, fields: Any) -> Complete:
    complete = _complete_as(executor, return_type, fields)
    if isinstance(return_type, GraphQLNonNull):
        return complete
    return lambda value, memo: None if value is None else complete(value, memo)


def _list_of(complete: Complete) -> Complete:
    def completed(values: Any, memo: Memo) -> list[Any]:
        if type(values) is not list:
            raise Unplanned
        return [complete(value, memo) for value in values]

    return completed


def _object(executor: ProjectingExecutor, kind: GraphQLObjectType, fields: Any) -> Complete:
    definition = (kind.extensions or {}).get(DEFINITION)
    if not isinstance(definition, StrawberryObjectDefinition):
        raise Unplanned
    selected, defers, _ = executor.collect_subfields(kind, fields)
    if defers:
        raise Unplanned
    leaves: list[tuple[str, str, Callable[[Any], Any]]] = []
    nested: list[tuple[str, str, Complete]] = []
    blank: dict[str, Any] = {}
    for key, details in selected.items():
        name = details[0].node.name.value
        blank[key] = kind.name if name == "__typename" else None
        if name == "__typename":
            continue
        attribute, field_type = _plain_attribute(kind, name, details)
        inner = field_type.of_type if isinstance(field_type, GraphQLNonNull) else field_type
        if isinstance(inner, GraphQLObjectType | GraphQLList):
            nested.append((key, attribute, _nullable(executor, field_type, details)))
        else:
            read = _leaf(inner)
            leaves.append((key, attribute, read if inner is not field_type else _or_none(read)))
    return _reader(definition.origin, blank, tuple(leaves), tuple(nested), shared=kind.name in SHARED)


def _reader(
    origin: type,
    blank: dict[str, Any],
    leaves: tuple[tuple[str, str, Callable[[Any], Any]], ...],
    nested: tuple[tuple[str, str, Complete], ...],
    *,
    shared: bool,
) -> Complete:
    def completed(value: Any, memo: Memo) -> dict[str, Any]:
        if type(value) is not origin:
            raise Unplanned
        result = blank.copy()
        for key, attribute, read in leaves:
            result[key] = read(getattr(value, attribute))
        for key, attribute, complete in nested:
            result[key] = complete(getattr(value, attribute), memo)
        return result

    def remembered(value: Any, memo: Memo) -> dict[str, Any]:
        key = (id(completed), id(value))
        found = memo.get(key)
        if found is None:
            found = memo[key] = (value, completed(value, memo))  # kept with it, so that its id is not given to another
        return found[1]

    return remembered if shared else completed


def _plain_attribute(kind: GraphQLObjectType, name: str, details: Any) -> tuple[str, Any]:
    """The attribute behind a field, and its type.

    Raises:
        Unplanned: There is more to the field than an attribute.
    """
    field = kind.fields.get(name)
    definition = None if field is None else (field.extensions or {}).get(DEFINITION)
    streamed = any(directive.name.value == "stream" for each in details for directive in each.node.directives or ())
    deferred = any(each.defer_usage or each.fragment_variable_values for each in details)
    plain = isinstance(definition, StrawberryField) and definition.is_basic_field
    if field is None or not isinstance(definition, StrawberryField) or not plain or field.args or streamed or deferred:
        raise Unplanned
    return definition.python_name, field.type


# ---------------------------------------------------------------------------------------------- leaves
def _or_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _text(value: Any) -> Any:
    if type(value) is str:
        return value
    raise Unplanned


def _int(value: Any) -> Any:
    if type(value) is int and -INT_MAX <= value <= INT_MAX:
        return value
    raise Unplanned


def _float(value: Any) -> Any:
    if type(value) is float and isfinite(value):
        return value
    raise Unplanned


def _boolean(value: Any) -> Any:
    if value is True or value is False:
        return value
    raise Unplanned


_BUILT_IN: Final = {GraphQLString: _text, GraphQLID: _text, GraphQLInt: _int, GraphQLFloat: _float, GraphQLBoolean: _boolean}


@lru_cache(maxsize=256)
def _leaf(kind: Any) -> Callable[[Any], Any]:
    """How to read a scalar or an enum."""
    if kind in _BUILT_IN:
        return _BUILT_IN[kind]
    if not isinstance(kind, GraphQLScalarType | GraphQLEnumType):
        raise Unplanned
    # Instants and enum members recur from level to level; their texts are kept.
    text = lru_cache(maxsize=8_192)(kind.coerce_output_value)

    def read(value: Any) -> Any:
        if value is None:
            raise Unplanned
        try:
            return text(value)
        except Exception as error:
            raise Unplanned from error

    return read
