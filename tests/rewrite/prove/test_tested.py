"""Old and new on the same data, end to end."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from unwet.lineage.parse import Script, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.prove import worlds
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.engines import open_duckdb
from unwet.rewrite.prove.tested import DataVerdict, run_tests

ORDERS = (
    "id,region,amount,day\n1,n,5,2024-01-31\n2,n,5,2024-02-01\n3,s,7,2024-02-01\n"
    "4,s,,2024-02-02\n5,,9,2024-03-01\n6,w,1,2024-03-01\n"
)
SOURCES = "sources: [{name: shop, schema: shop, tables: [{name: orders}]}]"
LEGACY = {
    "north.sql": "CREATE TABLE rep.north AS SELECT id, amount FROM shop.orders WHERE region = 'n'",
    "south.sql": "CREATE TABLE rep.south AS SELECT id, amount FROM shop.orders WHERE region = 's'",
    "total.sql": "SELECT region, sum(amount), count(*) AS n FROM shop.orders GROUP BY region",
}
MODELS = {
    "macros/of.sql": "{% macro of(r) %}select id, amount from {{ ref('stg_orders') }} "
    "where region = '{{ r }}'{% endmacro %}",
    "models/stg_orders.sql": "select * from {{ source('shop', 'orders') }}",
    "models/north.sql": "{{ of('n') }}",
    "models/south.sql": "{{ of('s') }}",
    "models/total.sql": "select region, sum(amount) as amount, count(*) as n "
    "from {{ ref('stg_orders') }} group by region",
}
REPORTS = (
    ReportRef("north", "rep.north", "north"),
    ReportRef("south", "rep.south", "south"),
    ReportRef("total", "", "total", "total.sql", 1),
)


class Bench:
    """Writes data and project, runs the tests."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("data/shop/orders.csv", ORDERS)
        self.write("project/dbt_project.yml", "name: p\nvars: {since: '2024-01-01'}\n")
        self.write("project/models/sources.yml", SOURCES)

    def write(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def run(
        self,
        legacy: Mapping[str, str],
        models: Mapping[str, str],
        *reports: ReportRef,
        vars: Mapping[str, str] | None = None,
        seconds: float | None = 20,
    ) -> dict[str, DataVerdict]:
        for name, content in models.items():
            self.write(f"project/{name}", content)
        found = run_tests(
            [script(path, sql) for path, sql in legacy.items()],
            self.root / "project",
            reports,
            self.root / "data",
            "duckdb",
            vars,
            seconds=seconds,
            clock=datetime(2024, 2, 1),
        )
        assert [verdict.name for verdict in found] == [report.name for report in reports]
        return {verdict.name: verdict for verdict in found}


def script(path: str, sql: str) -> Script:
    return parse(mask(Source(path, sql)), "postgres")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_right_project(bench: Bench) -> None:
    found = bench.run(LEGACY, MODELS, *REPORTS)
    assert {v.name: (v.verdict, v.rows_before, v.rows_after) for v in found.values()} == {
        "north": ("identical", 2, 2),
        "south": ("identical", 2, 2),
        "total": ("identical", 4, 4),
    }
    assert all(not v.sample for v in found.values())


@pytest.mark.parametrize(
    ("file", "content", "report"),
    [
        ("models/north.sql", "{{ of('s') }}", "north"),
        ("models/north.sql", "{{ of('n') }} and amount > 5", "north"),
        ("models/north.sql", "{{ of('n') }} union all {{ of('n') }}", "north"),
        ("models/north.sql", "{{ of('n') }} limit 1", "north"),
        ("models/south.sql", "select id, coalesce(amount, 0) as amount from ({{ of('s') }})",
         "south"),
        ("models/south.sql", "select id, amount::double as amount from ({{ of('s') }})", "south"),
        ("models/south.sql", "select amount, id from ({{ of('s') }})", "south"),
        ("models/south.sql", "select id, amount as sum from ({{ of('s') }})", "south"),
        ("models/total.sql", "select region, sum(amount) as amount, count(amount) as n from "
         "{{ ref('stg_orders') }} group by region", "total"),
        ("models/total.sql", "select region, sum(amount) as amount, count(*) as n from "
         "{{ ref('stg_orders') }} where region is not null group by region", "total"),
        ("models/total.sql", "{% for r in ['n', 's'] %}select '{{ r }}' as region, sum(amount) as "
         "amount, count(*) as n from ({{ of(r) }}){{ ' union all ' if not loop.last }}{% endfor %}",
         "total"),
    ],
)  # fmt: skip
def test_wrong_projects(bench: Bench, file: str, content: str, report: str) -> None:
    found = bench.run(LEGACY, {**MODELS, file: content}, *REPORTS)
    assert found[report].verdict == "different"
    assert found[report].reason
    assert all(v.verdict == "identical" for name, v in found.items() if name != report)


def test_a_wrong_staging_model_hits_all(bench: Bench) -> None:
    models = {**MODELS, "models/stg_orders.sql": "select * from {{ source('shop', 'orders') }} "
              "where id <> 1 and id <> 3"}  # fmt: skip
    found = bench.run(LEGACY, models, *REPORTS)
    assert {v.verdict for v in found.values()} == {"different"}
    assert found["north"].sample[0].row == ("1", "5")
    assert found["north"].reason == "rows 1 removed"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{{ nope() }}", "'nope' is undefined"),
        ("select nope from {{ ref('stg_orders') }}", "nope"),
        ("select id, amount from {{ ref('stg_orders') }} where random() < 2", "uses rand"),
        ("select from where", "model north"),
        ("select 1; select 2", "2 statements"),
        ("drop table x", "is no query"),
        ("select * from read_csv('/etc/passwd')", "Permission"),
        ("select * from {{ source('rep', 'north') }}", "not declared"),
        ("select * from rep.north", "old result it should replace"),
        ("select sum(a.range * b.range) from range(9999999) a, range(9999999) b", "stopped after"),
    ],
)
def test_a_model_that_fails_loses_only_itself(bench: Bench, content: str, reason: str) -> None:
    found = bench.run(LEGACY, {**MODELS, "models/north.sql": content}, *REPORTS, seconds=1)
    assert found["north"].verdict == "not run"
    assert reason in found["north"].reason
    assert found["north"].rows_before is None
    assert found["south"].verdict == found["total"].verdict == "identical"


