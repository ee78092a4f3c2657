"""What a query groups by, as far as its items tell."""

from sqlglot import exp, parse_one

from unwet.rewrite.query_parts import keys


def said(sql: str, call: int | None = None) -> list[str] | None:
    query = parse_one(sql)
    assert isinstance(query, exp.Select)
    if call is not None:
        query.expressions[call].replace(exp.Var(this="call__0__call"))
    found = keys(query)
    return None if found is None else [key.sql() for key in found]


def test_a_position_is_the_item_there() -> None:
    assert said("SELECT a, b + 1 AS c, SUM(d) FROM t GROUP BY 1, 2") == ["a", "b + 1"]


def test_a_call_among_the_items_may_be_several_columns() -> None:
    assert said("SELECT a, b, SUM(d) FROM t GROUP BY 1, 2", call=1) is None
    assert said("SELECT a, b, SUM(d) FROM t GROUP BY 1, 2", call=2) == ["a", "b"]
    assert said("SELECT a FROM t GROUP BY 1, 2", call=0) is None


def test_a_position_that_is_none_is_no_key() -> None:
    assert said("SELECT a, b FROM t GROUP BY 0") is None
    assert said("SELECT a, b FROM t GROUP BY 1, 3") is None
