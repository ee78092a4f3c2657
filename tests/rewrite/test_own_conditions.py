"""Queries in front of a call that are a shared model with more conditions."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.own_conditions import with_own_conditions
from unwet.rewrite.shapes import Leaf

MODEL = "SELECT a.id, a.n * 2 AS double, UPPER(a.k) AS kind FROM src__s__t__src AS a WHERE a.live"
OWN = MODEL + " AND a.n * 2 > 5 AND UPPER(a.k) = 'X'"
BODY = """SELECT x.kind, COUNT(x.id) AS n FROM h__relation__h AS x
LEFT JOIN src__s__u__src AS y ON y.id = x.id WHERE y.w IS NULL AND h__condition__h
GROUP BY x.kind"""


def library(own: str, body: str = BODY, model: str = MODEL, *, said: str = "") -> Library:
    tree = parse_one(body)
    for column in [*tree.find_all(exp.Column)]:
        if column.name == "h__condition__h":
            column.replace(exp.Var(this="h__condition__h"))
    defaults = {"relation": "ref__int_t__ref", "condition": "TRUE"}
    macro = Macro("m", ("relation", "condition"), tree, "query", defaults=defaults)
    args = (("relation", Leaf("name", "t_rows")),)
    condition = ("condition", Leaf("condition", said or "TRUE"))
    call = MacroCall("m", (*args, condition) if said else args, () if said else (condition,))
    front = exp.Select(
        expressions=[exp.Var(this="call__0__call")],
        with_=exp.With(expressions=[
            exp.CTE(this=parse_one(own), alias=exp.TableAlias(this=exp.to_identifier("t_rows")))
        ]),
    )  # fmt: skip
    return Library({"int_t": parse_one(model), "r": front}, (macro,), (call,))


def told(found: Library) -> str | None:
    """The condition of the call; None where the query still stands in front of it."""
    if not isinstance(found.models["r"], exp.Var):
        return None
    [call] = found.calls
    assert dict(call.unsaid)["relation"].text == "ref__int_t__ref"
    return dict(call.args)["condition"].text


def test_the_call_says_what_the_model_does_not_ask() -> None:
    assert told(with_own_conditions(library(OWN), "duckdb", ())) == "x.double > 5 AND x.kind = 'X'"


def test_it_says_what_it_said_before_too() -> None:
    found = told(with_own_conditions(library(OWN, said="y.id > 1"), "duckdb", ()))
    assert found == "y.id > 1 AND x.double > 5 AND x.kind = 'X'"


def test_fewer_outputs_are_enough() -> None:
    own = OWN.replace(", a.n * 2 AS double", "")
    assert told(with_own_conditions(library(own), "duckdb", ())) == "x.double > 5 AND x.kind = 'X'"


@pytest.mark.parametrize(
    "own",
    [
        MODEL,  # the same: nothing is asked
        OWN.replace("a.live AND ", ""),
        OWN.replace("AS kind", "AS k"),
        OWN.replace("a.n * 2 AS", "a.n * 3 AS"),
        OWN.replace("src__s__t__src", "src__s__v__src"),
        OWN.replace("a.n * 2 > 5", "a.n > 5"),  # no output
        OWN.replace("a.n * 2 > 5", "a.id IN (SELECT 1)"),
        OWN.replace("UPPER(a.k) = 'X'", "(UPPER(a.k) = 'X' OR a.n * 2 = 1)"),
        OWN + " LIMIT 3",
        OWN.replace("SELECT", "SELECT DISTINCT", 1),
    ],
)
def test_what_is_more_than_a_condition_stays(own: str) -> None:
    assert told(with_own_conditions(library(own), "duckdb", ())) is None


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace("LEFT JOIN", "FULL JOIN"),
        BODY.replace("LEFT JOIN", "RIGHT JOIN"),
        BODY.replace("h__relation__h AS x\nLEFT JOIN src__s__u__src AS y",
                     "src__s__u__src AS y\nLEFT JOIN h__relation__h AS x"),
        BODY.replace(" AND h__condition__h", ""),
        BODY.replace("src__s__u__src AS y", "h__relation__h AS y"),
    ],
)  # fmt: skip
def test_where_the_macro_has_other_rows_it_stays(body: str) -> None:
    assert told(with_own_conditions(library(OWN, body), "duckdb", ())) is None


def test_models_that_stay_alone_keep_their_query() -> None:
    assert told(with_own_conditions(library(OWN), "duckdb", {"r"})) is None


def test_law_both_return_the_same_rows() -> None:
    condition = told(with_own_conditions(library(OWN), "duckdb", ()))
    assert condition is not None
    tables = {"src__s__t__src": "t", "src__s__u__src": "u"}

    def rows(relation: str, test: str) -> list[tuple[object, ...]]:
        sql = BODY.replace("h__relation__h", f"({relation})").replace("h__condition__h", test)
        for token, table in tables.items():
            sql = sql.replace(token, table)
        return engine.execute(f"{sql} ORDER BY ALL").fetchall()

    engine = duckdb.connect()
    engine.execute(
        "CREATE TABLE t AS SELECT i AS id, i % 7 AS n, CASE i % 3 WHEN 1 THEN 'x' WHEN 2 THEN 'y' "
        "END AS k, i % 5 > 0 AS live FROM range(90) AS r (i)"
    )
    engine.execute(
        "CREATE TABLE u AS SELECT i * 2 AS id, NULLIF(i % 4, 1) AS w FROM range(40) r (i)"
    )
    assert rows(OWN, "TRUE") == rows(MODEL, condition) != rows(MODEL, "TRUE")
