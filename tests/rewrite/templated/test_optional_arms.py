"""Arms of UNION that a condition of SqlRender decides about are rows of a loop, under it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.refactor import refactor
from unwet.rewrite.request import Request, Result
from unwet.rewrite.verify import Request as Checking
from unwet.rewrite.verify import verify

ARM = (
    "SELECT '{0}' AS what, {0}_source AS said, COUNT(*) AS n "
    "FROM t WHERE {0}_id = 0 GROUP BY {0}_source"
)
ALWAYS = ("gender", "race", "unit", "route", "plan")


def script(name: str = "seen", operator: str = "UNION") -> str:
    """One that reads other columns of a table by its version."""
    arms = f"\n{operator} ".join(map(ARM.format, ALWAYS))
    return f"""-- no UNION of two
CREATE TABLE {name} AS SELECT what, said, n FROM (
{arms}
{{@v in ('5.3','5.4')}}?{{ {operator} {ARM.format("visit")}
  {operator} {{@v == '5.4'}}?{{ {ARM.format("admitted")} }}:{{ {ARM.format("admitting")} }}
}}
{operator} {ARM.format("cause")}
) AS a WHERE n > 0"""


def pile(*texts: str) -> Pile:
    return load(Source(f"pile/{n}.sql", text, "duckdb") for n, text in enumerate(texts))


def made(*texts: str, out: Path | None = None) -> Result:
    return refactor(pile(*texts), Request(out=out))


def model(result: Result) -> str:
    return next((text for path, text in result.files.items() if path.endswith("/seen.sql")), "")


def test_each_value_has_its_rows() -> None:
    result = made(script())
    (verdict,) = result.verdicts
    said = "for each value of @v that it asks for, and for any other"
    assert (verdict.outcome, verdict.reason) == ("proved", said)
    text = " ".join(model(result).split())
    assert "'cause' ] + ([ 'visit' ] if var('v', '') | string in ['5.3', '5.4'] else [])" in text
    assert "([ 'admitted' ] if var('v', '') | string in ['5.4'] else [])" in text
    assert "([ 'admitting' ] if var('v', '') | string in ['5.3'] else []) %}" in text
    assert result.parameter_lines == 4


@pytest.mark.parametrize("operator", ["UNION", "UNION ALL"])
@pytest.mark.parametrize("value", ["5.3", "5.4", "6", ""])
def test_the_model_has_the_rows_of_the_script_with_each_value(
    operator: str, value: str, tmp_path: Path
) -> None:
    made(script(operator=operator), out=tmp_path / "p")
    (seen,) = read_project(tmp_path / "p", {"v": value}).models
    bound = load([Source("a.sql", script(operator=operator), "duckdb")], params={"v": value})
    (old,) = bound.scripts[0].statements
    names = (*ALWAYS, "visit", "admitted", "admitting", "cause")
    with duckdb.connect() as base:
        columns = ", ".join(f"{name}_id INT, {name}_source TEXT" for name in names)
        base.execute(f"CREATE SCHEMA main_1; CREATE TABLE t ({columns})")
        for at in range(30):
            row = ", ".join(f"{(at + n) % 2}, '{(at * n) % 3}'" for n in range(len(names)))
            base.execute(f"INSERT INTO t VALUES ({row})")
        base.execute(old.text.replace("CREATE TABLE seen AS", "CREATE TABLE before AS"))
        query = seen.sql.replace('"main"."t"', "t")
        assert base.execute(query).fetchall()
        for one, other in (("before", f"({query})"), (f"({query})", "before")):
            apart = f"SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other}"
            assert base.execute(apart).fetchall() == []


KEPT = [
    ("another script reads it", [script(), "CREATE TABLE other AS SELECT what FROM seen"]),
    ("a condition decides about a column", [script().replace("'race'", "{@v == '5.4'}?{1}:{2}")]),
    ("two parameters are asked for", [script().replace("n > 0", "{@w == '1'}?{n > 0}:{n > 1}")]),
    ("rows are taken away", [script().replace("UNION", "EXCEPT", 2)]),
    ("YAML reads a constant otherwise", [script().replace("5.4", "true")]),
    ("SqlRender does not know the sign", [script().replace("== '5.4'", "= '5.4'")]),
    ("another source for one value", [script().replace("t WHERE visit", "u WHERE visit")]),
]


@pytest.mark.parametrize("texts", [texts for _, texts in KEPT], ids=[name for name, _ in KEPT])
def test_what_goes_on_as_it_is(texts: list[str]) -> None:
    verdicts = {each.name: each for each in made(*texts).verdicts}
    assert verdicts["seen"].outcome == "kept"
    assert "a template decides what it is" in verdicts["seen"].reason


def test_a_value_that_is_given_decides() -> None:
    bound = load([Source("pile/a.sql", script(), "duckdb")], params={"v": "5.4"})
    text = model(refactor(bound, Request(values={"v": "5.4"})))
    assert "'admitted'" in text and "'admitting'" not in text and "var(" not in text


BLANKS = ("5.3", "5.4", "6", "")


@pytest.mark.parametrize("value", BLANKS)
def test_a_constant_beside_a_blank_is_no_value(value: str, tmp_path: Path) -> None:
    """SqlRender compares it with its blank: with 5.4 there are the rows of any other value."""
    text = script().replace("'5.3','5.4'", "'5.3', '5.4'")
    result = made(text, out=tmp_path / "p")
    told = "SqlRender compares '5.4' in ('5.3', '5.4') with the blank beside it, which no value has"
    assert result.verdicts[0].outcome == "proved"
    assert any(each.startswith(told) for each in result.assumptions)
    (seen,) = read_project(tmp_path / "p", {"v": value}).models
    assert ("'visit'" in seen.sql, "'admitting'" in seen.sql) == (value == "5.3",) * 2
    assert "'admitted'" not in seen.sql


def checked(root: Path, **given: str) -> tuple[str, str]:
    bound = load([Source("pile/0.sql", script(), "duckdb")], params=given)
    (found,) = verify(bound, Checking(root, values=given)).reports
    return found.verdict, found.reason


def test_a_project_is_checked_for_each_value(tmp_path: Path) -> None:
    root = tmp_path / "p"
    made(script(), out=root)
    assert checked(root)[0] == checked(root, v="5.3")[0] == checked(root, v="5.4")[0] == "proved"
    place = next(root.rglob("seen.sql"))
    text = place.read_text()
    place.write_text(text.replace("'admitting'", "'admitted'"))
    verdict, reason = checked(root)
    assert verdict == "kept" and reason.endswith(", where v is 5.3")
    place.write_text(text.replace("['5.3']", "['5.3', '6']"))
    verdict, reason = checked(root)
    assert verdict == "kept"  # 6 is no value that the script asks for


def test_a_default_is_taken_for_granted_and_told(tmp_path: Path) -> None:
    text = "{DEFAULT @v = '5.4'}\n" + script()
    result = made(text, out=tmp_path / "p")
    told = "@v has its default '5.4' in pile/0.sql"
    assert result.verdicts[0].outcome == "proved"
    assert told in result.assumptions
    assert told.replace("pile/", "") in (tmp_path / "p" / "MIGRATION.md").read_text()
    again = verify(pile(text), Checking(tmp_path / "p"))
    assert told in again.assumptions
    bound = load([Source("pile/0.sql", text, "duckdb")], params={"v": "5.3"})
    assert told not in refactor(bound, Request(values={"v": "5.3"})).assumptions


def test_the_beginning_of_a_name_is_taken_for_granted() -> None:
    text = "{DEFAULT @v = tmp}\nCREATE TABLE r AS SELECT a FROM @v_rows"
    told = "@v_rows is @v with _rows behind it, and has no value of its own, in pile/0.sql"
    assert told in made(text).assumptions
    bound = load([Source("pile/0.sql", text, "duckdb")], params={"v_rows": "t"})
    assert told not in refactor(bound, Request(values={"v_rows": "t"})).assumptions
