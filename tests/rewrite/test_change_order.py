"""Tables that several scripts change: whether it matters which of them is first."""

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.script import end_state

MADE = "CREATE TABLE r AS SELECT a, b, c FROM t"


def told(*changes: str, made: str = MADE, dialect: str = "postgres") -> list[str]:
    texts = {"made.sql": made} | {f"c{at}.sql": text for at, text in enumerate(changes)}
    pile = load([Source(path, text, dialect) for path, text in texts.items()], dialect)
    found = end_state(pile.scripts, pile.resolved, pile.catalog).findings
    return [f"{f.at.path}: {f.message}" for f in found if f.code == "CHANGE_ORDER"]


@pytest.mark.parametrize(
    ("one", "other", "matters"),
    [
        ("UPDATE r SET a = 1 WHERE b > 5", "UPDATE r SET b = b * 2", True),
        ("UPDATE r SET a = 1 WHERE b > 5", "UPDATE r SET c = c * 2 WHERE b > 1", False),
        ("UPDATE r SET a = 1", "UPDATE r SET a = 2", True),
        ("DELETE FROM r WHERE a = 1", "UPDATE r SET a = 2", True),
        ("DELETE FROM r WHERE a = 1", "UPDATE r SET b = 2", False),
        ("DELETE FROM r WHERE a = 1", "DELETE FROM r WHERE b = 1", False),
        ("DELETE FROM r WHERE a = (SELECT MAX(a) FROM r)", "DELETE FROM r WHERE b = 1", True),
        ("DELETE FROM r WHERE a = 1", "INSERT INTO r SELECT a, b, c FROM u", True),
        ("TRUNCATE TABLE r", "INSERT INTO r SELECT a, b, c FROM u", True),
        ("DELETE FROM r", "INSERT INTO r SELECT a, b, c FROM u", True),
        ("TRUNCATE TABLE r", "UPDATE r SET a = 1", False),
        ("TRUNCATE TABLE r", "UPDATE r SET a = (SELECT MAX(a) FROM r)", False),
        ("TRUNCATE TABLE r", "DELETE FROM r WHERE a = 1", False),
        ("TRUNCATE TABLE r", "TRUNCATE TABLE r", False),
        ("TRUNCATE TABLE r; INSERT INTO r SELECT a, b, c FROM v",
         "INSERT INTO r SELECT a, b, c FROM u", True),
        ("INSERT INTO r SELECT a, b, c FROM v", "INSERT INTO r SELECT a, b, c FROM u", False),
        ("MERGE INTO r USING u ON r.a = u.a WHEN MATCHED THEN DELETE",
         "DELETE FROM r WHERE c = 1", True),
    ],
)  # fmt: skip
def test_changes_of_two_scripts(one: str, other: str, matters: bool) -> None:
    for pair in ((one, other), (other, one)):
        found = told(*pair)
        said = "c1.sql: r is changed here and in c0.sql: nothing says which runs first, and its "
        assert found == ([said + "rows depend on it"] if matters else [])


def test_a_table_that_is_written_anew_by_two() -> None:
    made, over = "CREATE TABLE r (a INT, b INT, c INT)", "INSERT OVERWRITE TABLE r SELECT 1, 2, {}"
    assert len(told(over.format(3), over.format(4), made=made, dialect="spark")) == 1
    added = "INSERT INTO TABLE r SELECT 1, 2, 5"
    assert len(told(over.format(3), added, made=made, dialect="spark")) == 1
    assert told(added, added, made=made, dialect="spark") == []


def test_the_script_that_makes_it_is_first() -> None:
    assert told("UPDATE r SET a = 1", made=f"{MADE}; UPDATE r SET a = 2") == []


def test_a_table_that_is_only_declared_and_a_third_script() -> None:
    declared = "CREATE TABLE r (a INT, b INT)"
    changes = ("UPDATE r SET a = b", "UPDATE r SET b = 1", "UPDATE r SET b = 2")
    (found,) = told(*changes, made=declared)
    assert found.startswith("c1.sql: r is changed here and in c0.sql (and 1 more): ")


def test_the_project_says_so_to_who_takes_over() -> None:
    texts = {"made.sql": MADE, "c0.sql": "UPDATE r SET a = 1", "c1.sql": "UPDATE r SET a = 2"}
    pile = load([Source(path, text, "postgres") for path, text in texts.items()], "postgres")
    page = refactor(pile, Request(target="views")).files["MIGRATION.md"]
    assert "### Changed in an order that nothing tells (1)" in page
    assert "- `c1.sql:1`: r is changed here and in c0.sql" in page
