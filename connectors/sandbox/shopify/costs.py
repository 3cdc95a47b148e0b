"""What a query costs, and the bucket that it is paid from.

Shopify publishes the rules, but not how lists get cheaper by size; that is fitted here to one figure from its developers' forum:
250 variants with their inventory items cost 24 points.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, log2
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
    type_from_ast,
    value_from_ast_untyped,
)
from graphql.type import get_nullable_type

COST_MAX: Final = 1_000
MUTATION_COST: Final = 10
_PER_DOUBLING: Final = 1.4

_Composite = GraphQLObjectType | GraphQLInterfaceType


class Bucket:
    """Points, which come back with time."""

    def __init__(self, *, most: float, restore_per_s: float, monotonic: Callable[[], float]) -> None:
        self.most = most
        self.restore_per_s = restore_per_s
        self._monotonic = monotonic
        self._left = most
        self._at = monotonic()

    @property
    def left(self) -> int:
        """What may be spent now."""
        now = self._monotonic()
        self._left = min(self.most, self._left + (now - self._at) * self.restore_per_s)
        self._at = now
        return int(self._left)

    def spend(self, points: float) -> bool:
        """Take so many, if they are there."""
        if self.left < points:
            return False
        self._left -= points
        return True

    def empty(self) -> None:
        """Somebody else has spent everything."""
        self._left = 0.0 * self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """What one operation costs with these variables."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def of(self, selections: SelectionSetNode | None, parent: _Composite, *, many: int = 1) -> int:
        """The points of what is selected; ``many`` is how many a list within it may hold."""
        total = 0
        for each in selections.selections if selections else ():
            match each:
                case FieldNode():
                    total += self._field(each, parent, many)
                case FragmentSpreadNode():
                    fragment = self.fragments[each.name.value]
                    total += self.of(fragment.selection_set, self._type(fragment, parent), many=many)
                case InlineFragmentNode():
                    total += self.of(each.selection_set, self._type(each, parent), many=many)
                case _:
                    pass
        return total

    def _type(self, fragment: FragmentDefinitionNode | InlineFragmentNode, parent: _Composite) -> _Composite:
        condition = fragment.type_condition
        found = type_from_ast(self.schema, condition) if condition else parent
        return found if isinstance(found, GraphQLObjectType | GraphQLInterfaceType) else parent

    def _field(self, node: FieldNode, parent: _Composite, many: int) -> int:
        field = parent.fields.get(node.name.value)
        if field is None or is_leaf_type(get_named_type(field.type)):
            return 0
        kind = get_named_type(field.type)
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) or kind.name == "PageInfo":
            return 0
        arguments = {each.name.value: value_from_ast_untyped(each.value, dict(self.variables)) for each in node.arguments or ()}
        if kind.name.endswith("Connection"):
            return self.of(node.selection_set, kind, many=_scaled(arguments.get("first") or 0))
        size = many if parent.name.endswith("Connection") else 1
        if is_list_type(get_nullable_type(field.type)) and size == 1:
            size = _scaled(len(arguments.get("ids") or ()) or arguments.get("first") or 1)
        return size * (1 + self.of(node.selection_set, kind))


def _scaled(size: int) -> int:
    return min(size, ceil(_PER_DOUBLING * log2(1 + max(size, 0))))


def cost_of(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """What is asked before it runs."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    pricing = Pricing(schema=schema, fragments=fragments, variables=variables)
    total = 0
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode):
            root = schema.get_root_type(each.operation)
            basis = MUTATION_COST * len(each.selection_set.selections) if root is schema.mutation_type else 0
            total += basis + (pricing.of(each.selection_set, root) if root else 0)
    return total
