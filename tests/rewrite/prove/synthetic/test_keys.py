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


def test_who_refers_to_nobody_gets_a_parent_or_goes() -> None:
    ddl = """create table s.p (id int primary key, name text);
    create table s.c (id int, p int references s.p, q int references s.q);
    create table s.q (id int primary key, p int not null references s.p (id))"""
    catalog = load([Source("ddl.sql", ddl, "duckdb")], "duckdb").catalog
    number = "INTEGER"
    tables = {
        "s.p": Table((("id", number), ("name", "VARCHAR")), (("1", "a"),)),
        "s.c": Table(
            (("id", number), ("p", number), ("q", number)),
            (("1", "1", None), ("2", "7", None), ("3", None, None), ("4", "1", "9")),
        ),
        "s.q": Table((("id", number), ("p", number)), ()),
    }
    made = honoured(Database(tables), catalog).tables
    assert made["s.p"].rows == (("1", "a"), ("7", "a"))
    assert made["s.c"].rows == (("1", "1", None), ("2", "7", None), ("3", None, None))
    assert made["s.q"].rows == ()