def test_a_failed_input_is_named(bench: Bench) -> None:
    found = bench.run(LEGACY, {**MODELS, "models/stg_orders.sql": "select nope"}, *REPORTS)
    assert all(v.verdict == "not run" and "stg_orders" in v.reason for v in found.values())


def test_a_legacy_script_that_fails_loses_only_itself(bench: Bench) -> None:
    legacy = {**LEGACY, "north.sql": "CREATE TABLE rep.north AS\nSELECT nope FROM shop.orders"}
    found = bench.run(legacy, MODELS, *REPORTS)
    assert found["north"].verdict == "not run"
    assert found["north"].reason.startswith("north.sql:1: ")
    assert found["south"].verdict == "identical"


def test_a_half_written_report_is_not_compared(bench: Bench) -> None:
    legacy = {**LEGACY, "north.sql": LEGACY["north.sql"] + ";\nINSERT INTO rep.north SELECT nope"}
    assert bench.run(legacy, MODELS, *REPORTS)["north"].verdict == "not run"


def test_an_unparsed_statement_only_harms_what_it_names(bench: Bench) -> None:
    legacy = {
        "all.sql": f"{LEGACY['north.sql']};\n{LEGACY['south.sql']};\nSELECT ) INTO rep.north;"
    }
    found = bench.run(legacy, MODELS, *REPORTS[:2])
    assert found["north"].verdict == "not run"
    assert found["south"].verdict == "identical"


def test_missing_models_and_relations(bench: Bench) -> None:
    reports = (ReportRef("a", "rep.north", "nope"), ReportRef("b", "rep.nope", "north"))
    found = bench.run(LEGACY, MODELS, *reports, ReportRef("c", "", "north", "north.sql", 9))
    assert found["a"].reason == "the project has no model nope"
    assert found["b"].reason == found["c"].reason == "the legacy scripts do not leave it behind"


