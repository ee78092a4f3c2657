"""One author reads a table that another has as a query in the report: both are written alike, and
proved with the table read through; what could give other rows the next time is not read through."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.verify import Request as Verifying
from unwet.rewrite.verify import verify
from unwet.tests.rewrite.laid_out import replaced

SCHEMA = {
    "s.orders": {"id": "INTEGER", "customer": "INTEGER", "country": "VARCHAR", "cents": "INTEGER",
                 "test": "BOOLEAN"},
    "s.customers": {"id": "INTEGER", "segment": "VARCHAR", "test": "BOOLEAN"},
}  # fmt: skip
CLEAN = """select o.id, o.customer, o.country, o.cents, c.segment
from s.orders o join s.customers c on c.id = o.customer
where not coalesce(o.test, false) and not coalesce(c.test, false){}"""
TOTALS = """create table r.totals_{} as {}
select x.segment, count(distinct x.customer) as customers, sum(x.cents) as cents,
min(x.cents) as least, max(x.cents) as most
from {} x where x.country = '{}' group by x.segment"""


READING = ("at", "ch")


def pile(clean: str, inline: str = CLEAN.format(""), readers: tuple[str, ...] = READING) -> Pile:
    reading = [TOTALS.format(n, "", "r.clean", n.upper()) for n in readers]
    inlining = [
        TOTALS.format(n, f"with good as ({inline})", "good", n.upper())
        for n in ("at", "ch", "de", "fr")
        if n not in readers
    ]
    texts = [f"create table r.clean as {clean}", *reading, *inlining]
    sources = [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    return load(sources, "duckdb", SCHEMA)


def written(result: Result, name: str) -> str:
    return result.files[f"models/marts/{name}.sql"]


def test_readers_of_a_table_and_those_who_have_its_query_share_one_macro() -> None:
    result = refactor(pile(CLEAN.format("")), Request())
    assert {v.outcome for v in result.verdicts} == {"proved"}
    models = {name: written(result, f"totals_{name}") for name in ("at", "ch", "de", "fr")}
    assert {text.splitlines()[-1] for text in models.values()} == {
        f"{{{{ totals('{name.upper()}') }}}}" for name in models
    }
    assert [path for path in result.files if "intermediate" in path and path.endswith("sql")] == []
    [macro] = [text for path, text in result.files.items() if path == "macros/totals.sql"]
    assert "ref('clean')" in macro
    assert "s', 'orders'" not in macro


def test_the_only_reader_of_a_table_is_one_of_those_who_have_its_query() -> None:
    """It is said in their words, although it asks for more in other ones."""
    asked = "x.country = 'AT'"
    only = TOTALS.format("at", "", "r.clean", "AT").replace(asked, "5 < x.cents and " + asked)
    inline = CLEAN.format("")
    others = [TOTALS.format(n, f"with good as ({inline})", "good", n.upper()) for n in ("ch", "de")]
    texts = [f"create table r.clean as {inline}", only, *others]
    sources = [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    result = refactor(load(sources, "duckdb", SCHEMA), Request())
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert "totals('AT', condition='x.cents > 5')" in written(result, "totals_at")
    assert "totals('CH')" in written(result, "totals_ch")


def test_a_table_with_one_reader_stays_where_nobody_has_its_query() -> None:
    """A table of one report only is a step of that one, and read there."""
    other = CLEAN.format(" and o.cents > 0").replace("join", "left join")
    result = refactor(pile(CLEAN.format(""), other, readers=("at",)), Request())
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert "ref('clean')" in written(result, "totals_at")


def test_the_written_project_is_proved_again_and_a_wrong_edit_is_not(tmp_path: Path) -> None:
    out = tmp_path / "project"
    refactor(pile(CLEAN.format("")), Request(out=out))
    asked = Verifying(project=out, rules=True)
    found = verify(pile(CLEAN.format("")), asked)
    assert {r.verdict for r in found.reports} == {"proved"}
    assert all(r.grounds.rules for r in found.reports if r.name == "totals_de")
    file = out / "models" / "marts" / "clean.sql"
    wrong = replaced(file.read_text("utf-8"), "NOT COALESCE(c.test, FALSE)", "TRUE")
    file.write_text(wrong, "utf-8")
    after = {r.name for r in verify(pile(CLEAN.format("")), asked).reports if r.open}
    assert {"clean", "totals_de", "totals_fr"} <= after


def test_a_table_with_other_rows_is_no_copy() -> None:
    result = refactor(pile(CLEAN.format(" and o.cents > 0")), Request())
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert "o.cents > 0" in written(result, "clean")


@pytest.mark.parametrize("more", [" and random() < 0.5", " limit 10"])
def test_what_may_differ_the_next_time_is_read_as_the_table(more: str) -> None:
    clean = CLEAN.format(more)
    result = refactor(pile(clean, clean), Request())
    assert all("ref('clean')" in text for name in ("at", "ch")
               for text in [_with_macros(result, f"totals_{name}")])  # fmt: skip
    assert not any("ref('clean')" in written(result, f"totals_{name}") for name in ("de", "fr"))


def test_what_takes_any_rows_of_a_table_goes_on_reading_it() -> None:
    """In other words, which are proved at once."""
    clean = CLEAN.format("").replace("select o.id", "select '1' as kind, o.id") + " order by o.id"
    some = (
        "create table r.some as select id from r.clean where kind = '1' and country = 'AT' limit 9"
    )
    found, said = pile(clean), list[str]()
    sources = [*found.sources, Source("some.sql", some, "duckdb")]
    result = refactor(load(sources, "duckdb", SCHEMA), Request(), said.append)
    assert {v.outcome for v in result.verdicts if v.name != "some"} == {"proved"}
    assert {v.outcome for v in result.verdicts if v.name == "some"} == {"order-dependent"}
    assert "ref('clean')" in written(result, "some")
    assert "looking for what repeats (2)" not in said


def _with_macros(result: Result, name: str) -> str:
    """The model and all macros, of which it may call one."""
    macros = (text for path, text in result.files.items() if path.startswith("macros/"))
    return "\n".join([written(result, name), *macros])


PLAIN = "select o.id, o.customer, o.country, o.cents from s.orders o where not o.test"
COUNTS = ("select x.country, count(*) as n from {} x group by 1",
          "select c.segment, sum(x.cents) as cents from {} x join s.customers c "
          "on c.id = x.customer group by 1")  # fmt: skip


def plain_pile() -> Pile:
    """A table of one source with nothing but a filter, and two reports that read it."""
    texts = [f"create table r.good as {PLAIN}",
             *(text.format("r.good") for text in COUNTS)]  # fmt: skip
    sources = [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    return load(sources, "duckdb", SCHEMA)


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_readers_of_a_table_of_one_source_go_on_reading_it(target: str, tmp_path: Path) -> None:
    """Nobody wants another model for a filter, but this one is there."""
    result = refactor(plain_pile(), Request(out=tmp_path / "out", target=target))
    assert {v.outcome for v in result.verdicts} == {"proved"}
    models = [text for path, text in result.files.items() if path.endswith(".sql")]
    readers = [text for text in models if "group by" in text.lower()]
    assert len(readers) == 2 and all("good" in text for text in readers)
    assert not any("not o.test" in text.lower() for text in readers)
    assert sum("not o.test" in text.lower() for text in models) == 1


@pytest.mark.parametrize("target", ["dbt", "views"])
def test_two_tables_of_the_same_rows_do_not_read_each_other(target: str) -> None:
    """`r.x` calls `y` what `r.y` reads from it."""
    texts = [f"create table r.x as with y as ({PLAIN}) select id, country, cents from y",
             "create table r.y as select id, country, cents from r.x",
             *(f"select max(cents) as {name}, count(*) as n from r.{table} {more}"
               for table in "xy" for name, more in (("a", ""), ("b", "where id > 3")))]  # fmt: skip
    sources = [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    result = refactor(load(sources, "duckdb", SCHEMA), Request(target=target))
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert result.rounds == ((),)  # where they do, nothing of the project is proved
