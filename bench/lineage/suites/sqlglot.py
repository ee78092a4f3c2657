"""sqlglot's test_lineage: each recorded call asks for one column of one query."""

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
            columns=frozenset(Edge(*leaf, "", each["column"]) for leaf in each["leaves"]),
            outputs=(each["column"],),
        )
    return tuple(found.values())


def _script(sql: str, sources: Mapping[str, str]) -> str:
    views = (f"CREATE VIEW {name} AS {query};\n" for name, query in reversed(sources.items()))
    return "".join(views) + sql
