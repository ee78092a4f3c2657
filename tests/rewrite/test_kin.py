"""Reports of one skeleton get one wording, whatever rows and columns they keep; each of them still
means what it meant."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.tests.rewrite.laid_out import flat

SCHEMA = {
    "s.orders": {"id": "INTEGER", "customer": "INTEGER", "country": "VARCHAR", "day": "DATE",
                 "cents": "INTEGER", "test": "BOOLEAN"},
    "s.items": {"order_id": "INTEGER", "sku": "VARCHAR", "qty": "INTEGER"},
}  # fmt: skip
REPORT = """create table r.sales_{name} as
with good as (
    select o.id, o.customer, o.country, o.day, o.cents from s.orders o
    where not coalesce(o.test, false)
)
select g.country, date_trunc('month', g.day) as month, {columns}
from good g join s.items i on i.order_id = g.id
{where}
group by 1, 2"""
COLUMNS = ("count(distinct g.customer) as customers", "sum(g.cents) as cents",
           "sum(i.qty) as pieces", "min(g.day) as first_day", "max(g.day) as last_day")  # fmt: skip


def report(name: str, where: str, columns: tuple[str, ...] = COLUMNS) -> str:
    return REPORT.format(name=name, where=where and f"where {where}", columns=",\n".join(columns))


def made(*texts: str) -> Result:
    sources = [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    result = refactor(load(sources, "duckdb", SCHEMA), Request())
    assert {v.outcome for v in result.verdicts} == {"proved"}
    return result


def model(result: Result, name: str) -> str:
    lines = result.files[f"models/marts/{name}.sql"].splitlines()
    return flat("\n".join(line for line in lines if not line.startswith("--")))


def macro(result: Result) -> str:
    [text] = [t for path, t in result.files.items() if path.startswith("macros/") and
              path.endswith(".sql")]  # fmt: skip
    return flat(text)


def test_other_conditions_are_arguments_of_one_macro() -> None:
    result = made(
        report("at", "g.country = 'AT'"),
        report("may", "g.day >= '2024-05-01' and g.day < '2024-06-01'"),
        report("big", "i.qty > 10 or g.cents > 500"),
        report("all", ""),
    )
    assert model(result, "sales_all") == "{{ sales() }}"
    assert model(result, "sales_at") == "{{ sales(condition=\"g.country = 'at'\") }}"
    assert "condition='(i.qty > 10 or g.cents > 500)'" in model(result, "sales_big")
    assert macro(result).startswith("{% macro sales(condition='true') %}")
    assert "where {{ condition }}" in macro(result)


def test_fewer_columns_in_another_order_are_taken_from_it() -> None:
    result = made(
        report("at", "g.country = 'AT'"),
        report("de", "g.country = 'DE'", COLUMNS[3:1:-1]),
        report("fr", "g.country = 'FR'"),
        report("nl", "g.country = 'NL'", COLUMNS[:3]),
    )
    text = model(result, "sales_de")
    assert text == "{{ sales('de', columns='country, month, first_day, pieces') }}"
    assert "columns='country, month, customers, cents, pieces, first_day, last_day'" in macro(
        result
    )


def test_a_list_that_one_report_would_say_is_longer_than_its_query() -> None:
    result = made(
        report("at", "g.country = 'AT'"),
        report("de", "g.country = 'DE'", COLUMNS[3:1:-1]),
        report("fr", "g.country = 'FR'"),
    )
    assert model(result, "sales_de").startswith("select country,")
    assert macro(result).startswith("{% macro sales(country) %}")


def test_conditions_of_two_blocks_are_two_arguments() -> None:
    inner = "where not coalesce(o.test, false)"
    result = made(
        report("at", "g.country = 'AT'"),
        report("tests", "i.qty > 10").replace(inner, "where o.test"),
        report("sku", "i.sku like 'a%'"),
    )
    assert "good_condition='o.test'" in model(result, "sales_tests")
    assert macro(result).count("condition }}") == 2


def test_another_boundary_stands_where_that_of_the_others_stands() -> None:
    text = report("{}", "g.country = '{}'").replace("false)\n", "false) and o.cents > 0\n")
    copies = [text.format(name, name.upper()) for name in ("at", "be", "de", "fr")]
    result = made(copies[0].replace("> 0", ">= 0"), *copies[1:])
    assert model(result, "sales_at") == "{{ sales('at', cents_condition='o.cents >= 0') }}"
    assert model(result, "sales_de") == "{{ sales('de') }}"
    assert macro(result).startswith("{% macro sales(country, cents_condition='o.cents > 0') %}")


def test_a_column_that_one_copy_makes_otherwise_is_an_argument_with_a_default() -> None:
    drifted = tuple(c.replace("distinct ", "") for c in COLUMNS)
    result = made(
        report("at", "g.country = 'AT'"),
        report("de", "g.country = 'DE'"),
        report("fr", "g.country = 'FR'", drifted),
        report("nl", "g.country = 'NL'"),
    )
    text = macro(result)
    assert "{% macro sales(country, customers='count(distinct g.customer)') %}" in text
    assert "{{ customers }} as customers" in text
    assert model(result, "sales_de") == "{{ sales('de') }}"
    assert model(result, "sales_fr") == "{{ sales('fr', customers='count(g.customer)') }}"


def test_what_was_put_into_one_query_and_drifted_is_told_from_the_block_that_others_have() -> None:
    """Its columns are those of tables; the others have a CTE that it does not."""
    merged = """create table r.sales_fr as
        select o.country, date_trunc('month', o.day) as month,
            count(distinct o.customer) as customers, sum(coalesce(o.cents, 0)) as cents,
            sum(i.qty) as pieces, min(o.day) as first_day, max(o.day) as last_day
        from s.orders o join s.items i on i.order_id = o.id
        where not coalesce(o.test, false) and o.country = 'FR'
        group by 1, 2"""
    others = [report(n, f"g.country = '{n.upper()}'") for n in ("at", "de", "nl")]
    result = made(*others, merged)
    assert "sum(coalesce(g.cents, 0))" in model(result, "sales_fr")
    assert model(result, "sales_fr").startswith("{{ sales(")


def test_what_cannot_be_said_in_the_block_stays_with_its_report() -> None:
    drifted = tuple(c.replace("sum(g.cents)", "sum((select max(x.qty) from s.items x))")
                    for c in COLUMNS)  # fmt: skip
    result = made(
        report("at", "g.country = 'AT'"),
        report("de", "g.country = 'DE'"),
        report("fr", "g.country = 'FR'", drifted),
    )
    assert "sum(" in model(result, "sales_fr")


def test_another_wording_of_a_condition_gives_way() -> None:
    """Aliases, idioms and the order of conjuncts are the first author's."""
    other = report("may", "g.day >= '2024-05-01'")
    other = other.replace("not coalesce(o.test, false)", "o.test is not true").replace(
        "from good g join s.items i on i.order_id = g.id", "from s.items x, good y"
    )
    for alias, new in (("g.", "y."), ("i.qty", "x.qty")):
        other = other.replace(f"({alias}", f"({new}").replace(f" {alias}", f" {new}")
    other = other.replace("distinct g.", "distinct y.").replace(
        "where y.day", "where x.order_id = y.id and y.day"
    )
    result = made(report("at", "g.country = 'AT'"), report("de", "g.country = 'DE'"), other)
    assert "g.day >= " in model(result, "sales_may")


