"""Two small tables with rows that come twice, NULLs, and keys without a partner."""

from __future__ import annotations

from collections import Counter

import duckdb


def rows(sql: str) -> Counter[tuple[object, ...]]:
    """The rows of a query over them."""
    with duckdb.connect() as db:
        db.execute("CREATE TABLE pages (site INT, kind TEXT, bytes INT)")
        db.execute("CREATE TABLE sites (site INT, place TEXT)")
        db.execute(
            "INSERT INTO pages VALUES (1, 'a', 1), (1, 'a', 1), (1, 'b', NULL), (2, NULL, 3), "
            "(2, 'a', 0), (3, 'b', 2), (NULL, 'a', 9)"
        )
        db.execute("INSERT INTO sites VALUES (1, 'x'), (1, 'y'), (2, 'y'), (2, NULL), (4, 'z')")
        return Counter(db.execute(sql).fetchall())
