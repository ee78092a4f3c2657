"""What is said of things whose names differ by a number only."""

from __future__ import annotations

import re

import pytest
import yaml

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.told_apart import told_apart, unlike_column, with_differences

_HEAD = "{{% macro {} (first) %}} {} {{% endmacro %}}"
_ROWS = "SELECT a, b FROM t WHERE day >= CAST('{{ first }}' AS DATE) AND b IS NOT NULL"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (_ROWS.replace("CAST('{{ first }}' AS DATE)", "'{{ first }}'"),
         "`'first'` for `CAST('first' AS DATE)`"),
        (_ROWS.replace(" AND b IS NOT NULL", ""), "without `AND b IS NOT NULL`"),
        (_ROWS.replace(">=", ">").replace("a, b", "a, b, c"), "with `, c`; `>` for `>=`"),
        (_ROWS.replace("a, b", "t.a, t.b"), "`t.a, t.b` for `a, b`"),
        (_ROWS.replace("a, b", "t.a, t.c"), "`c` for `b`"),
        (_ROWS.replace("a, b", "a, COALESCE(b)"), "`COALESCE(b)` for `b`"),
        (_ROWS.replace("a, b", "a, x * (b - c)").replace("NULL", "NULL AND b > 2"),
         "`x * (b - c)` for `b`; with `AND b > 2`"),
        (_ROWS.replace("a, b", "a, x").replace("b IS", "x IS"), "`x` for `b`"),
        (_ROWS, "only its parameters are others"),
        ("SELECT SUM(x) FROM u GROUP BY y", "most of it is otherwise"),
    ],
)  # fmt: skip
def test_what_differs(other: str, said: str) -> None:
    texts = {"rows": _HEAD.format("rows", _ROWS), "rows_2": _HEAD.format("rows_2", other)}
    assert told_apart(texts) == {"rows_2": f"Unlike rows: {said}."}


def test_expressions_are_shown_where_they_have_nothing_in_common() -> None:
    net = "(a - b) * (COALESCE(price, 0) - COALESCE(tax, 0))"
    said = unlike_column("n", net, "(a - b) * COALESCE(price, 0)")
    assert said == "Unlike n: without `- COALESCE(tax, 0)`."
    said = unlike_column("n", "a.x", "SUM(b) OVER (PARTITION BY c)")
    assert said == "Unlike n: `SUM(b) OVER (PARTITION BY c)` for `a.x`."


def test_who_is_compared() -> None:
    assert told_apart({"a_2": "x", "b": "y", "of_2024": "z", "of_2023": "z"}) == {}
    found = told_apart({"a_10": "x y w", "a_3": "x y v", "a_2": "x y z"})
    assert found == {"a_3": "Unlike a_2: `v` for `z`.", "a_10": "Unlike a_2: `w` for `z`."}


def test_macros_of_sqlmesh_say_it() -> None:
    files = {
        "macros/rows.sql": "{# 2 queries #}\n" + _HEAD.format("rows", _ROWS),
        "macros/rows_2.sql": "{# 3 queries #}\n" + _HEAD.format("rows_2", _ROWS.replace(">=", ">")),
        "macros/rows_3.sql": _HEAD.format("rows_3", _ROWS.replace("a, b", "a")),
        "models/rows_4.sql": "SELECT 1",
    }
    found = with_differences(files)
    assert found["macros/rows_2.sql"].startswith("{# 3 queries. Unlike rows: `>` for `>=`. #}\n{%")
    assert found["macros/rows_3.sql"].startswith("{# Unlike rows: without `, b`. #}\n{%")
    assert {path for path in files if found[path] != files[path]} == {
        "macros/rows_2.sql", "macros/rows_3.sql"
    }  # fmt: skip


def test_macros_yml_says_it() -> None:
    """Two definitions of one thing, three copies of each."""
    tables = "CREATE TABLE s.t (id INT, k TEXT, day DATE, x INT, y INT);"
    one = ("SELECT p.k, COUNT(*) AS n, SUM(p.x) AS x FROM (SELECT k, x, y FROM s.t WHERE y > 1 "
           "AND x IS NOT NULL AND k <> 'z') AS p WHERE p.k = '{}' GROUP BY p.k")  # fmt: skip
    other = one.replace("SUM(p.x)", "SUM(p.x - p.y)").replace("p.k = '{}'", "p.k = '{}' OR p.y < 9")
    texts = {f"{n}{k}": sql.format(k) for n, sql in (("a", one), ("b", other)) for k in "uvw"}
    pile = load([Source("p/t.sql", tables), *(Source(f"p/{n}.sql", t) for n, t in texts.items())])
    files = refactor(pile, Request()).files
    macros = yaml.safe_load(files.get("macros/macros.yml", "macros: []"))["macros"]
    names = {each["name"] for each in macros}
    for each in macros:
        numbered = each["name"].rpartition("_")[0] in names and each["name"][-1:].isdigit()
        assert ("Unlike " in each["description"]) is numbered


def test_macros_yml_has_the_arguments_in_their_order() -> None:
    """One with a default comes last in the macro, and dbt compares the two one by one."""
    tables = "CREATE TABLE s.t (id INT, k INT, x INT, y INT);"
    query = ("SELECT t.{} AS a, SUM(t.x) AS x, MIN(t.x) AS least FROM s.t AS t WHERE t.y < {} "
             "GROUP BY t.{}")  # fmt: skip
    keys = {"early": "id", "late": "id", "last": "k"}
    texts = {name: query.format(key, n, key) for n, (name, key) in enumerate(keys.items())}
    pile = load([Source("p/t.sql", tables), *(Source(f"p/{n}.sql", t) for n, t in texts.items())])
    files = refactor(pile, Request()).files
    (macro,) = yaml.safe_load(files["macros/macros.yml"])["macros"]
    head = files[f"macros/{macro['name']}.sql"].splitlines()[0]
    names = [argument["name"] for argument in macro["arguments"]]
    assert re.findall(r"[(,] *(\w+)", head) == names and "=" in head
