"""What has to run to make a report, and what is given to it."""

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.synthetic.units import Unit, units


def found(*texts: str, dialect: str = "postgres") -> dict[str, Unit]:
    sources = [Source(f"{number}.sql", text, dialect) for number, text in enumerate(texts, 1)]
    return {unit.name: unit for unit in units(Meaning(load(sources, dialect)))}


def ran(unit: Unit) -> list[tuple[str, int]]:
    """Path and number (0-based) of each statement that runs."""
    return [(s.source.path, each.index) for s in unit.scripts for each in s.statements]


def test_a_query_is_given_the_tables_it_reads() -> None:
    text = "select a from shop.t join shop.u on t.k = u.k where a in (select a from v)"
    (unit,) = found(text).values()
    assert ran(unit) == [("1.sql", 0)]
    assert unit.inputs == ("shop.t", "shop.u", "v")


def test_a_temporary_table_is_made_and_another_report_is_given() -> None:
    unit = found(
        "create table r.a as select x from s.t",
        "create temp table tmp as select x from r.a; create table r.b as select x from tmp; "
        "select 1 as one",
    )["b"]
    assert ran(unit) == [("2.sql", 0), ("2.sql", 1)]
    assert unit.inputs == ("r.a",)


def test_a_report_made_in_the_same_script_is_given_too() -> None:
    unit = found("create table r.a as select x from s.t; create table r.b as select x from r.a")[
        "b"
    ]
    assert ran(unit) == [("1.sql", 1)]
    assert unit.inputs == ("r.a",)


def test_a_declared_table_that_nobody_fills_is_given() -> None:
    unit = found("create table s.t (x int)", "create table r.a as select x from s.t")["a"]
    assert ran(unit) == [("2.sql", 0)]
    assert unit.inputs == ("s.t",)


def test_all_that_fills_a_table_runs_with_its_declaration() -> None:
    unit = found(
        "create table r.a (x int, y text)",
        "insert into r.a (x) select x from s.t; insert into r.b select 1; "
        "update r.a set y = 'n' where x in (select x from s.u)",
    )["a"]
    assert ran(unit) == [("1.sql", 0), ("2.sql", 0), ("2.sql", 2)]
    assert unit.inputs == ("s.t", "s.u")


def test_a_table_that_is_only_changed_is_given() -> None:
    unit = found("delete from r.a where x in (select x from s.u)")["a"]
    assert ran(unit) == [("1.sql", 0)]
    assert unit.inputs == ("r.a", "s.u")


def test_an_earlier_state_is_made() -> None:
    unit = found(
        "create table r.a as select x from s.t; create table r.b as select x from r.a; "
        "insert into r.a select x from s.u"
    )["b"]
    assert ran(unit) == [("1.sql", 0), ("1.sql", 1)]
    assert unit.inputs == ("s.t",)


def test_what_cannot_be_parsed_has_no_scripts() -> None:
    (unit,) = found("select a from t where (").values()
    assert unit.scripts == () and unit.inputs == ()
