"""Reports tested on databases made from the queries alone, beside right and wrong models."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite import refactor
from unwet.rewrite.algebra import Plan
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove import generated
from unwet.rewrite.prove.against import reference
from unwet.rewrite.prove.evidence import Evidence
from unwet.rewrite.prove.generated import LATE, Budget, gather
from unwet.rewrite.prove.generation import Generator
from unwet.rewrite.prove.strength import Strength
from unwet.rewrite.prove.synthetic.database import Database, Table
from unwet.rewrite.prove.synthetic.units import Unit
from unwet.rewrite.verdicts import Score
from unwet.tests.rewrite.laid_out import replaced

BASE = (
    "create table r.base as select o.id, o.customer_id, o.amount from shop.orders o "
    "where o.status in ('paid', 'shipped') and o.amount > 0"
)
REVENUE = (
    "create table r.revenue as select c.id, coalesce(sum(b.amount), 0) as revenue "
    "from shop.customers c left join r.base b on b.customer_id = c.id "
    "where c.country = 'DE' group by c.id"
)


class Bench:
    """A pile and the project that `refactor` makes of it, to be spoilt."""

    def __init__(self, root: Path, *texts: str, dialect: str = "postgres") -> None:
        self.dialect = dialect
        sources = [Source(f"{n}.sql", text, dialect) for n, text in enumerate(texts, 1)]
        self.meaning = Meaning(load(sources, dialect))
        self.project = root / "project"
        refactor.refactor(self.meaning, refactor.Request(self.project))

    def edit(self, model: str, old: str, new: str) -> None:
        path = next(self.project.rglob(f"{model}.sql"))
        text = path.read_text("utf-8")
        path.write_text(replaced(text, old, new), "utf-8")

    def evidence(
        self, *names: str, budget: Budget | None = None, values: Mapping[str, str] | None = None
    ) -> Mapping[str, Evidence]:
        reports = [r for r in self.meaning.state.reports if not names or r.name in names]
        return gather(
            self.meaning,
            self.project,
            [reference(report) for report in reports],
            self.dialect,
            values or {},
            budget or Budget(),
        )


def test_the_same_rows_and_what_that_is_worth(tmp_path: Path) -> None:
    found = Bench(tmp_path, BASE, REVENUE).evidence()
    assert {name: each.verdict.verdict for name, each in found.items()} == {
        "base": "identical",
        "revenue": "identical",
    }
    for each in found.values():
        assert each.data_sets > 1
        assert each.score is not None and each.score.killed >= 0.75 * each.score.valid > 0


def test_a_report_is_tested_on_given_results_of_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BASE, REVENUE)
    bench.edit("base", "> 0", "> 1")  # wrong, but none of revenue's business
    found = bench.evidence()
    assert found["base"].verdict.verdict == "different"
    assert found["revenue"].verdict.verdict == "identical"


def test_a_difference_is_shown_with_a_script(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BASE, REVENUE)
    bench.edit("revenue", "LEFT JOIN", "JOIN")
    (found,) = bench.evidence("revenue").values()
    assert found.verdict.verdict == "different"
    assert found.verdict.sample
    assert found.words.startswith("the rows differ on generated data: rows ")
    assert 'CREATE OR REPLACE TABLE "r"."base"' in found.counterexample
    assert found.counterexample.count("EXCEPT ALL") == 2
    assert len(found.verdict.sample) == 1  # on one customer, without any order
    assert found.counterexample.count("INSERT INTO") == 1


def test_rows_that_are_there_twice_and_ties_are_shown(tmp_path: Path) -> None:
    made = {
        "both": "select a from s.t intersect select a from s.u",
        "few": "select a from s.t order by a fetch first 3 rows only",
    }
    base = "create table s.t (a int); create table s.u (a int)"
    bench = Bench(tmp_path, base, *(f"create table r.{n} as {q}" for n, q in made.items()))
    bench.edit("both", "INTERSECT", "INTERSECT ALL")
    path = next(bench.project.rglob("few.sql"))
    new = "select a from {{ source('s', 't') }} order by a fetch first 3 rows with ties"
    path.write_text(new, "utf-8")
    found = bench.evidence()
    assert {n: e.verdict.verdict for n, e in found.items()} == dict.fromkeys(made, "different")


QUOTIENTS = {
    "a cast that changes nothing": ("CAST(SUM(b) AS DECIMAL) / COUNT(*)", "identical"),
    "its fraction is cut off": ("FLOOR(SUM(b) / COUNT(*))", "different"),
}


@pytest.mark.parametrize("name", QUOTIENTS)
def test_a_declared_bigint_has_sums_whose_quotients_have_fractions(
    name: str, tmp_path: Path
) -> None:
    """PostgreSQL's manual, table 9.60: SUM of bigint is numeric."""
    new, expected = QUOTIENTS[name]
    table = "create table s.t (k integer, b bigint)"
    query = "create table r.a as select k, sum(b) / count(*) as q from s.t group by k"
    bench = Bench(tmp_path, table, query)
    path = next(bench.project.rglob("a.sql"))
    new = f"select k, {new} as q from {{{{ source('s', 't') }}}} group by k"
    path.write_text(new, "utf-8")
    (found,) = bench.evidence("a").values()
    assert found.verdict.verdict == expected


