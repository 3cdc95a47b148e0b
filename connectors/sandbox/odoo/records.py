"""Tables of records, and as much of Odoo's domain language as a client of the external API needs."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Record = dict[str, Any]


class OdooError(Exception):
    """An exception that reaches the client: ``name`` is its Python class there, ``status`` what JSON-2 answers."""

    def __init__(self, name: str, message: str, *, status: int = 500) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status


def user_error(message: str) -> OdooError:
    """What a person there would read in a pop-up."""
    return OdooError("odoo.exceptions.UserError", message, status=422)


def mistake(message: str) -> OdooError:
    """A wrong field, a wrong operator, a wrong value: our own fault."""
    return OdooError("builtins.ValueError", message)


@dataclass(slots=True)
class Table:
    """One model. ``links`` name the models that many-to-one fields point to; ``indexed`` fields never change."""

    fields: tuple[str, ...]
    links: Mapping[str, str] = field(default_factory=dict)
    indexed: tuple[str, ...] = ()
    rows: dict[int, Record] = field(default_factory=dict)
    _index: dict[tuple[str, Any], list[Record]] = field(default_factory=dict)

    def add(self, **values: Any) -> Record:
        """A new record; fields that are not given are ``False``, as Odoo writes nothing."""
        row: Record = {"id": len(self.rows) + 1, **dict.fromkeys(self.fields, False), **values}
        self.rows[row["id"]] = row
        for name in self.indexed:
            self._index.setdefault((name, row[name]), []).append(row)
        return row

    def among(self, domain: Sequence[Sequence[Any]]) -> Iterable[Record]:
        """Records that can match: all, or fewer where an index helps."""
        for name, comparison, value in domain:
            wanted = {"=": [value], "in": value}.get(comparison)
            if wanted is not None and name == "id":
                return [self.rows[each] for each in wanted if each in self.rows]
            if wanted is not None and name in self.indexed:
                return [row for each in wanted for row in self._index.get((name, each), ())]
        return self.rows.values()


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, wanted: value in wanted,
}


class Records:
    """All tables, searched and read as the external API does."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.tables = tables

    def table(self, model: str) -> Table:
        """The table of a model."""
        if model not in self.tables:
            raise OdooError("werkzeug.exceptions.NotFound", f"the model {model!r} does not exist", status=404)
        return self.tables[model]

    def search(self, model: str, domain: Sequence[Sequence[Any]]) -> list[Record]:
        """Records that match every condition; archived ones only when the domain speaks of ``active``."""
        table = self.table(model)
        tests = [self._test(model, *condition) for condition in domain]
        if "active" in table.fields and not any(name == "active" for name, *_ in domain):
            tests.append(self._test(model, "active", "=", True))
        return [row for row in table.among(domain) if all(test(row) for test in tests)]

    def read(self, model: str, rows: Iterable[Record], fields: Sequence[str]) -> list[Record]:
        """These fields of the records, and always the id; links as ``[id, name]``."""
        table = self.table(model)
        for name in fields:
            self._check(model, name)
        return [{"id": row["id"], **{name: self._shown(table, row, name) for name in fields}} for row in rows]

    def _shown(self, table: Table, row: Record, name: str) -> Any:
        if name in table.links and row[name]:
            linked = self.tables[table.links[name]].rows[row[name]]
            return [linked["id"], str(linked.get("name") or linked["id"])]
        return row[name]

    def _test(self, model: str, path: str, comparison: str, value: Any) -> Callable[[Record], bool]:
        if comparison not in _COMPARISONS:
            raise mistake(f"Invalid operator {comparison!r} in domain term {(path, comparison, value)!r}")
        compare, wanted = _COMPARISONS[comparison], frozenset(value) if comparison == "in" else value
        value_of = self._path(model, path.split("."))
        return lambda row: compare(value_of(row), wanted)

    def _path(self, model: str, names: Sequence[str]) -> Callable[[Record], Any]:
        name, *rest = names
        self._check(model, name)
        if not rest:
            return operator.itemgetter(name)
        linked_model = self.table(model).links.get(name)
        if linked_model is None:
            raise mistake(f"Cannot follow field {model}.{name}")
        follow, rows = self._path(linked_model, rest), self.tables[linked_model].rows
        return lambda row: follow(rows[row[name]]) if row[name] else False

    def _check(self, model: str, name: str) -> None:
        if name != "id" and name not in self.table(model).fields:
            raise mistake(f"Invalid field {name!r} on model {model!r}")
