"""What is written is laid out as sqlfmt does, and nothing but that."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlfmt.api import format_string
from sqlfmt.mode import Mode

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.layout import laid_out
from unwet.tests.rewrite.small_pile import refactored


def test_a_project_is_as_sqlfmt_would_write_it(tmp_path: Path) -> None:
    refactored(tmp_path / "out")
    files = [*(tmp_path / "out").rglob("*.sql")]
    texts = [path.read_text() for path in files if "legacy" not in path.parts]
    assert len(texts) > 5
    assert [text for text in texts if format_string(text, Mode()) != text] == []


def test_a_function_of_the_users_keeps_its_capitals() -> None:
    text = "SELECT GET_GEO(a) AS geo, SUM(b) AS s FROM d.t GROUP BY GET_GEO(a)"
    files = refactor(load([Source("r.sql", text, "bigquery")]), Request()).files
    assert "select GET_GEO(a) as geo, sum(b) as s" in files["models/marts/r.sql"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SELECT\n  a,\n  COUNT(*) AS n\nFROM t", "select a, count(*) as n from t\n"),
        ("SELECT CustomerId FROM Sales.T", "select CustomerId from Sales.T\n"),
        ("SELECT SUM(X) AS N FROM T_1", "select sum(X) as N from T_1\n"),
        ("SELECT 'A  b', \"A  b\", `A  b` FROM t", "select 'A  b', \"A  b\", `A  b` from t\n"),
        ("SELECT '{{ var(\"A  b\") }}' AS c", "select '{{ var(\"A  b\") }}' as c\n"),
        ("{% if a %}SELECT 1{% endif %}", "{% if a %} select 1{% endif %}\n"),
        (
            "SELECT CAST(NULL AS ARRAY<STRUCT<`K` STRING, v ARRAY<INT64>>>) AS `x` FROM t",
            "select cast(null as array<struct<`K` string, v array<int64>>>) as `x` from t\n",
        ),
        (
            "SELECT\n{% for x in ['b', 'c'] %}\nSUM({{ x }}) AS {{ x }}"
            "{% if not loop.last %},{% endif %}\n{% endfor %}\nFROM t",
            "select\n    {% for x in ['b', 'c'] %}\n        sum({{ x }}) as {{ x }}"
            "{% if not loop.last %},{% endif %}\n    {% endfor %}\nfrom t\n",
        ),
        (
            "-- " + "long " * 18 + "\nSELECT a\nFROM t",
            "-- " + ("long " * 16).strip() + "\n-- long long\nselect a from t\n",
        ),
        (
            "SELECT 1 AS a FROM (SELECT b FROM {{ f(\n    x=1\n) }} WHERE c = 'long enough to be"
            " alone on a line' AND d)",
            "select 1 as a\nfrom\n    (\n        select b\n        from\n            {{ f(\n"
            "                x=1\n            ) }}\n"
            "        where c = 'long enough to be alone on a line' and d\n    )\n",
        ),
        (
            "WITH a AS (\n  {% for x in [\n      'b',\n      'c',\n  ] %}\n  SELECT {{ x }} FROM"
            " {{ ref(x) }}\n  {% endfor %}\n) SELECT 1",
            "with\n    a as (\n        {% for x in [\n            'b',\n            'c',\n"
            "        ] %}\n            select {{ x }} from {{ ref(x) }}\n        {% endfor %}\n"
            "    )\nselect 1\n",
        ),
    ],
)
def test_spaces_and_words_of_sql(before: str, after: str) -> None:
    assert laid_out(before, {"X", "N", "T", "T_1"}) == after


@pytest.mark.parametrize(
    "text",
    [
        "SELECT E'\\n' FROM t",  # a type and a text, once there is a space between them
        "SELECT a FROM #Temp WHERE b = 1",
        "SELECT [Order  Details] FROM t",
        "SELECT 'never closed",
        "SELECT '{{ var('Day', 'Day') }}' FROM t",  # two texts, and a word between them
        "SELECT a{% if b %}_c{% endif %}_d FROM t",
        "SELECT {{ '}}' }} FROM t",  # it sees a tag that ends within the text
    ],
)
def test_what_would_change_more_than_spaces_stays_as_it_is(text: str) -> None:
    assert laid_out(text) == text


def test_what_sqlfmt_takes_for_a_comment_is_left_alone() -> None:
    texts = {"a.sql": "SELECT a // 10 AS x, b FROM t", "b.sql": "SELECT '//' AS x FROM t -- a // b"}
    files = refactor(load([Source(*each, "duckdb") for each in texts.items()]), Request()).files
    left = files["models/marts/a.sql"]
    assert left.startswith("-- fmt: off\n") and "a // 10 AS x" in left
    assert format_string(left, Mode()) == left
    assert "fmt: off" not in files["models/marts/b.sql"]
