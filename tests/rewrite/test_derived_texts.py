"""A date or a year that the name of a table has in it is not said beside that."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from jinja2 import Environment
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.derived_texts import with_derived_texts
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text
from unwet.rewrite.targets.jinja_values import argument, usual

TABLES = ("2020_08_01", "2021_07_01", "2022_06_01")
Said = Mapping[str, Leaf]


def text(said: str) -> Leaf:
    return Leaf("string", said)


def table(name: str, date: str = "", year: str = "") -> Said:
    """What a call says: where the table is of another schema, its name is all that is said."""
    return {
        "table": Leaf("condition", name),
        "date": text(date or name.replace("_", "-")),
        "year": Leaf("number", year or name[:4]),
    }


def library(*said: Said, hosts: int = 0, defaults: Mapping[str, str] | None = None) -> Library:
    """Calls of one macro, in models of their own or in so many."""
    calls = tuple(MacroCall("m", tuple(each.items())) for each in said)
    words = [exp.Var(this=f"call__{n}__call") for n in range(len(said))]
    models: dict[str, exp.Expr] = {f"r{n}": word for n, word in enumerate(words)}
    if hosts:
        models = {"all": exp.union(*(exp.select(word) for word in words), distinct=False)}
    tree = parse_one("SELECT h__year__h FROM h__table__h WHERE date = 'h__date__h'")
    macro = Macro("m", ("year", "table", "date"), tree, "query", defaults=dict(defaults or {}))
    return Library(models, (macro,), calls)


def texts(made: Library) -> list[str]:
    return [call_text(call, "bigquery", made.calls) for call in made.calls]


def test_a_date_and_a_year_follow_from_a_table() -> None:
    made = with_derived_texts(library(*map(table, TABLES)))
    assert texts(made) == [f"{{{{ m(table='{each}') }}}}" for each in TABLES]
    said = {name: usual(each, "bigquery", ()) for name, each in made.macros[0].defaults.items()}
    assert said == {"date": "table | replace('_', '-')", "year": "table[:4]"}


def test_another_date_is_still_said() -> None:
    made = with_derived_texts(library(*map(table, TABLES), table("2024_06_01", "2024-05-01")))
    assert texts(made)[-1] == "{{ m(table='2024_06_01', date='2024-05-01') }}"


def test_half_of_the_calls_are_not_enough() -> None:
    odd = [table(each, "2019-01-01") for each in TABLES]
    made = with_derived_texts(library(*map(table, TABLES), *odd))
    assert {"date", "year"} & {*made.macros[0].defaults} == {"year"}


def test_one_text_says_nothing_of_others() -> None:
    made = with_derived_texts(library(*[table("2020_08_01")] * 3))
    assert made.macros[0].defaults == {}


def test_what_was_the_default_is_said_where_it_does_not_follow() -> None:
    start = library(*map(table, TABLES), table("2024_06_01", "2019-07-01"),
                    defaults={"date": "2019-07-01"})  # fmt: skip
    call = start.calls[-1]
    args = tuple((name, leaf) for name, leaf in call.args if name != "date")
    calls = (*start.calls[:-1], MacroCall("m", args, (("date", text("2019-07-01")),)))
    made = with_derived_texts(Library(start.models, start.macros, calls))
    assert texts(made)[-1] == "{{ m(table='2024_06_01', date='2019-07-01') }}"
    assert texts(made)[0] == "{{ m(table='2020_08_01') }}"


def test_branches_of_one_query_say_the_same_parameters() -> None:
    odd = table("2024_06_01", "2024-05-01")
    made = with_derived_texts(library(*map(table, TABLES), odd, hosts=1))
    assert "date" not in made.macros[0].defaults
    assert all("date=" in each for each in texts(made))


def test_what_another_default_reads_does_not_follow() -> None:
    start = library(*map(table, TABLES), defaults={"year": "h__date__h"})
    assert "date" not in with_derived_texts(start).macros[0].defaults


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2020_08_01", "2020-08-01"),
        ("2020-08-01", "2020_08_01"),
        ("2020_08_01", "2020"),
        ("2020-08_01", "2020"),
        ("a_b", "a"),
        ("fenix_daily_v1", "fenix_daily"),
        ("fenix-daily", "fenix_daily"),
    ],
)
def test_what_a_default_prints_is_what_was_said(one: str, other: str) -> None:
    said = [{"table": text(f"{one}{n}"), "date": text(f"{other}{n}")} for n in range(2)]
    if one.startswith(other):
        said = [{"table": text(f"{n}{one}"), "date": text(f"{n}{other}")} for n in range(2)]
    made = with_derived_texts(library(*said))
    follows = {name: usual(each, "bigquery", ()) for name, each in made.macros[0].defaults.items()}
    assert len(follows) == 1
    [(name, default)] = follows.items()
    first = "table" if name == "date" else "date"
    head = f"{{% macro m({first}, {name}={default}) %}}{{{{ {name} }}}}{{% endmacro %}}"
    for each, call in zip(said, made.calls, strict=True):
        assert [given for given, _ in call.args] == [first]
        shown = Environment().from_string(f"{head}{{{{ m({argument(each[first], 'bigquery')}) }}}}")
        assert shown.render() == each[name].text


def test_a_text_that_only_begins_so_does_not_follow() -> None:
    said = [{"table": text(each), "date": text(each[:3])} for each in TABLES]
    assert with_derived_texts(library(*said)).macros[0].defaults == {}


REPORT = """CREATE TABLE r{0} AS
SELECT {0} AS year, t.app, COUNT(DISTINCT t.url) AS pages, SUM(p.bytes) AS bytes,
  MIN(p.bytes) AS least, MAX(p.bytes) AS most, SUM(p.bytes) * 1.0 / COUNT(*) AS mean_bytes
FROM technologies.t_{0}_07_01 AS t JOIN stats.pages AS p ON p.url = t.url
WHERE t.category = 'CMS' AND p.day = 't-{0}-07-01' GROUP BY t.app"""


def test_a_project_says_the_table_and_no_date() -> None:
    years = (2020, 2021, 2022)
    schema = {f"technologies.t_{year}_07_01": ["url", "app", "category"] for year in years}
    schema["stats.pages"] = ["url", "bytes", "day"]
    sources = [Source(f"r{year}.sql", REPORT.format(year), "duckdb") for year in years]
    result = refactor(load(sources, "duckdb", schema), Request())
    assert {each.outcome for each in result.verdicts} == {"proved"}
    [macro] = [body for path, body in result.files.items()
               if path.startswith("macros/") and path.endswith(".sql")]  # fmt: skip
    assert "=table | replace('_', '-')" in macro
    assert "(2021, 't_2021_07_01')" in result.files["models/marts/r2021.sql"]


def test_rows_of_a_loop_say_one_column_less() -> None:
    made = with_derived_texts(library(*map(table, TABLES), hosts=1))
    assert texts(made) == [f"{{{{ m(table='{each}') }}}}" for each in TABLES]
