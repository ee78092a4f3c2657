"""sqlglot's test_lineage: each recorded call asks for one column of one query."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bench.lineage.case import Case, Edge, columns_of


def cases(recorded: Iterable[Mapping[str, Any]]) -> tuple[Case, ...]:
    """Calls of passing tests; `sources` (queries by name) become views before the query."""
    found: dict[tuple[str, ...], Case] = {}
    numbers: dict[str, int] = {}
    for each in recorded:
        sql = _script(each["sql"], each["sources"])
        key = (sql, each["dialect"], each["column"], str(each["schema"]))
        if not each["passed"] or key in found:
            continue
        numbers[each["test"]] = numbers.get(each["test"], 0) + 1
        found[key] = Case(
            id=f"sqlglot:{each['test']}#{numbers[each['test']]}",
            origin="sqlglot",
            sql=sql,
            dialect=each["dialect"],
            schema=columns_of(each["schema"]),
            columns=frozenset(Edge(a, b, "", each["column"]) for a, b in each["leaves"]),
            outputs=(each["column"],),
        )
    return tuple(found.values())


def _script(sql: str, sources: Mapping[str, str]) -> str:
    """Views before what reads them, then the query."""
    left = dict(sources)
    views: list[str] = []
    while left:
        ready = [name for name in left if not _mentions(left[name], set(left) - {name})]
        for name in ready or list(left):
            views.append(f"CREATE VIEW {name} AS {left.pop(name)};\n")
    return "".join(views) + sql


def _mentions(query: str, names: set[str]) -> bool:
    return any(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", query) for name in names)
