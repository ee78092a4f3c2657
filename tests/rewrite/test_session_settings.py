"""What holds for a session, and what the models are taken to be built with.

The reports that are kept for it are in fixtures/rewrite/script/settings.sql.
"""

from __future__ import annotations

from unwet.tests.rewrite.test_script import state_of

DAY = "CREATE TABLE {} AS SELECT CAST(c AS DATE) AS d FROM t;"


def granted(files: dict[str, str], dialect: str = "postgres") -> dict[str, frozenset[str]]:
    reports = state_of(files, dialect).reports
    assert not any(each.definition.problem for each in reports)
    return {each.name: each.definition.assumed for each in reports}


def test_one_value_for_all_is_taken_for_granted() -> None:
    both = {"a": f"SET datestyle = 'ISO, DMY';\n{DAY.format('r')}"}
    both["b"] = f"SET datestyle TO 'iso, dmy';\n{DAY.format('s')}"
    told = "datestyle is iso, dmy where the models are built, too: line 1 of a.sql sets it"
    assert granted(both) == {"r": {told}, "s": {told}}


def test_one_time_zone_is_that_of_all() -> None:
    files = {"a": f"SET TIME ZONE 'UTC';\n{DAY.format('r')}", "b": DAY.format("s")}
    assert granted(files) == {
        "r": {"time zone is utc where the models are built, too: line 1 of a.sql sets it"},
        "s": {"scripts that set no time zone have run in utc: line 1 of a.sql sets it"},
    }


def test_what_does_not_depend_on_it_takes_nothing_for_granted() -> None:
    week = "SELECT DATEPART(weekday, a) AS w INTO r FROM t;"
    files = {"a": f"SET DATEFIRST 1;\n{week}", "b": "SELECT a INTO s FROM t;"}
    told = "datefirst is 1 where the models are built, too: line 1 of a.sql sets it"
    assert granted(files, "tsql") == {"r": {told}, "s": frozenset()}


def test_what_nobody_makes_may_be_a_view_that_depends_on_it() -> None:
    made = "CREATE TABLE q (a INT);"
    text = "SET DATEFIRST 1;\nWITH c AS (SELECT a FROM t) SELECT c.a INTO r FROM c JOIN q ON 1 = 1;"
    told = (
        "what no script makes says the same in any session (t): line 1 of a.sql sets datefirst to 1"
    )
    assert granted({"a": text, "b": made}, "tsql")["r"] == {told}
    assert granted({"a": text.replace("1;", "7;", 1), "b": made}, "tsql")["r"] == frozenset()


def test_without_settings_nothing_is_looked_at() -> None:
    assert granted({"a": DAY.format("r")}) == {"r": frozenset()}
