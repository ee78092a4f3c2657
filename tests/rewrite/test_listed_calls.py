"""What reports put together of one macro, for the words of a list, is a macro with that list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import jinja2
import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.limits import NO_LIMITS, Owners
from unwet.rewrite.listed_calls import with_listed_calls
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.jinja_values import usual

ROWS = (
    "SELECT client, h__year__h AS year, h__formula__h AS n, SUM(size) AS size FROM h__table__h "
    "WHERE kind <> 'x' AND h__condition__h GROUP BY ALL"
)
PART = "SELECT client, n, year FROM (SELECT 1) AS p WHERE n > 0 AND 'h__date__h' > '2021-01-01'"
DATES = ("2022_06_01", "2021_07_01", "2020_08_01")
COUNT = Leaf("condition", "COUNT(*)")
BY_YEAR = "ORDER BY year DESC, client"


def tree(sql: str) -> exp.Expr:
    """A template: parameters are words, but for those that are relations or in texts."""
    found = sqlglot.parse_one(sql, read="duckdb")
    for node in [*found.find_all(exp.Column)]:
        if node.name.startswith("h__"):
            node.replace(exp.Var(this=node.name))
    return found


def around() -> exp.Expr:
    """A template that reads what a call hands on."""
    found = tree(PART)
    next(iter(found.find_all(exp.Subquery))).set("this", exp.Var(this="h__part__h"))
    return found


Said = tuple[Sequence[str], str, str, str]  # dates, a condition, a formula, an order


def call(date: str, condition: str, formula: str, year: str = "") -> MacroCall:
    args = (
        ("year", Leaf("number", year or date[:4])),
        ("table", Leaf("name", f"src__pages__{date}__src")),
        ("condition", Leaf("condition", condition)),
    )
    said = ("formula", Leaf("condition", formula))
    usual_one = said[1] == COUNT
    return MacroCall("rows_of", (*args, *(() if usual_one else (said,))),
                     (said,) if usual_one else ())  # fmt: skip


def united(numbers: Sequence[int], order: str) -> exp.Expr:
    words = [exp.Var(this=f"call__{number}__call") for number in numbers]
    chain: exp.Expr = words[0]
    for each in words[1:]:
        chain = exp.Union(this=chain, expression=each, distinct=False)
    if order:
        chain.set(
            "order", sqlglot.parse_one(f"SELECT 1 {order}", read="duckdb").args["order"].copy()
        )
    return chain


def library(*said: Said) -> Library:
    macro = Macro("rows_of", ("year", "table", "condition", "formula"), tree(ROWS), "query",
                  defaults={"formula": COUNT.text})  # fmt: skip
    calls, models = list[MacroCall](), dict[str, exp.Expr]()
    for number, (dates, condition, formula, order) in enumerate(said):
        own = range(len(calls), len(calls) + len(dates))
        calls += [call(date, condition, formula) for date in dates]
        models[f"m{number}"] = united(own, order)
    return Library(models, (macro,), tuple(calls))


def listed(start: Library, most: int = 5) -> Library:
    return with_listed_calls(start, "duckdb", frozenset(), most, (), Owners(NO_LIMITS))


def macros_text(made: Library) -> Iterator[str]:
    for macro in made.macros:
        head = [f"{n}={usual(macro.defaults[n], 'duckdb', made.calls)}" if n in macro.defaults
                else n for n in macro.params]  # fmt: skip
        body = template(macro.tree, "duckdb", made.calls)
        yield f"{{% macro {macro.name}({', '.join(sorted(head, key=lambda h: '=' in h))}) %}}"
        yield f"{body}{{% endmacro %}}"


def sql_of(made: Library, model: str) -> str:
    said = [*macros_text(made), template(made.models[model], "duckdb", made.calls)]
    text: str = jinja2.Environment().from_string("\n".join(said)).render(
        source=lambda schema, table: f'{schema}."{table}"'
    )  # fmt: skip
    return text


CMS: Said = (DATES, "kind = 'a'", COUNT.text, BY_YEAR)
SHOPS: Said = (DATES[:2], "kind = 'b'", COUNT.text, BY_YEAR)
SIZES: Said = (DATES[1:], "TRUE", "MAX(size)", BY_YEAR)
UNSORTED: Said = (DATES[:2], "size > 3", COUNT.text, "")


def test_what_reports_put_together_is_a_macro_with_a_list() -> None:
    made = listed(library(CMS, SHOPS, SIZES, UNSORTED))
    _, macro = made.macros
    assert macro.name == "rows_of_of_tables"
    assert {*macro.params} == {"tables", "condition", "formula", "sorted_by"}
    assert macro.defaults == {"formula": "COUNT(*)", "sorted_by": "year DESC, client"}
    text = "".join(macros_text(made))
    assert "{% for table in tables %}" in text and "UNION ALL" in text
    assert "year=table[:4]" in text and "table=source('pages', table)" in text
    assert "{% if sorted_by %}ORDER BY {{ sorted_by }}{% endif %}" in text
    models = {name: template(tree, "duckdb", made.calls) for name, tree in made.models.items()}
    assert "tables=['2022_06_01', '2021_07_01', '2020_08_01']" in models["m0"]
    assert "formula" not in models["m0"] and "formula='MAX(size)'" in models["m2"]
    assert "sorted_by" not in models["m0"] and "sorted_by=''" in models["m3"]


def test_one_order_of_all_is_the_macros_own() -> None:
    made = listed(library(CMS, SHOPS, SIZES, (DATES, "size > 3", COUNT.text, BY_YEAR)))
    _, macro = made.macros
    assert {*macro.params} == {"tables", "condition", "formula"}
    assert "ORDER BY\n  year DESC,\n  client" in "".join(macros_text(made))


@pytest.mark.parametrize(
    "change",
    [
        {"year": Leaf("number", "1999")},  # follows from no table
        {"table": Leaf("name", "src__other__2021_07_01__src")},  # of another schema
        {"table": Leaf("name", "ref__pages__ref")},
        {"table": Leaf("name", "2021_07_01", quoted=True)},
        {"condition": Leaf("condition", "kind = 'other'")},  # of one branch
    ],
)
def test_branches_that_say_more_of_others_are_no_list(
    change: dict[str, Leaf],
) -> None:
    start = library(CMS, SHOPS, SIZES, CMS, SHOPS)
    calls = list(start.calls)
    for at in (1, 4, 6, 8, 11):
        args = tuple((name, change.get(name, leaf)) for name, leaf in calls[at].args)
        calls[at] = MacroCall("rows_of", args, calls[at].unsaid)
    odd = Library(start.models, start.macros, tuple(calls))
    assert len(listed(odd).macros) == 1


def test_tables_that_are_called_by_numbers_are_no_list() -> None:
    """A list of nothing but digits is one of numbers."""
    years = [year[:4] for year in DATES]
    start = library(*((years, cond, COUNT.text, BY_YEAR) for cond in ("TRUE", "size > 1", "TRUE")))
    assert len(listed(start).macros) == 1


def test_what_a_call_hands_on_says_the_word_too() -> None:
    macro = Macro("of_day", ("part", "date"), around(), "query")
    start = library(*((DATES, cond, COUNT.text, "") for cond in ("TRUE", "size > 1", "kind = 'a'")))
    calls = [*start.calls]
    models: dict[str, exp.Expr] = {}
    for name in start.models:
        at = 3 * int(name[1:])
        models[name] = united(range(len(calls), len(calls) + 3), BY_YEAR)
        calls += [MacroCall("of_day", (("part", Leaf("condition", f"call__{at + n}__call")),
                                       ("date", Leaf("string", date.replace("_", "-")))))
                  for n, date in enumerate(DATES)]  # fmt: skip
    made = listed(Library(models, (*start.macros, macro), tuple(calls)))
    new = made.macros[-1]
    assert new.params == ("tables", "condition")
    text = "".join(macros_text(made))
    assert "date=table | replace('_', '-')" in text and "year=table[:4]" in text
    assert_same_rows(Library(models, (*start.macros, macro), tuple(calls)), made)


def test_models_that_stay_and_what_they_call_are_left_alone() -> None:
    start = library(CMS, SHOPS, SIZES, CMS)
    made = with_listed_calls(start, "duckdb", frozenset(), 5, start.models, Owners(NO_LIMITS))
    assert made.models == start.models and len(made.macros) == 1


def test_a_call_says_no_more_than_it_may() -> None:
    assert len(listed(library(CMS, SHOPS, SIZES, UNSORTED), most=2).macros) == 1


def base() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("CREATE SCHEMA pages")
    for step, date in enumerate(DATES):
        made.execute(
            f'CREATE TABLE pages."{date}" AS SELECT '
            "'c' || i % 3 AS client, "
            f"['a', 'b', 'x', NULL][i % {4 - step} + 1] AS kind, "
            "CASE WHEN i % 7 > 0 THEN i % 5 END AS size FROM range(50) AS r (i)"
        )
    return made


BASE = base()


def assert_same_rows(start: Library, made: Library) -> None:
    for model in start.models:
        old, new = sql_of(start, model), sql_of(made, model)
        sort = (lambda rows: rows) if "ORDER BY" in old else (lambda rows: sorted(map(str, rows)))
        assert sort(BASE.sql(new).fetchall()) == sort(BASE.sql(old).fetchall())
        assert BASE.sql(new).columns == BASE.sql(old).columns


SAID = st.tuples(
    st.lists(st.sampled_from(DATES), min_size=2, max_size=4),
    st.sampled_from(["TRUE", "kind = 'a'", "(kind = 'b' OR size > 3)", "size < 3"]),
    st.sampled_from([COUNT.text, "COUNT(DISTINCT kind)", "MAX(size)"]),
    st.sampled_from(["", BY_YEAR, "ORDER BY client, year, n, size"]),
)


@settings(deadline=None, max_examples=60)
@example([CMS, SHOPS, SIZES, UNSORTED])
@given(st.lists(SAID, min_size=2, max_size=6))
def test_each_model_returns_what_it_returned(said: list[Said]) -> None:
    start = library(*said)
    assert_same_rows(start, listed(start))