@pytest.mark.parametrize(
    "where",
    ["g.country = '{{ x }}'", "g.country = 'it''s'", "g.country = '\"'", "g.country = '\\'"],
)
def test_what_a_condition_holds_does_no_harm(where: str) -> None:
    result = made(report("odd", where), report("big", "g.cents > 500"), report("all", ""))
    assert "condition=" in model(result, "sales_odd")


def test_a_condition_that_cannot_move_leaves_its_report_alone() -> None:
    """The rows that a HAVING or a window sees are others."""
    windowed = report("rank", "g.cents > 5").replace(
        "sum(g.cents) as cents", "sum(sum(g.cents)) over () as cents"
    )
    result = made(report("at", "g.country = 'AT'"), report("de", "g.country = 'DE'"), windowed)
    assert "over ()" in model(result, "sales_rank")


def test_few_columns_of_a_short_query_are_no_reason() -> None:
    texts = [f"create table r.x{i} as select a from s.t where {c}" for i, c in
             enumerate(("a > 1", "b > 1", "c > 1"))]  # fmt: skip
    sources = [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    result = refactor(load(sources, "duckdb"), Request())
    assert result.macros == 0
    assert model(result, "x0") == "select a from {{ source('s', 't') }} where a > 1"


LEFT = """create table r.sold_{name} as
select o.country, count(distinct o.customer) as customers, sum(i.qty) as pieces
from s.orders o left join (select order_id, sum(qty) as qty from s.items group by order_id) i
  on i.order_id = o.id
{where}
group by o.country"""


def test_a_condition_that_makes_a_join_an_inner_one_is_an_argument_like_others() -> None:
    result = made(
        LEFT.format(name="test", where="where o.test"),
        LEFT.format(name="big", where="where i.qty > 10"),
        LEFT.format(name="at", where="where o.country = 'AT'"),
        LEFT.format(name="all", where=""),
    )
    assert model(result, "sold_big") == "{{ sold(condition='i.qty > 10') }}"
    assert model(result, "sold_at") == "{{ sold(condition=\"o.country = 'at'\") }}"
    assert "left join" in macro(result)


def test_a_report_that_does_not_need_a_join_takes_its_columns_of_one_that_has_it() -> None:
    few = """create table r.sold_few_{name} as
        select country, count(distinct customer) as customers
        from s.orders where day >= '202{name}-01-01' group by country"""
    countries = (LEFT.format(name=c, where=f"where o.country = '{c}'") for c in ("at", "de", "fr"))
    result = made(*countries, *(few.format(name=n) for n in range(3)))
    assert model(result, "sold_few_1") == (
        "{{ sold(\"o.day >= '2021-01-01'\", columns='country, customers') }}"
    )


def test_a_join_of_one_report_that_keeps_matches_only_is_a_condition() -> None:
    sold = """create table r.sold_{name} as
        select o.country, count(distinct o.customer) as customers, sum(i.qty) as pieces
        from s.orders o {join} s.items i on i.order_id = o.id
        where o.country = '{name}' group by o.country"""
    joins = {"at": "left join", "de": "left join", "ch": "left join", "fr": "join"}
    result = made(*(sold.format(name=name, join=join) for name, join in joins.items()))
    said = "{{ sold('fr', condition='not i.order_id is null') }}"
    assert model(result, "sold_fr") == said


def test_days_between_are_another_condition_than_days_from_and_before() -> None:
    result = made(
        report("may", "g.day >= '2024-05-01' and g.day < '2024-06-01'"),
        report("june", "g.day >= '2024-06-01' and g.day < '2024-07-01'"),
        report("july", "g.day between '2024-07-01' and '2024-07-31'"),
    )
    assert "between '2024-07-01' and '2024-07-31'" in model(result, "sales_july")
    assert "sales(" in model(result, "sales_july")


def test_a_column_of_a_condition_that_the_model_has_no_name_for_is_what_it_is_made_of() -> None:
    inline = """create table r.sales_{name} as
        select upper(o.country) as country, count(distinct o.customer) as customers,
          sum(o.cents) as cents, sum(i.qty) as pieces
        from s.orders o join s.items i on i.order_id = o.id
        where o.cents > {name} group by 1"""
    block = """create table r.sales_at as
        with good as (select id, customer, upper(country) as land, cents from s.orders)
        select g.land as country, count(distinct g.customer) as customers, sum(g.cents) as cents,
          sum(i.qty) as pieces
        from good g join s.items i on i.order_id = g.id
        where g.land = 'AT' group by 1"""
    result = made(*(inline.format(name=name) for name in (10, 20, 30)), block)
    assert "sales(\"upper(o.country) = 'at'\")" in model(result, "sales_at")


def test_an_item_of_an_inner_query_that_one_copy_makes_otherwise_is_an_argument() -> None:
    costs = """create table r.costs_{name} as
        select a.month, a.buyers, a.buyers * 100.0 / b.pieces as share, b.pieces from
          (select date_trunc('month', o.day) as month, count({what}) as buyers
           from s.orders o where o.country = '{name}' group by 1) a
        left join
          (select date_trunc('month', o.day) as month, sum(i.qty) as pieces
           from s.orders o join s.items i on i.order_id = o.id
           where o.country = '{name}' group by 1) b on a.month = b.month"""
    said = {"at": "distinct o.customer", "de": "distinct o.customer", "fr": "o.customer"}
    result = made(*(costs.format(name=name, what=what) for name, what in said.items()))
    assert "buyers='count(o.customer)'" in model(result, "costs_fr")
    assert "buyers='count(distinct o.customer)'" in macro(result)


NAMED = """create table r.paid_{name} as
with good as (
    select o.id, o.customer, o.country, coalesce(o.cents, 0) as paid from s.orders o
    where not coalesce(o.test, false) and o.day is not null
)
select g.country, sum(g.paid) as cents, min(g.paid) as least, max(g.paid) as most,
    count(distinct g.customer) as customers, sum(i.qty * g.paid) as value
from good g join s.items i on i.order_id = g.id {where} group by 1"""
MERGED = """create table r.paid_{name} as
select o.country, sum(coalesce(o.cents, 0)) as cents, min(coalesce(o.cents, 0)) as least,
    max(coalesce(o.cents, 0)) as most, count(distinct o.customer) as customers,
    sum(i.qty * coalesce(o.cents, 0)) as value
from s.orders o join s.items i on i.order_id = o.id
where not coalesce(o.test, false) and o.day is not null and {where} group by 1"""


def test_words_with_a_query_of_a_name_are_those_of_all() -> None:
    result = made(
        NAMED.format(name="all", where=""),
        MERGED.format(name="at", where="o.country = 'AT'"),
        MERGED.format(name="de", where="o.country = 'DE'"),
        MERGED.format(name="big", where="coalesce(o.cents, 0) /* not gross */ > 500"),
    )
    assert model(result, "paid_big") == "{{ paid(condition='g.paid > 500') }}"
    assert model(result, "paid_at") == "{{ paid(condition=\"g.country = 'at'\") }}"
    assert "sum(g.paid) as cents" in macro(result)


COUNTED = """create table r.paid_{name} as
with all_of as (
    select o.country, sum(coalesce(o.cents, 0)) as cents, min(o.cents) as least,
        max(o.cents) as most, count(distinct o.customer) as customers, sum(i.qty) as pieces
    from s.orders o join s.items i on i.order_id = o.id
    where not coalesce(o.test, false) and o.day is not null {where} group by 1
)
select a.country, a.cents, a.least, a.most, a.customers, a.pieces from all_of a"""


def test_a_query_that_only_says_otherwise_what_another_one_has_counted_leads_no_kin() -> None:
    [inner] = COUNTED.split("(\n", 1)[1:]
    outer = "create table r.paid_{name} as " + inner.rpartition(")")[0]
    result = made(
        COUNTED.format(name="all", where=""),
        outer.format(name="new", where="and o.id > 700"),
        outer.format(name="old", where="and o.id < 20"),
        outer.format(name="big", where="and o.cents > 500"),
    )
    assert "all_of" not in macro(result)
    assert "condition='o.cents > 500'" in model(result, "paid_big")


def test_an_item_that_is_a_query_in_one_copy_only_is_no_argument() -> None:
    table = "create table shop.pages (site int, kind text, bytes int);"
    rows = "select site, kind from shop.pages where bytes > 0"
    counted = "(select count(*) from w0 as v where v.site = w.site)"
    ranked = "row_number() over (partition by w.site order by w.kind)"
    queries = {
        "kpi": (rows.replace("select", "select distinct"), counted),
        "ranks": ("select site, kind from shop.pages group by all", ranked),
        "sales": (f"{rows} group by all", counted),
    }
    texts = [
        f"create table rep.{name} as with w0 as ({inner}) "
        f"select distinct w.site as a, {item} as b from w0 as w;"
        for name, (inner, item) in queries.items()
    ]
    sources = [Source(f"{at}.sql", text, "duckdb") for at, text in enumerate([table, *texts])]
    result = refactor(load(sources, "duckdb"), Request())
    assert [verdict.outcome for verdict in result.verdicts] == ["proved"] * 3