def test_what_shows_no_mistake_is_no_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none could be made, nobody knows what equal rows are worth."""
    monkeypatch.setattr(generated, "strength", lambda unit, *_, **__: Strength(unit.name))
    table = "create table s.t (a integer)"
    bench = Bench(tmp_path, table, "create table r.a as select a from s.t", dialect="duckdb")
    (found,) = bench.evidence("a").values()
    assert found.verdict.verdict == "not run"
    assert "no mistake could be made in it" in found.words


def test_databases_that_cannot_be_used_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = Generator.between

    def with_a_wrong_one(self: Generator, unit: Unit, *plans: Plan) -> Iterator[Database]:
        yield Database({"s.t": Table((("a", "INTEGER"),), (("no number",),))})
        yield from between(self, unit, *plans)

    monkeypatch.setattr(Generator, "between", with_a_wrong_one)
    table = "create table s.t (a integer)"
    query = "create table r.a as select a, count(*) as n from s.t where a > 2 group by a"
    bench = Bench(tmp_path, table, query, dialect="duckdb")
    bench.edit("a", "> 2", ">= 3")
    (found,) = bench.evidence("a").values()
    assert (found.verdict.verdict, found.unused) == ("identical", 1)
    assert "; 1 more could not be used (Conversion Error" in found.words


LATEST = (
    "select id, v from (select *, row_number() over (partition by k order by {}) as n from s.t) "
    "as x where n = 1"
)
TIES = {
    "a tie-breaker": ("select id, v from s.t order by {} limit 3", "v", "v, id"),
    "the other one": ("select id, v from s.t order by {} limit 3", "v", "v, id desc"),
    "the latest": (LATEST, "v desc", "v desc, id"),
    "the first": ("select id, first_value(k) over (order by {}) as f from s.t", "v", "v, id"),
}


@pytest.mark.parametrize("name", TIES)
def test_rows_that_ties_decide_are_not_called_the_same(name: str, tmp_path: Path) -> None:
    """Not even where data without ties shows no difference."""
    query, old, new = TIES[name]
    table = "create table s.t (id integer, k integer, v integer)"
    bench = Bench(tmp_path, table, f"create table r.a as {query.format(old)}", dialect="duckdb")
    path = next(bench.project.rglob("a.sql"))
    path.write_text(query.format(new), "utf-8")
    (found,) = bench.evidence("a").values()
    assert found.verdict.verdict == "order-dependent"
    assert found.verdict.sample
    assert found.words.startswith("on generated data its own rows change")
    assert f"; the same where they do not, on {found.data_sets} more" in found.words


def test_that_rows_depend_on_ties_is_told_beside_the_same_rows(tmp_path: Path) -> None:
    query = "select id, v from s.t where v > 3 or v > 5 order by v limit 3"
    bench = Bench(tmp_path, "create table s.t (id integer, v integer)",
                  f"create table r.a as {query}", dialect="duckdb")  # fmt: skip
    path = next(bench.project.rglob("a.sql"))
    path.write_text("select id, v from s.t where v > 3 order by v limit 3", "utf-8")
    (found,) = bench.evidence("a").values()
    assert found.verdict.verdict == "identical"
    assert found.words.endswith("more its own rows change when its input is shuffled")


def test_what_functions_do_otherwise_is_shown(tmp_path: Path) -> None:
    """On blanks, capitals, what stands there twice, and the first days of a year."""
    pairs = {
        "blanks": ("trim(c)", "ltrim(c)"),
        "twice": ("regexp_replace(c, 'a', 'b')", "regexp_replace(c, 'a', 'b', 'g')"),
        "years": ("extract(year from y)", "extract(isoyear from y)"),
        "letters": ("upper(c)", "initcap(c)"),
        "now": ("y + (now() - now())", "y + (clock_timestamp() - now())"),
    }
    made = (f"create table r.{n} as select {a} as x from s.t" for n, (a, _) in pairs.items())
    bench = Bench(tmp_path, "create table s.t (c text, y timestamp)", *made)
    for path in bench.project.rglob("*.sql"):
        if path.stem in pairs and "models" in path.parts:
            new = pairs[path.stem][1]
            path.write_text(f"select {new} as x from {{{{ source('s', 't') }}}}", "utf-8")
    found = bench.evidence()
    assert {name: each.verdict.verdict for name, each in found.items()} == dict.fromkeys(
        pairs, "different"
    )


@pytest.mark.parametrize(
    "value", ["x + 1", "cast(x as int)", "x = 1", "x in (1, 2)", "x between a and 3", "x is null"]
)
def test_parameters_of_a_lambda_are_no_columns(tmp_path: Path, value: str) -> None:
    text = f"create table r.base as select list_transform([a, b], x -> {value}) as l from s.t"
    bench = Bench(tmp_path, "create table s.t (a int, b int)", text, dialect="duckdb")
    (found,) = bench.evidence(budget=Budget(report=0)).values()
    assert found.verdict.verdict == "identical", found.verdict.reason


def test_placeholders_get_a_value_on_both_sides(tmp_path: Path) -> None:
    text = "create table r.a as select a, b from s.t where d = {{ day }} and b > 3"
    bench = Bench(tmp_path, text)
    (found,) = bench.evidence().values()
    assert found.verdict.verdict == "identical"
    assert found.score is not None and found.score.killed
    bench.edit("a", "b > 3", "b >= 3")
    (found,) = bench.evidence().values()
    assert found.verdict.verdict == "different"


def test_what_only_the_model_asks_for_is_tried(tmp_path: Path) -> None:
    """No data that is made from the old query has the constant in it."""
    bench = Bench(tmp_path, "create table r.a as select a, b from s.t where b > 3")
    bench.edit("a", "b > 3", "b > 3 and b <> 7777 and a <> b - 12345")
    (found,) = bench.evidence().values()
    assert found.verdict.verdict == "different"
    assert "7777" in found.counterexample or "12345" in found.counterexample


@pytest.mark.parametrize("value", ["avg(o.amount)", "median(o.amount)"])
def test_averages_of_averages_show_in_parts_of_a_group(tmp_path: Path, value: str) -> None:
    query = f"select o.customer_id, {value} as a from shop.orders o group by o.customer_id"
    orders = "create table shop.orders (customer_id integer, region integer, amount double)"
    bench = Bench(tmp_path, orders, f"create table r.mean as {query}", dialect="duckdb")
    (path,) = bench.project.rglob("mean.sql")
    inner = f"select o.customer_id, o.region, {value} as amount from shop.orders o group by 1, 2"
    outer = f"select o.customer_id, {value} as a from ({inner}) as o group by o.customer_id"
    path.write_text(outer, "utf-8")
    (found,) = bench.evidence("mean").values()
    assert found.verdict.verdict == "different"


def test_the_first_of_a_partition_is_not_the_least(tmp_path: Path) -> None:
    """Rows that are made one after the other have greater and greater values, in all columns."""
    first = "first_value(x) over (partition by k order by id)"
    table = "create table s.t (id integer not null, k integer, x integer)"
    bench = Bench(tmp_path, table, f"create table r.a as select id, {first} as s from s.t")
    (path,) = bench.project.rglob("a.sql")
    path.write_text("select id, min(x) over (partition by k) as s from s.t", "utf-8")
    (found,) = bench.evidence("a").values()
    assert found.verdict.verdict == "different"


def test_what_shows_mistakes_that_are_hard_to_show_is_tried_on_the_model(tmp_path: Path) -> None:
    text = "select substr(a, 1, 20) as a, avg(b) as b from s.t group by substr(a, 1, 20)"
    bench = Bench(tmp_path, f"create table r.a as {text}")
    (found,) = bench.evidence().values()
    assert found.score is not None and found.score.killed == found.score.valid > 0


def test_a_select_into_is_shown_as_the_query_it_is(tmp_path: Path) -> None:
    text = "SELECT a.x AS x INTO r.big FROM s.a AS a WHERE a.x > 7"
    bench = Bench(tmp_path, text, dialect="tsql")
    bench.edit("big", "a.x > 7", "a.x >= 7")
    (found,) = bench.evidence().values()
    assert "INTO r" not in found.counterexample and "run them here" not in found.counterexample
    assert answers(found.counterexample) == [[], [("only new", 7)]]


def test_another_dialect_and_no_time_are_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BASE)
    (late,) = bench.evidence(budget=Budget(all=0.0)).values()
    assert (late.verdict.verdict, late.verdict.reason) == ("not run", LATE)
    bench.dialect = "duckdb"
    (foreign,) = bench.evidence().values()
    assert foreign.words == (
        "not tested on generated data: same rows on DuckDB, which cannot tell how postgres and "
        "duckdb differ"
    )


def test_what_does_not_run_is_not_believed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BASE)
    bench.edit("base", "o.amount > 0", "o.amount > random()")
    (found,) = bench.evidence().values()
    assert found.verdict.verdict == "not run"
    assert "uses rand" in found.verdict.reason


def broken_by(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(generator: Generator, unit: Unit) -> tuple[Database, ...]:
        if unit.name == "base":
            raise error
        return made(generator, unit)

    made = Generator.databases
    monkeypatch.setattr(Generator, "databases", broken)


def test_trouble_with_one_report_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_by(monkeypatch, OverflowError("odd"))
    found = Bench(tmp_path, BASE, REVENUE).evidence()
    assert found["base"].words == (
        "not tested on generated data: no data could be made: OverflowError: odd"
    )
    assert found["revenue"].verdict.verdict == "identical"


def test_a_fault_of_our_own_is_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_by(monkeypatch, KeyError("odd"))
    with pytest.raises(KeyError) as raised:
        Bench(tmp_path, BASE, REVENUE).evidence()
    assert raised.value.__notes__ == ["while data was made for the report base"]


def test_a_score_is_a_share() -> None:
    assert Score(3, 4).as_json() == {"killed": 3, "valid": 4, "percent": 75.0}
    assert Score(0, 0).percent is None


MONTHS = (
    "create table s.t (id int64, d date)",
    "create table r.a as select id, date_trunc(d, month) as m from s.t",
)
FIRST_DAYS = "select id, date(extract(year from d), extract(month from d), {}) as m from s.t"


@pytest.mark.parametrize(("day", "verdict"), [("1", "not run"), ("2", "different")])
def test_a_moment_where_the_engine_that_is_meant_has_a_day(
    tmp_path: Path, day: str, verdict: str
) -> None:
    """DATE_TRUNC of a day is a moment in DuckDB."""
    bench = Bench(tmp_path, *MONTHS, dialect="bigquery")
    next(bench.project.rglob("a.sql")).write_text(FIRST_DAYS.format(day), "utf-8")
    (found,) = bench.evidence("a").values()
    assert found.verdict.verdict == verdict
    assert "column m was TIMESTAMP, is DATE" in found.verdict.reason


def test_null_is_not_in_rows_that_are_there(tmp_path: Path) -> None:
    """NOT IN is not true for it; NOT EXISTS is."""
    bench = Bench(tmp_path, "create table r.a as select id from s.t where a not in "
                            "(select v from s.u)")  # fmt: skip
    anti = "select id from s.t where not exists (select 1 from s.u where u.v = t.a)"
    next(bench.project.rglob("a.sql")).write_text(anti, "utf-8")
    (found,) = bench.evidence("a").values()
    assert found.verdict.verdict == "different"


def answers(script: str) -> list[list[tuple[object, ...]]]:
    """What the queries of a script return."""
    with duckdb.connect() as connection:
        ran = [(each.query.strip(), connection.execute(each).fetchall())
               for each in connection.extract_statements(script)]  # fmt: skip
    return [rows for query, rows in ran if query.startswith("SELECT")]
