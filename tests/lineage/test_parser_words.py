"""What the parser says is told in words of SQL, with the place."""

from __future__ import annotations

import pytest

from unwet.lineage.errors import RenderError
from unwet.lineage.parse import parse
from unwet.lineage.parser_words import told
from unwet.lineage.printing import render
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask


@pytest.mark.parametrize(
    ("sql", "column", "said"),
    [
        ("SELECT a FROM WHERE x", 15, "the name of a table is missing near WHERE"),
        ("SELECT * FROM #t", 15, "the name of a table is missing near #"),
        ("SELECT a FROM t WHERE GROUP BY a", 23, "a part of WHERE is missing near GROUP BY"),
        ("SELECT a FROM (SELECT b FROM t", 30, ") is missing near t"),
        ("SELECT a[1 FROM t", 12, "] is missing near FROM"),
        ("SELECT CASE WHEN a THEN b FROM t", 25, "END is missing behind CASE near b"),
        ("SELECT CAST(a INT) FROM t", 15, "AS is missing behind CAST near INT"),
        ("WITH x AS (SELECT 1)", 20, "no query stands behind WITH .. AS (..) near )"),
        ("WITH AS (SELECT 1) SELECT 1", 9, "WITH has a query without a name near ("),
        ("SELECT a:: FROM t", 12, "a type is missing near FROM"),
        ("SELECT TOP 10 a FROM t", 12, "cannot be read from 10 on"),
        ("SELECT a FROM t LIMIT 1 LIMIT 2", 25, "LIMIT stands there more than once near LIMIT"),
        ("SELECT a FORM t", 10, "FORM for FROM? cannot be read from t on"),
    ],
)
def test_what_is_wrong(sql: str, column: int, said: str) -> None:
    [finding] = parse(mask(Source("a.sql", sql)), "postgres").findings
    assert (finding.code, finding.at.column, finding.message) == ("PARSE", column, said)


def test_other_words_stay_and_dumps_of_tokens_do_not() -> None:
    dump = "Expected table name but got <Token token_type: TokenType.WHERE, text: where, line: 1>"
    assert told(dump, "where") == "the name of a table is missing near where"
    assert told("A new complaint.", "x") == "A new complaint near x"
    assert told("", "") == "it cannot be read"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT a FROM t ORDER BY 1", "ORDER BY of a column's number, with NULLS LAST"),
        ("SELECT SPLIT_PART(a, '@', 2) AS b FROM t", "SPLIT_PART but for '.' delimiter"),
        (
            "SELECT STRING_AGG(DISTINCT a, ',') AS b FROM t",
            "T-SQL STRING_AGG doesn't support DISTINCT",
        ),
    ],
)
def test_what_cannot_be_written(sql: str, said: str) -> None:
    [statement] = parse(mask(Source("a.sql", sql)), "postgres").statements
    with pytest.raises(RenderError) as caught:
        render(statement.tree, "tsql")
    assert str(caught.value).startswith(f"cannot be written in tsql: {said}")
    assert "transpil" not in str(caught.value)
    assert not str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("sql", "source", "target", "said"),
    [
        ("SELECT a FROM t FOR XML PATH('x')", "tsql", "postgres",
         "what stands behind OPTION or FOR at its end"),
        ("SELECT * FROM t PIVOT (SUM(a) FOR b IN ([x])) AS p", "tsql", "postgres", "PIVOT"),
        ("SELECT t.a FROM t CROSS JOIN LATERAL (SELECT 1) AS l", "postgres", "tsql", "LATERAL"),
        ("SELECT ARRAY_AGG(a ORDER BY b), ARRAY_AGG(c ORDER BY b) FROM t", "postgres", "bigquery",
         "NULLS LAST in ARRAY_AGG with sort order"),
    ],
)  # fmt: skip
def test_each_complaint_of_the_printer_is_told_once(
    sql: str, source: str, target: str, said: str
) -> None:
    [statement] = parse(mask(Source("a.sql", sql)), source).statements
    with pytest.raises(RenderError) as caught:
        render(statement.tree, target)
    assert str(caught.value) == f"cannot be written in {target}: {said}"
