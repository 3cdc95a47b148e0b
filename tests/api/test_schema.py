"""What the graph says of itself."""

from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLNamedType, GraphQLObjectType

from gateway.api.schema import schema_of
from gateway.settings import Queries

SCHEMA = schema_of(Queries())._schema
OURS = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}
STANDARD = {"String", "Int", "Float", "Boolean", "ID"}


def test_everything_that_a_client_sees_is_described() -> None:
    told = {name: text for kind in OURS.values() for name, text in described(kind).items() if kind.name not in STANDARD}
    assert len(told) > 200
    assert [name for name, text in told.items() if not (text or "").strip()] == []


def test_a_description_is_a_sentence_for_clients_and_not_a_docstring_with_sections() -> None:
    told = {name: text for kind in OURS.values() for name, text in described(kind).items() if kind.name not in STANDARD}
    leaked = ("Attributes:", "Args:", "Raises:", "``", "Loader", "strawberry")
    assert [name for name, text in told.items() if any(word in str(text) for word in leaked)] == []


def test_every_mutation_has_one_input_with_a_key_and_answers_with_user_errors() -> None:
    assert SCHEMA.mutation_type is not None
    for name, field in SCHEMA.mutation_type.fields.items():
        assert list(field.args) == ["input"], name
        given: Any = field.args["input"].type
        assert str(given.of_type.fields["idempotencyKey"].type) == "String!", name
        assert isinstance(field.type, GraphQLObjectType), f"{name}: a payload is nullable, so that a crash spares its siblings"
        assert str(field.type.fields["userErrors"].type) == "[UserError!]!", name


def test_scalars_of_ours_say_where_they_are_specified() -> None:
    for name in ("DateTime", "Decimal"):
        scalar: Any = OURS[name]
        assert scalar.specified_by_url.startswith("https://")


def described(kind: GraphQLNamedType) -> dict[str, str | None]:
    """The descriptions of a type and all that is in it."""
    found = {kind.name: kind.description}
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in kind.fields.items():
            found[f"{kind.name}.{name}"] = field.description
            found |= {f"{kind.name}.{name}({argument}:)": each.description for argument, each in field.args.items()}
    elif isinstance(kind, GraphQLInputObjectType):
        found |= {f"{kind.name}.{name}": each.description for name, each in kind.fields.items()}
    elif isinstance(kind, GraphQLEnumType):
        found |= {f"{kind.name}.{name}": each.description for name, each in kind.values.items()}
    return found