def test_results_that_depend_on_the_order_of_rows(bench: Bench) -> None:
    bench.write("data/shop/ties.csv", "k,v\n" + "".join(f"{n % 3},{n}\n" for n in range(300)))
    ranked = "SELECT k, v FROM (SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY {}) AS n "
    legacy = {
        "ties.sql": f"CREATE TABLE rep.ties AS {ranked.format('k')} FROM shop.ties) t WHERE n = 1",
        "firm.sql": f"CREATE TABLE rep.firm AS {ranked.format('v')} FROM shop.ties) t WHERE n = 1",
    }
    source = "{{ source('shop', 'ties') }}"
    models = {
        "models/sources.yml": SOURCES.replace("{name: orders}", "{name: orders}, {name: ties}"),
        "models/ties.sql": f"{ranked.format('k')} FROM {source}) t WHERE n = 1",
        "models/firm.sql": f"{ranked.format('v')} FROM {source}) t WHERE n = 1",
    }
    reports = (ReportRef("ties", "rep.ties", "ties"), ReportRef("firm", "rep.firm", "firm"))
    found = bench.run(legacy, models, *reports)
    assert found["ties"].verdict == "order-dependent"
    assert "shuffled" in found["ties"].reason
    assert found["firm"].verdict == "identical"


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [
        ("WHERE n = 2", "order-dependent"),  # nobody can tell: any row of a group may be the first
        ("WHERE n = 1 AND k <> '2'", "different"),
        ("WHERE n <= 2", "different"),
        # a limit: the row that is wrong might be one of those that shuffling changes
        ("WHERE n = 1 AND k <> '2' UNION ALL SELECT 'x', 0", "order-dependent"),
    ],
)
def test_order_excuses_only_what_depends_on_it(bench: Bench, wrong: str, verdict: str) -> None:
    rows = "".join(f"{n % 3},{n}\n" for n in range(300))
    bench.write("data/shop/ties.csv", f"k,v\n{rows}x,1\n")  # one group without ties
    ranked = "SELECT k, v FROM (SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY k) AS n "
    legacy = {"t.sql": f"CREATE TABLE rep.t AS {ranked} FROM shop.ties) t WHERE n = 1 OR k = 'x'"}
    models = {
        "models/sources.yml": SOURCES.replace("{name: orders}", "{name: ties}"),
        "models/t.sql": f"{ranked} FROM {{{{ source('shop', 'ties') }}}}) t "
        + wrong.replace("n = 2", "n = 2 OR k = 'x'"),
    }
    found = bench.run(legacy, models, ReportRef("t", "rep.t", "t"))
    assert found["t"].verdict == verdict


def test_sums_that_cancel_are_order_dependent(bench: Bench) -> None:
    rows = "".join(f"{(-1) ** n * (n // 2) / 7}\n" for n in range(2, 4000))
    bench.write("data/shop/ties.csv", f"v\n{rows}")
    legacy = {"t.sql": "CREATE TABLE rep.t AS SELECT sum(v) AS s FROM shop.ties"}
    models = {
        "models/sources.yml": SOURCES.replace("{name: orders}", "{name: ties}"),
        "models/t.sql": "select sum(v) as s from (select v from {{ source('shop', 'ties') }} "
        "order by v)",
    }
    found = bench.run(legacy, models, ReportRef("t", "rep.t", "t"))
    assert found["t"].verdict == "order-dependent"


def test_random_numbers_cannot_be_tested(bench: Bench) -> None:
    legacy = {**LEGACY, "north.sql": "CREATE TABLE rep.north AS SELECT random() AS id, 1 AS amount"}
    found = bench.run(legacy, MODELS, *REPORTS)
    assert found["north"].reason == "cannot be tested: uses rand"


def test_the_clock_is_the_same_on_both_sides(bench: Bench) -> None:
    legacy = {"now.sql": "CREATE TABLE rep.now AS SELECT id, now() AS t FROM shop.orders "
              "WHERE day < CURRENT_DATE"}  # fmt: skip
    models = {"models/now.sql": "select id, current_timestamp as t from "
              "{{ source('shop', 'orders') }} where day < today()"}  # fmt: skip
    found = bench.run(legacy, models, ReportRef("now", "rep.now", "now"))
    assert (found["now"].verdict, found["now"].rows_before) == ("identical", 1)


