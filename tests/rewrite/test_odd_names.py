"""Names that some engine, file system or tool cannot take: none is lost, none hides another."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, Result, refactor

COPY = """\
CREATE TEMP TABLE good AS
SELECT o.id, o.customer, SUM(o.amount) AS amount, COUNT(*) AS n, {0} AS sign
FROM s.orders AS o WHERE o.status = 'paid' GROUP BY o.id, o.customer;
SELECT g.customer, SUM(g.amount) AS x, MAX(g.n) AS most FROM good AS g GROUP BY g.customer
HAVING MAX(g.sign) = {0} AND COUNT(*) > {0} AND MIN(g.id) > 0;
"""


def made(**texts: str) -> Result:
    return of({f"{name}.sql": text for name, text in texts.items()})


def of(texts: dict[str, str]) -> Result:
    return refactor(load([Source(p, t, "duckdb") for p, t in texts.items()], "duckdb"), Request())


def models(result: Result) -> list[str]:
    return [verdict.model for verdict in result.verdicts]


def test_long_names_are_cut_and_stay_apart() -> None:
    long = "a_report_of_the_department_of_very_long_names_by_month_and_country"
    found = models(made(**{f"{long}_one": "SELECT 1 AS x", f"{long}_two": "SELECT 2 AS x"}))
    assert len(set(found)) == 2
    assert all(len(name) <= 60 and name.startswith("a_report_of_the_") for name in found)
    assert found == models(made(**{f"{long}_two": "SELECT 2 AS x", f"{long}_one": "SELECT 1 AS x"}))


def test_names_that_differ_in_case_only() -> None:
    result = of({"in/Sales.sql": "SELECT 1 AS x", "in/sales.sql": "SELECT 2 AS x"})
    assert models(result) == ["sales", "sales_2"]
    assert {v.outcome for v in result.verdicts} == {"proved"}


def test_scripts_that_differ_in_case_only_are_both_kept() -> None:
    result = of({"in/Sales.sql": "SELECT FROM 1", "in/sales.sql": "SELECT FROM 2"})
    kept = {path: text for path, text in result.files.items() if path.startswith("legacy/")}
    assert len({path.lower() for path in kept}) == 2
    assert sorted(kept.values()) == ["SELECT FROM 1", "SELECT FROM 2"]


def test_names_of_files_with_blanks_and_signs() -> None:
    names = ["Churn.SQL", "Sales DE (final).Sql", "a - b.sql", "a__c.sql"]
    made = of({name: f"SELECT {n} AS x" for n, name in enumerate(names)})
    assert models(made) == ["a__c", "a_b", "churn", "sales_de_final"]


def test_a_dot_in_a_name_is_no_end_of_a_schema() -> None:
    """ "dbo"."per.son" is another table than dbo.per.son."""
    tables = ['dbo."per.son"', "dbo.per.son", '"dbo.per".son', "per.son", '"per.son"']
    query = "SELECT s.a, COUNT(*) AS n FROM {} AS s GROUP BY s.a"
    result = of({f"r{n}.sql": query.format(table) for n, table in enumerate(tables)})
    found = [verdict.outcome for verdict in result.verdicts]
    assert found == ["kept", "proved", "kept", "proved", "kept"]
    assert result.files["legacy/r0.sql"] == query.format('dbo."per.son"')


def test_of_several_placeholders_before_a_name_the_last_is_enough() -> None:
    texts = {
        "a.sql": "SELECT 1 AS x INTO @home@dot@prefix_1",
        "b.sql": "SELECT 2 AS x INTO @home@dot@prefix_2",
        "c.sql": "SELECT 3 AS x INTO @away@dot@prefix_2",
        "d.sql": "SELECT 4 AS x INTO @prefix_4",
    }
    pile = load([Source(path, text, "tsql") for path, text in texts.items()], "tsql")
    assert sorted(models(refactor(pile, Request()))) == [
        "awaydotprefix_2",
        "homedotprefix_2",
        "prefix_1",
        "prefix_4",
    ]


def test_reserved_words_are_models() -> None:
    result = made(select="SELECT 1 AS x", order="SELECT 2 AS x", ref="SELECT 3 AS x")
    assert {v.outcome for v in result.verdicts} == {"proved"}


def test_two_reports_with_one_output_name_have_two_models() -> None:
    result = of(
        {"a.sql": "CREATE TABLE x.r AS SELECT 1 AS a", "b.sql": "CREATE TABLE y.r AS SELECT 2 AS a"}
    )
    assert {v.relation: v.model for v in result.verdicts} == {"x.r": "r_x", "y.r": "r_y"}


def test_two_scripts_that_write_one_relation_have_two_models() -> None:
    text = "CREATE TABLE x.r AS SELECT {} AS a"
    paths = ["in/old/r.sql", "in/new/r.sql", "in/new/all.sql"]
    result = of({path: text.format(n) for n, path in enumerate(paths)})
    assert models(result) == ["r_all", "r_new", "r_old"]


def test_no_name_has_the_path_of_a_script_in_it() -> None:
    texts = {f"some/folder/{n}.sql": COPY.format(n) for n in (1, 2, 3)}
    result = of(texts)
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert result.abstractions
    assert not [path for path in result.files if "some_folder" in path and "legacy" not in path]


ODD = {
    "ddl.sql": "CREATE TABLE shop.orders (id INTEGER NOT NULL, status TEXT, amount INTEGER);\n"
    'CREATE TABLE shop."q\'q" (id INTEGER NOT NULL, amount INTEGER);',
    **{
        f"{name}.sql": f'CREATE VIEW "{name}" AS\nSELECT o.id, o.amount + {n} AS total\n'
        f"FROM shop.orders o WHERE o.status = '{name}';"
        for n, name in enumerate(("values", "order", "user", "table", "select", "union", "Sales"))
    },
    "lower.sql": 'CREATE VIEW "sales" AS SELECT o.id, o.amount FROM shop.orders o;',
    "reads.sql": "CREATE VIEW reads AS\nSELECT a.id, b.total AS b, c.total AS c, d.total AS d\n"
    'FROM "values" a '
    'JOIN "order" b ON a.id = b.id\nJOIN "user" c ON a.id = c.id JOIN "table" d ON a.id = d.id;',
    "more.sql": "CREATE VIEW more AS SELECT a.id, b.total\n"
    'FROM "select" a JOIN "union" b ON a.id = b.id;',
    "cases.sql": "CREATE VIEW cases AS\nSELECT s.id, t.amount\n"
    'FROM "Sales" s JOIN "sales" t ON s.id = t.id;',
    "quote.sql": 'CREATE VIEW quote AS SELECT q.id, q.amount FROM shop."q\'q" q;',
    **{
        f"lot_{n}.sql": f"CREATE VIEW lot_{n} AS\nSELECT q.id, COUNT(*) AS n, SUM(q.amount) AS s\n"
        f'FROM shop."q\'q" q WHERE q.amount > {n}0 GROUP BY q.id;'
        for n in (1, 2, 3)
    },
}


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_names_that_are_words_or_have_quotes_are_built_and_read(target: str) -> None:
    sources = [Source(path, text, "postgres") for path, text in ODD.items()]
    result = refactor(load(sources, "postgres"), Request(target=target))
    assert {v.name: v.reason for v in result.verdicts if v.outcome != "proved"} == {}
