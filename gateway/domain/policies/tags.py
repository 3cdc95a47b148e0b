"""What the merchant calls goods by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connectors.contract import Sku
from gateway.domain.tables import rows_under


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """Words for goods, such as ``fragile``: any number of them, by SKU."""

    by_sku: Mapping[Sku, frozenset[str]] = field(default_factory=dict)

    def of(self, skus: Iterable[Sku]) -> tuple[str, ...]:
        """Those that any of these SKUs has, each once, sorted."""
        return tuple(sorted({tag for sku in skus for tag in self.by_sku.get(sku, ())}))


def parse_tags(text: str) -> Tags:
    """Read ``sku,tag`` rows of comma-separated values under a header, one for each tag of a SKU; ``#`` begins a comment.

    Raises:
        ValueError: Not such a table. The message names the line.
    """
    found: dict[Sku, frozenset[str]] = {}
    for line, row in rows_under("sku,tag", text):
        match [each.strip() for each in row]:
            case [sku, tag] if sku and tag:
                found[Sku(sku)] = found.get(Sku(sku), frozenset()) | {tag}
            case _:
                raise ValueError(f"line {line} is not a SKU and a tag: {','.join(row)[:80]!r}")
    return Tags(by_sku=MappingProxyType(found))
