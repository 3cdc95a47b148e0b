"""Tables that operators write: comma-separated values under a header."""

import csv
from collections.abc import Iterator


def rows_under(header: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows under that header, each with its line; lines that start with ``#`` are comments.

    Raises:
        ValueError: Not such a table. The message names the line.
    """
    rows = csv.reader(text.splitlines(), strict=True)
    told = ((rows.line_num, row) for row in rows if row and not row[0].startswith("#"))
    try:
        if next(told, (0, []))[1] != header.split(","):
            raise ValueError(f"the table begins with {header}")
        yield from told
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num} is not comma-separated values: {error}") from error
