"""DataHub's test_sqlglot_lineage: its assertion helpers are replaced before the tests load."""

import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

_test = ""


def assert_sql_result_with_resolver(
    sql: str, *, expected_file: Path, schema_resolver: Any, **options: Any
) -> None:
    schemas = {urn: dict(info or {}) for urn, info in schema_resolver._schema_cache.items()}
    options["platform_instance"] = schema_resolver.platform_instance
    _write(sql, expected_file, schema_resolver.platform, schemas, options)


def assert_sql_result(
    sql: str, *, dialect: str, expected_file: Path, schemas: Any = None, **options: Any
) -> None:
    _write(sql, expected_file, dialect, schemas or {}, options)


def _write(
    sql: str, expected_file: Path, dialect: str, schemas: dict[str, Any], options: dict[str, Any]
) -> None:
    line = {
        "test": _test,
        "sql": sql,
        "dialect": options.get("override_dialect") or dialect,
        "schemas": {urn: list(columns) for urn, columns in schemas.items()},
        "platform_instance": options.get("platform_instance"),
        "default_db": options.get("default_db"),
        "default_schema": options.get("default_schema"),
        "golden": json.loads(Path(expected_file).read_text("utf-8")),
    }
    with open(os.environ["BENCH_RECORD"], "a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


def _helpers() -> types.ModuleType:
    module = types.ModuleType("datahub.testing.check_sql_parser_result")
    for each in (assert_sql_result, assert_sql_result_with_resolver):
        setattr(module, each.__name__, each)
    return module


sys.modules["datahub.testing.check_sql_parser_result"] = _helpers()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    global _test
    _test = item.name
