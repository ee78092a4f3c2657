"""Values that are all different, for columns of which nothing is asked but to be different."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from unwet.rewrite.prove.synthetic.types import SqlType

DAY: Final = date(2024, 1, 15)


def fresh_values(kind: SqlType, start: int, many: int, salt: int = 0) -> Iterator[str]:
    """Values that are all different; other ones from another `start` or `salt`."""
    for n in range(start, start + many):
        yield fresh(kind, n, salt)


def fresh(kind: SqlType, n: int, salt: int = 0) -> str:
    """The `n`-th value of a type; `salt` tells columns apart."""
    match kind.kind:
        case "integer":
            return str(1 + n + 1000 * salt)
        case "decimal" | "double":
            return f"{1 + n + 1000 * salt}.{25 * (n % 4):02}"
        case "date":
            return (DAY - timedelta(days=n + 7 * salt)).strftime("%Y-%m-%d")
        case "timestamp":
            moment = datetime(DAY.year, DAY.month, DAY.day, 8) - timedelta(
                days=n, minutes=97 * salt
            )
            return moment.strftime("%Y-%m-%d %H:%M:%S")
        case "boolean":
            return "true" if (n + salt) % 2 == 0 else "false"
        case "time":
            return f"{(n + salt) % 24:02}:{n % 60:02}:00"
        case "interval":
            return f"{1 + n} days"
        case "json":
            return f'{{"a": {n}}}'
        case _:
            return f"k{n}" if salt == 0 else f"k{n}s{salt}"
