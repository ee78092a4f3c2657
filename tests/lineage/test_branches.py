"""Branches of a template that are all read: what stands for them means the same for each value."""

import re
from collections.abc import Mapping

import duckdb
import jinja2
import pytest
from sqlglot import exp

from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask

# conditions of which both branches are read at once; `c` and `late` are True or False
WITHIN = (
    "SELECT a, b FROM t WHERE {% if c() %} a = 1 {% else %} a = 2 {% endif %}",
    "SELECT a FROM t WHERE b > 0 AND {% if not c() %} a > 1 AND b IS NULL {% else %} a IS NULL"
    " -- nothing else\n{% endif %} ORDER BY a",
    "SELECT a FROM t WHERE b = 2 OR {% if c -%} a = 1 AND b > 0 {%- else -%} FALSE {%- endif %};",
    "SELECT t.a FROM t LEFT JOIN u ON t.a = u.a AND {% if c() %} u.b = 1 {% else %} u.b IN (2, 3)"
    " {% endif %} WHERE t.b > 0",
    "SELECT b, COUNT(*) FROM t GROUP BY b HAVING {% if c() %} COUNT(*) > 1 {% else %} MIN(a) < 2"
    " {% endif %}",
    "SELECT a FROM (SELECT a, b FROM t WHERE {% if c() %} a <> b {% else %} TRUE {% endif %}) AS s"
    " WHERE b >= 1 AND {% if late() %} a BETWEEN 1 AND 2 {% else %} NOT a = 1 {% endif %}",
)
# what is read twice, once as if `c` held and once as if not
TWICE = {
    "an OR would belong to what stands beside it": (
        "SELECT a FROM t WHERE b = 1 AND {% if c() %} a = 1 OR a = 2 {% else %} a = 3 {% endif %}"
    ),
    "the end of a range": (
        "SELECT a FROM t WHERE a BETWEEN 1 AND {% if c() %} b = 2 {% else %} b = 3 {% endif %}"
    ),
    "a column": "SELECT {% if c() %} a = 1 {% else %} a = 2 {% endif %} FROM t",
    "more than a condition": (
        "SELECT {% if c() %} a {% else %} b {% endif %} FROM t WHERE b > 0"
        " {% if not c() %} AND a = 2 GROUP BY b {% endif %}"
    ),
    "a part of one": ("SELECT a FROM t WHERE NOT {% if c() %} a = 1 {% else %} a = 2 {% endif %}"),
    "a value": "SELECT a FROM t WHERE b = 1 AND {% if c() %} b {% else %} a {% endif %} > 1;",
    "parentheses that are closed outside": (
        "-- both\nSELECT a FROM t WHERE {% if c() %} (a = 1 {% else %} (a = 2 {% endif %})"
    ),
    "no else": "SELECT a FROM t {# all #} WHERE b > 0 {% if not c() %} AND a = 1 {% endif %}",
    "a table": "WITH x AS (SELECT a FROM {% if c() %} t {% else %} u {% endif %}) SELECT a FROM x",
    "one in the other": (
        "SELECT a, {% if c() %} 1 {% if not c() %} + 1 {% endif %} {% else %} 2 {% endif %} FROM t"
    ),
}
ONE_BRANCH = {
    "three branches": (
        "SELECT a FROM t WHERE {% if c() %} a = 1 {% elif d() %} a = 2 {% else %} a = 3 {% endif %}"
    ),
    "two conditions": (
        "SELECT {% if c() %} a {% else %} b {% endif %} FROM t {% if d() %} WHERE a = 1 {% endif %}"
    ),
    "two queries": "SELECT 1; SELECT {% if c() %} a {% else %} b {% endif %} FROM t",
    "no query": "CREATE VIEW v AS SELECT {% if c() %} a {% else %} b {% endif %} FROM t",
    "a loop beside it": (
        "SELECT {% for x in y %} 1 {% endfor %}, {% if c() %} a {% else %} b {% endif %} FROM t"
    ),
    "in a string": "SELECT 'x WHERE {% if c() %} a = 1 {% else %} a = 2 {% endif %}' AS a FROM t",
    "what dbt knows": (
        "SELECT a FROM t WHERE {% if is_incremental() %} a = 1 {% else %} a = 2 {% endif %}"
    ),
    "what Jinja knows": "SELECT a FROM t WHERE {% if true %} a = 1 {% else %} a = 2 {% endif %}",
}


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    """Tables t and u, full of NULLs and of equal rows."""
    made = duckdb.connect()
    for table in ("t", "u"):
        made.execute(f"CREATE TABLE {table} (a INTEGER, b INTEGER)")
        values = ("NULL", "1", "2", "3")
        rows = [f"({a}, {b})" for a in values for b in values] * 2
        made.execute(f"INSERT INTO {table} VALUES {', '.join(rows)}")
    return made


