"""Ranges of a column are parameters of their own where many calls say one in their condition."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.library import NO_VALUE, Library, Macro, MacroCall, MacroKind
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.said_ranges import with_ranges
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text, template
from unwet.tests.rewrite.laid_out import flat
from unwet.tests.rewrite.small_pile import models

MONTH = (
    "orders.order_day >= CAST('2024-0{0}-01' AS DATE)"
    " AND orders.order_day < CAST('2024-0{1}-01' AS DATE)"
)
DAYS = "orders.order_day BETWEEN '2024-0{0}-01' AND '2024-0{1}-28'"
WITHIN = (
    "h__column__h >= CAST('h__first__h' AS DATE) AND h__column__h < CAST('h__before__h' AS DATE)"
)
BODY = "SELECT orders.a FROM orders WHERE h__condition__h"


def library(
    *conditions: str, body: str = BODY, kind: MacroKind = "query", name: str = "store_revenue_rows"
) -> Library:
    """A macro, and a model that calls it for each of the conditions."""
    calls = tuple(
        MacroCall(name, (("condition", Leaf("condition", text)),
                        ("without", Leaf("names", "['orders']"))))
        for text in conditions
    )  # fmt: skip
    models: dict[str, exp.Expr] = {
        f"r{at}": exp.Var(this=f"call__{at}__call") for at in range(len(calls))
    }
    tree = parse_one(body)
    for column in [each for each in tree.find_all(exp.Column) if each.name.startswith("h__")]:
        column.replace(exp.Var(this=column.name))
    macro = Macro(name, ("condition", "without"), tree, kind,
                  optional=("without", ("orders",)))  # fmt: skip
    return Library(models, (macro,), calls)


def months(template: str = MONTH) -> list[str]:
    return [template.format(at, at + 1) for at in range(1, 6)]


def made(found: Library, most: int = 5, alone: tuple[str, ...] = ()) -> Library:
    return with_ranges(found, frozenset(), most, alone)


def texts(of: Library) -> list[str]:
    return [call_text(call, "postgres", of.calls) for call in of.calls[:6]]


def test_a_month_is_said_from_when_to_when() -> None:
    result = made(library(*months(), "orders.country = 'AT'"))
    macro, words = result.macros
    assert macro.params == ("condition", "first", "before", "without")
    assert macro.defaults == {"condition": "TRUE", "first": NO_VALUE.text, "before": NO_VALUE.text}
    assert template(macro.tree, "postgres", result.calls).splitlines()[-1].strip() == (
        "{{ within(column='orders.order_day', first=first, before=before) }} AND {{ condition }}"
    )
    assert (words.name, words.params) == ("within", ("column", "first", "before"))
    assert words.tree.name == WITHIN
    assert words.defaults == {"first": NO_VALUE.text, "before": NO_VALUE.text}
    assert texts(result)[0] == (
        "{{ store_revenue_rows(first='2024-01-01', before='2024-02-01', without=['orders']) }}"
    )
    last = result.calls[5]
    assert dict(last.args)["condition"].text == "orders.country = 'AT'"
    assert dict(last.unsaid) == {"first": NO_VALUE, "before": NO_VALUE}


def test_where_every_call_says_one_nothing_is_a_default() -> None:
    macro, words = made(library(*months())).macros
    assert (macro.defaults, words.defaults) == ({"condition": "TRUE"}, {})


def test_its_parts_stand_in_any_order_and_the_rest_stays() -> None:
    low, high = MONTH.split(" AND ")
    turned = [
        f"{high} AND orders.country = 'NL' AND {low}".format(at, at + 1) for at in range(1, 6)
    ]
    result = made(library(*turned, *months()))
    said = dict(result.calls[0].args)
    assert said["condition"].text == "orders.country = 'NL'"
    assert (said["first"].text, said["before"].text) == ("2024-01-01", "2024-02-01")


def test_words_that_are_a_macro_already_are_that_macro() -> None:
    found = library(*months())
    words = Macro("in_days", ("column", "first", "before"), exp.Var(this=WITHIN), "expression")
    month = {"column": "orders.order_day", "first": "2024-07-01", "before": "2024-08-01"}
    said = tuple((name, Leaf("condition", text)) for name, text in month.items())
    handed = (("condition", Leaf("condition", "call__5__call")), *found.calls[0].args[1:])
    calls = (*found.calls[:4], replace(found.calls[4], args=handed), MacroCall("in_days", said))
    result = made(Library(found.models, (*found.macros, words), calls))
    assert [each.name for each in result.macros] == ["store_revenue_rows", "in_days"]
    assert texts(result)[4] == texts(result)[3].replace("-04-", "-07-").replace("-05-", "-08-")


@pytest.mark.parametrize(("template", "params"), [
    (DAYS, ("first", "last")),
    (MONTH.replace(">=", ">"), ("after", "before")),
    (MONTH.replace("<", "<="), ("first", "last")),
])  # fmt: skip
def test_each_kind_of_range_has_its_own_names(template: str, params: tuple[str, str]) -> None:
    short = MONTH.replace("CAST(", "").replace(" AS DATE)", "")
    result = made(library(*months(template), short.format(1, 2)))
    assert result.macros[0].params == ("condition", *params, "without")
    assert result.macros[1].params == ("column", *params)
    assert dict(result.calls[5].args)["condition"].text == short.format(1, 2)  # other words


@pytest.mark.parametrize("template", [
    "NOT " + MONTH.replace("AND orders", "AND NOT orders"),
    MONTH + " OR orders.vip",
    "(" + MONTH + ")",
    MONTH.replace(" AND ", " AND orders.order_day > '2020-01-01' AND "),
    MONTH.replace("AND orders.order_day", "AND orders.paid_day"),
    MONTH.replace("2024-0{0}", "h__year__h-0{0}").replace("2024-0{1}", "h__year__h-0{1}"),
    MONTH.replace("2024-0{0}-01", "it''s {0}"),
])  # fmt: skip
def test_what_is_no_plain_range_stays(template: str) -> None:
    found = library(*months(template))
    assert made(found).macros == found.macros


LONG = "orders.channel IN ('web', 'app', 'store', 'marketplace')"


@pytest.mark.parametrize(("column", "name"), [
    ("orders.country", "country"),
    ("orders.source", "of_source"),  # what `source` is in a template
    ("COALESCE(orders.category, 'other')", "category"),
    ("CAST(orders.plan AS TEXT)", "plan"),
])  # fmt: skip
def test_what_a_column_is_is_called_after_it(column: str, name: str) -> None:
    said = [
        f"{column} = '{value}' AND orders.web" for value in ("AT", "DE", "NL", "FR", "GB", "CH")
    ]
    result = made(library(*said, *months()[:1]))
    assert result.macros[0].params == ("condition", name, "without")
    assert result.macros[1].tree.name == "h__column__h = 'h__value__h'"
    assert result.macros[1].defaults == {"value": NO_VALUE.text}
    assert dict(result.calls[0].args)[name].text == "AT"
    assert dict(dict(result.calls[7].args))["column"].text == column


def test_a_range_and_a_value_are_parameters_beside_each_other() -> None:
    said = [f"orders.country = 'AT' AND {month}" for month in months()]
    result = made(library(*said, *months(), "orders.country = 'AT'", name="sales"))
    assert {*result.macros[0].params} == {"condition", "country", "first", "before", "without"}
    assert [each.name for each in result.macros[1:]] in (["equals", "within"], ["within", "equals"])
    told = dict(result.calls[0].args)
    assert (told["country"].text, told["first"].text) == ("AT", "2024-01-01")
    assert dict(result.calls[0].unsaid)["condition"].text == "TRUE"
    assert dict(result.calls[10].unsaid)["first"] == NO_VALUE


@pytest.mark.parametrize("test", [
    "orders.country <> '{0}'", "orders.store_id = {0}", "NOT orders.country = '{0}'",
    "orders.country = '{0}' OR orders.vip", "'{0}' = orders.country", "orders.a || '{0}' = '{0}'",
])  # fmt: skip
def test_what_is_no_plain_value_stays(test: str) -> None:
    found = library(*(f"{LONG} AND {test.format(n)}" for n in range(6)))
    assert made(found).macros == found.macros


def test_few_ranges_and_a_condition_that_is_handed_on_stay() -> None:
    few = library(*months()[:1], "orders.country = 'AT'")
    assert made(few).calls == few.calls
    handed = library(
        *months(), body="SELECT orders.a FROM orders WHERE h__condition__h OR orders.b"
    )
    assert made(handed).macros == handed.macros
    assert made(library(*months(), kind="tail")).calls == library(*months(), kind="tail").calls


def test_a_macro_of_many_parameters_gets_no_more_and_models_of_their_own_words_keep_them() -> None:
    found = library(*months())
    assert made(found, most=2).calls == found.calls
    assert made(found, alone=("r1",)).calls == found.calls


def test_the_rows_are_what_they_were(tmp_path: Path) -> None:
    """The day that a month begins with, the one behind its last, and no day at all."""
    month = "order_day >= DATE '2024-0{0}-01' AND order_day < DATE '2024-0{1}-01'"
    tests = {f"revenue_2024_0{at}": month.format(at, at + 1) for at in range(1, 6)}
    tests |= {"revenue_at": "country = 'AT'", "revenue_nl": "country = 'NL'"}
    tests["revenue_at_2024_06"] = f"{month.format(6, 7)} AND country = 'AT'"
    body = (
        "SELECT country, shop, date_trunc('month', order_day) AS month, sum(net) AS net, "
        "count(*) AS orders FROM orders WHERE {} "
        "GROUP BY country, shop, date_trunc('month', order_day)"
    )
    piles = {name: body.format(test) for name, test in tests.items()} | {
        "revenue": body.replace("WHERE {} ", "")
    }
    columns = {
        "country": "TEXT",
        "shop": "INT",
        "order_day": "DATE",
        "net": "INT",
    }
    sources = [Source(f"{name}.sql", sql) for name, sql in piles.items()]
    result = refactor(load(sources, "duckdb", {"orders": columns}), Request(out=tmp_path / "p"))
    assert {report.outcome for report in result.verdicts} == {"proved"}
    macros = {path.stem: flat(path.read_text()) for path in (tmp_path / "p/macros").glob("*.sql")}
    assert "{% if first is none %} 1 = 1 {% else %}" in macros["within"]
    base = duckdb.connect()
    base.execute("CREATE TABLE orders (country TEXT, shop INT, order_day DATE, net INT)")
    base.execute(
        "INSERT INTO orders SELECT CASE i % 3 WHEN 0 THEN 'AT' WHEN 1 THEN 'NL' END, i % 5, "
        "CASE WHEN i % 7 > 0 THEN DATE '2023-12-25' + CAST(i AS INT) END, i "
        "FROM range(400) AS r (i)"
    )
    written = models(tmp_path / "p")
    for name, sql in piles.items():
        old, new = (base.execute(each).fetchall() for each in (sql, written[name]))
        assert old
        assert sorted(map(repr, old)) == sorted(map(repr, new))