def test_placeholders_get_their_values_on_both_sides(bench: Bench) -> None:
    legacy = {"late.sql": "CREATE TABLE {{ schema }}.late AS SELECT id FROM shop.orders "
              "WHERE day >= {{ since }}"}  # fmt: skip
    models = {"models/late.sql": "select id from {{ source('shop', 'orders') }} "
              "where day >= {{ var('since') }}"}  # fmt: skip
    report = ReportRef("late", "p__schema__p.late", "late")
    values = {"schema": "rep", "since": "DATE '2024-02-02'"}
    found = bench.run(legacy, models, report, vars=values)
    assert (found["late"].verdict, found["late"].rows_before) == ("identical", 3)
    assert bench.run(legacy, models, report, vars={"schema": "rep"})["late"].verdict == "not run"


def test_seeds_and_kept_reports_feed_models(bench: Bench) -> None:
    legacy = {**LEGACY, "named.sql": "CREATE TABLE rep.named AS SELECT n.id, "
              "'North' AS title FROM rep.north n"}  # fmt: skip
    models = {
        "seeds/titles.csv": "region,title\nn,North\n",
        "models/sources.yml": SOURCES[:-1] + ", {name: rep, tables: [{name: north}]}]",
        "models/named.sql": "select n.id, t.title from {{ source('rep', 'north') }} n, "
        "{{ ref('titles') }} t",
    }
    found = bench.run(legacy, models, ReportRef("named", "rep.named", "named"))
    assert (found["named"].verdict, found["named"].rows_before) == ("identical", 2)


def test_legacy_writes_do_not_reach_the_new_side(bench: Bench) -> None:
    legacy = {"grow.sql": "INSERT INTO shop.orders SELECT 7, 'n', 1, DATE '2024-04-01'"}
    models = {"models/orders.sql": "select * from {{ source('shop', 'orders') }}"}
    found = bench.run(legacy, models, ReportRef("orders", "shop.orders", "orders"))
    assert (found["orders"].verdict, found["orders"].reason) == ("different", "rows 1 removed")
    grown = "{{ source('shop', 'orders') }} union all select 7, 'n', 1, date '2024-04-01'"
    models = {"models/orders.sql": f"select * from {grown}"}
    found = bench.run(legacy, models, ReportRef("orders", "shop.orders", "orders"))
    assert found["orders"].verdict == "identical"


def test_no_rows_is_weak_and_said_so(bench: Bench) -> None:
    legacy = {"none.sql": "CREATE TABLE rep.none AS SELECT id FROM shop.orders WHERE id > 99"}
    models = {"models/none.sql": "select id from {{ source('shop', 'orders') }} where id > 98"}
    found = bench.run(legacy, models, ReportRef("none", "rep.none", "none"))
    assert (found["none"].verdict, found["none"].reason) == ("identical", "no rows on either side")


def test_views_stay_in_their_world(bench: Bench) -> None:
    # both a legacy view and what it reads: bound late, they would see the new side's orders
    legacy = {"grow.sql": "INSERT INTO shop.orders SELECT 7, 'n', 1, DATE '2024-04-01'",
              "view.sql": "CREATE VIEW rep.v AS SELECT id FROM shop.orders LIMIT 99"}  # fmt: skip
    models = {"models/v.sql": "select id from {{ source('shop', 'orders') }}"}
    found = bench.run(legacy, models, ReportRef("v", "rep.v", "v"))
    assert (found["v"].verdict, found["v"].rows_before, found["v"].rows_after) == (
        "different",
        7,
        6,
    )


def test_a_full_disk_stops_one_report(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "open_duckdb", partial(open_duckdb, memory="60MB", disk="1MB"))
    big = "SELECT range AS id, md5(CAST(range AS VARCHAR)) AS amount FROM range(1000000)"
    refs = (ReportRef("big", "rep.big", "big"), REPORTS[0])
    legacy = {"big.sql": f"CREATE TABLE rep.big AS {big}", "north.sql": LEGACY["north.sql"]}
    found = bench.run(legacy, {**MODELS, "models/big.sql": big}, *refs)
    assert found["big"].verdict == "not run"
    assert "the disk is full" in found["big"].reason
    assert found["north"].verdict == "identical"


def test_what_differs_need_not_be_rows() -> None:
    def differs(reason: str) -> str:
        return DataVerdict("a", "different", 1, 1, (), reason).differs

    assert differs("column x was DATE, is TIMESTAMP") == "the names or types of columns differ"
    assert differs("column x was DATE, is INTEGER; column 2 was a, is b") == (
        "the names or types of columns differ"
    )
    assert differs("the same rows in another order") == "the order of the rows differs"
    assert differs("rows 1 removed") == "the rows differ"
