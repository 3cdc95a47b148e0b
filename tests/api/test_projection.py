"""Reading plain values off in one go gives what graphql-core gives, for whatever a document asks and whatever the values are."""

import asyncio
from typing import Any

import pytest
import strawberry
from hypothesis import given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.api.enums import Freshness
from gateway.api.projection import ProjectingExecutor


@strawberry.type
class Location:
    code: str
    position: float | None


@strawberry.type
class Level:
    sku: str
    location: Location
    units: int
    known: int | None
    freshness: Freshness
    active: bool

    @strawberry.field
    def twice(self) -> int:
        return self.units * 2


@strawberry.type
class Item:
    id: strawberry.ID
    levels: list[Level]
    spare: list[Level | None]
    best: Level | None


Values = list[Item]


@strawberry.type
class Query:
    @strawberry.field
    def items(self, info: strawberry.Info[Values, None]) -> list[Item]:
        return info.context

    @strawberry.field
    def maybe(self, info: strawberry.Info[Values, None]) -> list[Item | None] | None:
        return list(info.context)


projecting = strawberry.Schema(Query, execution_context_class=ProjectingExecutor)
walking = strawberry.Schema(Query, execution_context_class=StrawberryGraphQLCoreExecutionContext)

SHOP = Location(code="store", position=1.5)
FAR = Location(code="far", position=None)


def level(**changed: Any) -> Level:
    values: dict[str, Any] = {"sku": "A", "location": SHOP, "units": 3, "known": None, "freshness": Freshness.LIVE, "active": True}
    return Level(**values | changed)


def item(*levels: Any, best: Any = None, spare: Any = ()) -> Item:
    return Item(id=strawberry.ID("1"), levels=list(levels), spare=list(spare), best=best)


def answer(schema: strawberry.Schema, query: str, values: Values, variables: dict[str, Any] | None = None) -> Any:
    result = asyncio.run(schema.execute(query, context_value=values, variable_values=variables))
    return result.data, sorted((error.message, tuple(error.path or ())) for error in result.errors or [])


def the_same(query: str, values: Values, variables: dict[str, Any] | None = None) -> Any:
    data, errors = answer(projecting, query, values, variables)
    walked, told = answer(walking, query, values, variables)
    assert data == walked
    assert errors == told
    assert repr(data) == repr(walked), "the fields come in another order, or as another type"
    return data, errors


FIELDS = ("sku", "units", "known", "freshness", "active", "twice", "__typename", "location { code position __typename }")
selections = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=6)
aliased = selections.map(lambda chosen: " ".join(f"f{place}: {field}" for place, field in enumerate(chosen)))
OFF = (1.5, None, "x", True, 2**40, float("nan"), float("inf"), Location(code="not a level", position=0.0))
odd = st.builds(
    lambda field, value: level(**{field: value}),
    st.sampled_from(["sku", "units", "known", "freshness", "active", "location"]),
    st.sampled_from(OFF),
)
levels = st.one_of(st.builds(level), st.builds(level, location=st.just(FAR), units=st.integers(-5, 5)), odd, st.none())


@settings(max_examples=120, deadline=None)
@given(
    chosen=aliased,
    values=st.lists(levels, max_size=3),
    spare=st.lists(levels, max_size=2),
    best=levels,
    root=st.sampled_from(["items", "maybe"]),
)
def test_any_selection_of_any_values_gives_what_walking_gives(
    chosen: str, values: list[Any], spare: list[Any], best: Any, root: str
) -> None:
    query = f"{{ {root} {{ id levels {{ {chosen} }} spare {{ {chosen} }} best {{ {chosen} }} }} }}"
    the_same(query, [item(*values, spare=spare, best=best)])


@pytest.mark.parametrize("shown", [True, False])
def test_one_document_serves_both_values_of_a_deciding_variable(shown: bool) -> None:  # a parameter
    query = """query ($shown: Boolean!) { items { levels { sku units @include(if: $shown) ...More @skip(if: $shown) } } }
               fragment More on Level { known location { code } }"""
    for _ in range(2):
        data, _errors = the_same(query, [item(level())], {"shown": shown})
        assert ("units" in data["items"][0]["levels"][0]) is shown


def test_a_null_where_none_may_be_is_graphql_cores_error_with_its_path() -> None:
    data, errors = the_same("{ maybe { id levels { sku units } } }", [item(level(), level(units=None)), item(level())])
    assert data["maybe"][0] is None
    assert errors[0][1] == ("maybe", 0, "levels", 1, "units")


def test_merged_fields_and_fragments_are_one_selection() -> None:
    query = "{ items { levels { location { code } } ... on Item { levels { location { position } sku } } } }"
    data, _ = the_same(query, [item(level())])
    assert data == {"items": [{"levels": [{"location": {"code": "store", "position": 1.5}, "sku": "A"}]}]}


def test_a_shared_location_is_read_once_for_each_way_of_asking() -> None:
    data, _ = the_same(
        "{ items { levels { location { code } } best { location { position } } } }", [item(level(), level(), best=level())]
    )
    first, second = data["items"][0]["levels"]
    assert first["location"] == second["location"] == {"code": "store"}
    assert data["items"][0]["best"]["location"] == {"position": 1.5}


def test_plain_subtrees_are_indeed_read_off(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[str] = []
    walk = StrawberryGraphQLCoreExecutionContext.execute_field

    def counting(self: Any, parent: Any, *rest: Any) -> Any:
        walked.append(parent.name)
        return walk(self, parent, *rest)

    monkeypatch.setattr(StrawberryGraphQLCoreExecutionContext, "execute_field", counting)
    answer(projecting, "{ items { levels { sku units location { code } } } }", [item(level(), level())])
    assert set(walked) == {"Query"}
