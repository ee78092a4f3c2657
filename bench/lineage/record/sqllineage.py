"""Tests of sqllineage and collate-sqllineage: their helpers are replaced before tests load."""

import json
import os
import sys
import types
from typing import Any, NamedTuple

import pytest


class TestColumnQualifierTuple(NamedTuple):
    """collate-sqllineage's name for (column, qualifier); its archive lacks tests/helpers.py."""

    column: str
    qualifier: str | None
    is_subquery: bool = False
    subquery: str | None = None


class _Provider:
    """What a metadata provider is to a test that only passes it on."""

    def __init__(self, metadata: dict[str, list[str]]) -> None:
        self.metadata = metadata


_test = ""


def _write(kind: str, sql: str, **more: Any) -> None:
    line = {"test": _test, "kind": kind, "sql": sql, "settings": _settings(), **more}
    with open(os.environ["BENCH_RECORD"], "a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


def _settings() -> dict[str, Any]:
    """The settings a test made for itself; collate-sqllineage has none."""
    try:
        from sqllineage.config import SQLLineageConfig
    except ImportError:
        return {}
    names = ("DEFAULT_SCHEMA", "LATERAL_COLUMN_ALIAS_REFERENCE")
    return {name: getattr(SQLLineageConfig, name) for name in names}


def _relation(value: Any) -> dict[str, str]:
    kind = "Table" if isinstance(value, str) else type(value).__name__
    return {"kind": kind, "name": str(value)}


def _column(value: Any) -> list[Any]:
    # a subquery of the text, under its alias, is marked: it is no relation of its own
    return [("(" if value[2:3] == (True,) else "") + str(value[1] or ""), value[0]]


def assert_table_lineage_equal(
    sql: str,
    source_tables: Any = None,
    target_tables: Any = None,
    dialect: str = "ansi",
    *_: Any,
    **__: Any,
) -> None:
    _write(
        "tables",
        sql,
        dialect=dialect,
        sources=[_relation(each) for each in source_tables or ()],
        targets=[_relation(each) for each in target_tables or ()],
    )


def assert_column_lineage_equal(
    sql: str,
    column_lineages: Any = None,
    dialect: str = "ansi",
    metadata_provider: Any = None,
    *_: Any,
    **__: Any,
) -> None:
    _write(
        "columns",
        sql,
        dialect=dialect,
        schema=getattr(metadata_provider, "metadata", None) or {},
        edges=[[*_column(source), *_column(target)] for source, target in column_lineages or ()],
    )


def assert_column_lineage(runner: Any, column_lineages: Any = None, *_: Any, **__: Any) -> None:
    assert_column_lineage_equal(runner._sql, column_lineages, runner._dialect)


def _helpers() -> types.ModuleType:
    module = types.ModuleType("tests.helpers")
    for each in (TestColumnQualifierTuple, assert_table_lineage_equal, assert_column_lineage_equal):
        setattr(module, each.__name__, each)
    vars(module)["assert_column_lineage"] = assert_column_lineage
    vars(module)["generate_metadata_providers"] = lambda schemas: [_Provider(schemas)] * 2
    return module


# Now, and not in a hook: the tests' own conftest imports the helpers before any hook runs.
sys.path.insert(0, os.getcwd())
sys.modules["tests.helpers"] = _helpers()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    global _test
    _test = item.nodeid