@pytest.mark.parametrize("text", WITHIN)
def test_the_law_of_two_conditions(text: str, engine: duckdb.DuckDBPyConnection) -> None:
    masked = mask(Source("a.sql", text, "duckdb"))
    assert {f.message.partition(": ")[2] for f in masked.findings} == {"both branches are read"}
    assert not parse(masked).findings[len(masked.findings) :]
    for c in (True, False):
        for late in (True, False):
            known = {"c": _Flag(c), "late": _Flag(late)}
            rendered = jinja2.Template(text).render(known)
            plain = _filled(masked.text, {name: bool(flag) for name, flag in known.items()})
            assert _rows(engine, plain) == _rows(engine, rendered)


@pytest.mark.parametrize("why", TWICE)
def test_the_law_of_two_readings(why: str, engine: duckdb.DuckDBPyConnection) -> None:
    text = TWICE[why]
    script = parse(mask(Source("a.sql", text, "duckdb")))
    assert [f.message.partition(": ")[2] for f in script.findings] == [
        "the query is read twice, with it and without it"
    ]
    assert [s.again for s in script.statements] == [False, True] and script.twice
    first = "not c()" not in script.findings[0].message
    for statement, c in zip(script.statements, (first, not first), strict=True):
        rendered = jinja2.Template(text).render(c=_Flag(c))
        assert _rows(engine, statement.text) == _rows(engine, rendered)
        for column in statement.tree.find_all(exp.Column):  # they know where they stand
            span = statement.span_of(column)
            line = text.splitlines()[span.line - 1]
            assert line[span.column - 1 : span.end_column - 1] == column.sql()


@pytest.mark.parametrize("why", ONE_BRANCH)
def test_one_branch_is_read(why: str) -> None:
    found = mask(Source("a.sql", ONE_BRANCH[why], "duckdb"))
    assert all(f.message.endswith(("read", "left out", "once")) for f in found.findings)
    assert not any(w in f.message for f in found.findings for w in ("both", "twice")), found.text


def test_branches_that_are_all_of_a_script_are_statements() -> None:
    text = (
        "-- made by hand\n{% if is_init() %}\nSELECT 1 AS a\n{% elif late %}\n(SELECT 2 AS a)\n"
        "{% else %}\nWITH x AS (SELECT 3 AS a) SELECT a FROM x WHERE {% if b() %} a = 1"
        " {% else %} a = 2 {% endif %};\n{% endif %}\n"
    )
    script = parse(mask(Source("a.sql", text, "duckdb")))
    assert [s.span.line for s in script.statements] == [3, 5, 7]
    assert [f.message for f in script.findings] == [
        "{% if is_init() %}: each branch is a query of its own",
        "{% if b() %}: both branches are read",
    ]
    first, second, last = (s.text for s in script.statements)
    assert "3" not in first
    assert second.strip() == "(SELECT 2 AS a)"
    assert "p__b__p" in last
    comments = script.statements[2].tree.args["with_"].comments
    assert [c.strip() for c in comments] == ["if not is_init()"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 0; {% if c() %} SELECT 1 {% else %} SELECT 2 {% endif %}",
        "{% if c() %} SELECT 1 {% else %} {% endif %}",
        "{% if is_incremental() %} SELECT 1 {% else %} SELECT 2 {% endif %}",
        "{% if c() %} SELECT 1 {% endif %}",
    ],
)
def test_beside_anything_else_they_are_none(text: str) -> None:
    found = mask(Source("a.sql", text, "duckdb")).findings
    assert found
    assert not any(w in each.message for each in found for w in ("query of its own", "twice"))


class _Flag:
    """What a template may call, or ask as it is."""

    def __init__(self, value: bool) -> None:
        self._value = value

    def __call__(self) -> bool:
        return self._value

    def __bool__(self) -> bool:
        return self._value


def _filled(text: str, values: Mapping[str, bool]) -> str:
    return re.sub(r"p__(\w+)__p", lambda hit: str(values[hit[1]]), text)


def _rows(engine: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return sorted(map(str, engine.execute(sql).fetchall()))
