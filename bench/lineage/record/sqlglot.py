"""sqlglot's test_lineage: each call of lineage() with the leaves of the tree it returned.

The tests go on to look at that tree; calls of a test that fails are left out by the reader.
"""

import json
import os
from typing import Any

import pytest
import sqlglot.lineage
from sqlglot import exp

_calls: list[dict[str, Any]] = []
_lineage = sqlglot.lineage.lineage


def leaves(node: Any) -> list[list[str]]:
    """[relation, column] of the base columns below a node of sqlglot's lineage tree."""
    found: dict[tuple[str, str], None] = {}
    for each in node.walk():
        if each.downstream:
            continue
        if isinstance(each.expression, exp.Table):
            found[_name(each.expression), _last(each.name)] = None
        elif isinstance(each.expression, exp.Placeholder):
            found["?", _last(each.name)] = None
    return [list(each) for each in found]


def _name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def _last(column: str) -> str:
    return column.rpartition(".")[2].strip('"`[]')


def _flat(schema: Any) -> dict[str, list[str]]:
    mapping = getattr(schema, "mapping", schema)
    if not isinstance(mapping, dict):
        return {}
    found: dict[str, list[str]] = {}
    for name, inner in mapping.items():
        if isinstance(inner, dict) and any(isinstance(each, dict) for each in inner.values()):
            found.update((f"{name}.{below}", columns) for below, columns in _flat(inner).items())
        elif isinstance(inner, dict):
            found[name] = list(inner)
    return found


def _text(sql: Any, dialect: Any) -> str:
    return sql if isinstance(sql, str) else sql.sql(dialect=dialect)


def recording(
    column: Any, sql: Any, schema: Any = None, sources: Any = None, dialect: Any = None, **more: Any
) -> Any:
    # a schema that stars must not use is as good as none
    known = _flat(schema) if more.get("expand_stars", True) else {}
    # schema is given explicitly: the compiled sqlglot insists on it
    node = _lineage(column, sql, schema, sources=sources, dialect=dialect, **more)
    if isinstance(node, sqlglot.lineage.Node):
        _calls.append(
            {
                "column": column if isinstance(column, str) else column.name,
                "sql": _text(sql, dialect),
                "dialect": str(dialect or ""),
                "schema": known,
                "sources": {k: _text(v, dialect) for k, v in (sources or {}).items()},
                "leaves": leaves(node),
            }
        )
    return node


def pytest_configure(config: pytest.Config) -> None:
    sqlglot.lineage.lineage = recording


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    outcome = yield
    report = outcome.get_result()
    if report.when != "call":
        return
    with open(os.environ["BENCH_RECORD"], "a", encoding="utf-8") as out:
        for each in _calls:
            out.write(json.dumps({"test": item.name, "passed": report.passed, **each}) + "\n")
    _calls.clear()
