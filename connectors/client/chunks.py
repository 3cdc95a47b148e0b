"""A long request in pieces that the source takes."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunked(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive slices of at most ``size`` items; none for no items."""
    if size < 1:
        raise ValueError(f"a chunk holds at least one item, not {size}")
    return (items[start : start + size] for start in range(0, len(items), size))
