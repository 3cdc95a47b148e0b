"""Hostile documents are refused in time linear in their size, before they are validated.

Fragments are measured once and sums saturate, so that fragments that double on every level (k levels, 2^k fields) cost k steps.
The price of an operation counts every field as often as the lists around it may repeat it, the sizes read from its arguments.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from gateway.settings import Queries

SATURATED: Final = 10**9
SAME_KEY_MAX: Final = 20

# How often a list repeats what is in it: by an argument that says so, or as many as there usually are.
SIZED_BY: Final[Mapping[str, str]] = {
    "inventory": "skus",
    "nodes": "ids",
    "orders": "first",
    "jobs": "first",
    "timeline": "first",
    "promise": "skus",
    "routingPolicies": "first",
}
SIZED_FROM_THE_END: Final[Mapping[str, str]] = {"orders": "last"}
USUAL_SIZE: Final[Mapping[str, int]] = {
    "scores": 4,
    "moves": 100,
    "orders": 20,
    "jobs": 20,
    "routingPolicies": 20,
    "rules": 10,
    "timeline": 20,
    "locations": 20,
    "pickupSlots": 20,
    "sources": 5,
    "levels": 10,
    "lines": 5,
    "fulfillmentOrders": 2,
    "routingDecisions": 2,
    "candidates": 20,
    "plan": 2,
    "packages": 2,
    "parts": 6,
    "shippingQuotes": 10,  # each asks systems outside
}
WITHOUT_REPEAT: Final = frozenset({"edges", "nodes"})  # of a connection: its field has said how many


@dataclass(frozen=True, slots=True)
class Size:
    """How large a selection is, everything in it included."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    directives: int = 0
    cost: int = 0

    def beside(self, other: "Size") -> "Size":
        """Both selections, one beside the other."""
        return Size(
            max(self.depth, other.depth),
            min(SATURATED, self.aliases + other.aliases),
            min(SATURATED, self.fields + other.fields),
            min(SATURATED, self.directives + other.directives),
            min(SATURATED, self.cost + other.cost),
        )


def too_large(document: DocumentNode, variables: Mapping[str, Any], limits: Queries) -> GraphQLError | None:
    """Why the document is larger, deeper or more repetitive than anyone needs; None, if it is not."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    bounds = {
        "depth": limits.depth_max,
        "aliases": limits.aliases_max,
        "fields": limits.fields_max,
        "directives": limits.directives_max,
        "cost": limits.cost_max,
    }
    try:
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                given = {**_defaults(definition), **variables}
                size = _Measure(fragments=fragments, variables=given).size(definition.selection_set)
                for what, bound in bounds.items():
                    if getattr(size, what) > bound:
                        return _refusal(f"The {what} of this operation is {getattr(size, what)}; {bound} is the limit.")
    except GraphQLError as refusal:
        return refusal
    except RecursionError:
        return _refusal("This operation is nested too deeply.")
    return None


def _defaults(operation: OperationDefinitionNode) -> dict[str, ValueNode | None]:
    return {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}


@dataclass(slots=True, kw_only=True)
class _Measure:
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    known: dict[str, Size | None] = field(default_factory=dict)

    def size(self, selection_set: SelectionSetNode, *, repeat: bool = True) -> Size:
        total = Size()
        keys: Counter[str] = Counter()
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                key = (node.alias or node.name).value
                keys[key] += 1
                if keys[key] > SAME_KEY_MAX:
                    raise _refusal(f"The field {key!r} is repeated more than {SAME_KEY_MAX} times.")
                found = self._field(node, repeat=repeat)
            elif isinstance(node, InlineFragmentNode):
                found = self.size(node.selection_set, repeat=repeat)
            elif isinstance(node, FragmentSpreadNode):
                found = self._fragment(node.name.value)
            else:
                continue
            total = total.beside(found).beside(Size(directives=len(node.directives or ())))
        return total

    def _field(self, node: FieldNode, *, repeat: bool) -> Size:
        name = node.name.value
        is_page = name in {"orders", "jobs", "routingPolicies"}
        inside = self.size(node.selection_set, repeat=not is_page) if node.selection_set else Size()
        times = 1 if name in WITHOUT_REPEAT and not repeat else self._times(node)
        return Size(
            inside.depth + 1,
            min(SATURATED, inside.aliases + (node.alias is not None)),
            min(SATURATED, inside.fields + 1),
            inside.directives,
            min(SATURATED, 1 + inside.cost * times),
        )

    def _fragment(self, name: str) -> Size:
        if name not in self.known:
            if name not in self.fragments:
                return Size()  # validation will say so
            self.known[name] = None
            self.known[name] = self.size(self.fragments[name].selection_set)
        found = self.known[name]
        if found is None:
            raise _refusal(f"The fragment {name!r} contains itself.")
        return found

    def _times(self, node: FieldNode) -> int:
        name = node.name.value
        argument = SIZED_BY.get(name)
        sizes = [
            self._length(given.value)
            for given in node.arguments or ()
            if given.name.value in {argument, SIZED_FROM_THE_END.get(name)}
        ]
        return max((size for size in sizes if size is not None), default=USUAL_SIZE.get(name, 1))

    def _length(self, value: ValueNode) -> int | None:
        """What an argument says of a size: a number or a list, written out or in a variable. None: nothing."""
        found: Any = self.variables.get(value.name.value) if isinstance(value, VariableNode) else value
        match found:
            case IntValueNode(value=digits):
                found = int(digits) if len(digits) < 10 else SATURATED
            case ListValueNode(values=each):
                found = len(each)
            case list() | tuple():
                found = len(found)
            case _:
                pass
        return min(SATURATED, max(1, found)) if isinstance(found, int) else None


def _refusal(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "QUERY_TOO_LARGE"})
