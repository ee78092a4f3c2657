"""Data tests as dbt knows them: generic tests, and one of our own for keys of several columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, assert_never

from sqlglot import exp

from unwet.rewrite.data_tests.values import Accepted, DataTest, NotNull, Related, Unique
from unwet.rewrite.naming import RESERVED

UNIQUE_TOGETHER: Final = "tests/generic/unique_together.sql"
UNIQUE_TOGETHER_SQL: Final = """\
{% test unique_together(model, columns) %}
-- rows that have the same values in all of these columns; NULLs count as equal
SELECT
  {{ columns | join(', ') }},
  COUNT(*) AS n
FROM {{ model }}
GROUP BY
  {{ columns | join(', ') }}
HAVING
  COUNT(*) > 1
{% endtest %}
"""
# Where a name without quotes is found in any case; elsewhere it is folded, and a name that was
# written in mixed case may be one or the other.
_ANY_CASE: Final = frozenset({"", "duckdb", "bigquery", "tsql", "fabric", "mysql", "sqlite",
                              "spark", "databricks", "hive", "doris", "starrocks"})  # fmt: skip
_UPPER: Final = frozenset({"snowflake", "oracle"})  # fold names to a case that no author wrote
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
JINJA: Final = re.compile(r"\{[{%#]")  # dbt renders what a properties file says
_UNSAFE: Final = re.compile(r"['\\{}]")  # dbt puts values between quotes as they are

Entry = dict[str, object]
Source = Callable[[str], str]  # of a relation: the expression that stands for it


def with_tests(
    columns: Iterable[Entry], tests: Iterable[DataTest], dialect: str, source: Source
) -> Entry:
    """`columns` and `data_tests` of a model or source table; columns that are only tested are
    added to those that are described."""
    described = {str(each["name"]): dict(each) for each in columns}
    whole: list[Entry | str] = []
    for test in tests:
        match test.check:
            case Unique(columns=(column,)) | NotNull(column=column) | Accepted(column=column):
                name: tuple[str, ...] = (column,)
            case Related(column=column):
                name = (column,)
            case Unique(columns=names):
                name = names
            case _:
                assert_never(test.check)
        written = [_written(each, dialect) for each in name]
        made = _made(test, [each for each in written if each], source)
        if made is None or not all(written):
            continue
        if len(name) > 1:
            whole.append(made)
        else:
            entry = described.setdefault(_key(name[0], described), {"name": name[0]})
            if written[0] != name[0]:
                entry["quote"] = True
            entry.setdefault("data_tests", [])
            tested = entry["data_tests"]
            assert isinstance(tested, list)
            tested.append(made)
    found: Entry = {"columns": list(described.values())} if described else {}
    return found | ({"data_tests": whole} if whole else {})


def needs_unique_together(tests: Iterable[Iterable[DataTest]]) -> bool:
    """Whether a key of several columns is tested."""
    checks = (test.check for some in tests for test in some)
    return any(isinstance(each, Unique) and len(each.columns) > 1 for each in checks)


def _key(name: str, described: Mapping[str, Entry]) -> str:
    """The column as it is described already, maybe in another case."""
    return next((each for each in described if each.lower() == name.lower()), name)


def _written(name: str, dialect: str) -> str:
    """A column's name as SQL; "" where nobody knows whether it has to be quoted, or no file can
    say it."""
    if JINJA.search(name):
        return ""
    if _PLAIN.fullmatch(name):
        if dialect not in _ANY_CASE and name != name.lower():
            return ""
        if name.lower() not in RESERVED or dialect in _UPPER:
            return name
    return exp.to_identifier(name, quoted=True).sql(dialect=dialect or None)


def _made(test: DataTest, columns: list[str], source: Source) -> Entry | str | None:
    """The test as an entry of `data_tests`; None for values that dbt cannot be given."""
    arguments: Entry = {}
    match test.check:
        case Unique(columns=(_,)):
            kind = "unique"
        case Unique():
            kind, arguments = "unique_together", {"columns": columns}
        case NotNull():
            kind = "not_null"
        case Accepted(values=values):
            if any(map(_UNSAFE.search, values)):
                return None
            kind, arguments = "accepted_values", {"values": list(values)}
        case Related(relation=relation, field=field):
            kind, arguments = "relationships", {"to": source(relation), "field": field}
        case _:
            assert_never(test.check)
    entry: Entry = {"arguments": arguments} if arguments else {}
    if not test.certain:
        entry["description"] = f"Assumed: {test.evidence}"
        entry["config"] = {"severity": "warn"}
    return {kind: entry} if entry else kind
