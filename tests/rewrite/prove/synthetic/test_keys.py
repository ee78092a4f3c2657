"""Made data keeps declared keys and NOT NULL."""

from __future__ import annotations

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.prove.synthetic.database import Database, Table
from unwet.rewrite.prove.synthetic.keys import honoured

COLUMNS = (("id", "BIGINT"), ("mail", "VARCHAR"), ("n", "BIGINT"))
ROWS = (
    ("1", "a", "5"),
    ("1", "b", "6"),  # the id is there already
    (None, "c", "7"),  # no id
    ("2", "a", "8"),  # the mail is there already
    ("3", None, "9"),
    ("4", None, "9"),  # NULL is equal to nothing
    ("5", "d", None),  # n is needed
)


def rows(ddl: str) -> list[str | None]:
    catalog = load([Source("ddl.sql", ddl, "duckdb")], "duckdb").catalog
    made = honoured(Database({"s.t": Table(COLUMNS, ROWS)}), catalog)
    return [row[0] for row in made.tables["s.t"].rows]


def test_rows_that_break_a_declaration_are_left_out() -> None:
    ddl = """create table s.t (id bigint primary key, mail varchar unique, n bigint not null);
    select id from s.t"""
    assert rows(ddl) == ["1", "3", "4"]


def test_a_key_of_two_columns_is_one_key() -> None:
    assert rows("create table s.t (id bigint, mail varchar, n bigint, unique (id, n))") == [
        "1", "1", None, "2", "3", "4", "5",
    ]  # fmt: skip


def test_without_a_declaration_everything_stays() -> None:
    assert len(rows("create table s.other (id bigint primary key)")) == len(ROWS)
