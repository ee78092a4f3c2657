"""What is declared of tables makes proofs and is told with them; what nobody checks makes none."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from unwet.lineage.catalog import build_catalog
from unwet.lineage.constraints import trusted
from unwet.lineage.parse import parse
from unwet.lineage.resolve import resolve
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.lineage.templating import mask, verbatim
from unwet.rewrite.algebra import Plan
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import Normalizer, normalize, ruled
from unwet.rewrite.prove.declarations import promises
from unwet.rewrite.prove.judge import difference
from unwet.rewrite.prove.rendered import Seed
from unwet.rewrite.prove.seed_rows import seed_plan
from unwet.rewrite.rules.promised import Promised

DDL = """
CREATE TABLE country (code VARCHAR(2) PRIMARY KEY, name TEXT);
CREATE TABLE customer (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, country VARCHAR(2) NOT NULL
    REFERENCES country (code), friend INTEGER REFERENCES customer);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, amount INTEGER,
    note CHAR(4), tags TEXT[], FOREIGN KEY (customer_id) REFERENCES customer (id));
CREATE TABLE line (order_id INTEGER, number INTEGER, product TEXT, PRIMARY KEY (order_id, number));
CREATE TABLE part (order_id INTEGER NOT NULL, number INTEGER, weight INTEGER,
    FOREIGN KEY (order_id, number) REFERENCES line (order_id, number));
"""


def catalog(ddl: str = DDL, dialect: str = "postgres") -> Catalog:
    return build_catalog([parse(mask(Source("ddl.sql", ddl, dialect)), dialect)])[0]


def plan_of(sql: str, known: Catalog, dialect: str) -> Plan:
    script = parse(verbatim(Source("case.sql", sql, dialect)), dialect)
    query = resolve(script.statements[0], known).query
    assert query is not None
    return lower(query, Env(known))


def proved(
    one: str, other: str, dialect: str = "postgres", ddl: str = DDL, trust: bool = False
) -> set[str] | None:
    """What the proof rests on; None where there is none."""
    known = catalog(ddl, dialect)
    if trust:
        known = replace(known, tables={n: trusted(each) for n, each in known.tables.items()})
    old, new = plan_of(one, known, dialect), plan_of(other, known, dialect)
    assert difference(old, new, Normalizer()), "it is proved without any declaration"
    promised = Promised(promises(known, dialect, dialect))
    if difference(old, new, ruled(promised)):
        return None
    return promised.used


REFERS = "orders.customer_id refers to customer.id"
NOT_NULL = "orders.customer_id is not NULL"
KEY = "id is a key of customer"

PROVED = {
    "a join that loses nothing": (
        "select o.amount from orders o join customer c on c.id = o.customer_id",
        "select amount from orders",
        {REFERS, NOT_NULL, KEY},
    ),
    "a left join that has a partner": (
        "select o.amount, c.mail from orders o left join customer c on c.id = o.customer_id",
        "select o.amount, c.mail from orders o join customer c on c.id = o.customer_id",
        {REFERS, NOT_NULL},
    ),
    "a left join to a key that nobody reads": (
        "select o.id from orders o left join customer c on c.id = o.amount and c.mail = 'x'",
        "select id from orders",
        {KEY},
    ),
    "a reference that may be NULL": (
        "select c.id from customer c join customer f on f.id = c.friend",
        "select id from customer where friend is not null",
        {"customer.friend refers to customer.id", KEY},
    ),
    "over two tables": (
        "select o.id from orders o join customer c on c.id = o.customer_id "
        "join country l on l.code = c.country",
        "select id from orders",
        {REFERS, NOT_NULL, KEY, "customer.country refers to country.code",
         "customer.country is not NULL", "code is a key of country"},
    ),
    "of two columns": (
        "select p.weight from part p join line l on l.order_id = p.order_id "
        "and l.number = p.number",
        "select weight from part where number is not null",
        {"part.order_id, number refers to line.order_id, number", "part.order_id is not NULL",
         "number, order_id is a key of line"},
    ),
    "NOT IN of keys": (
        "select mail from customer where id not in (select customer_id from orders)",
        "select mail from customer c where not exists "
        "(select 1 from orders o where o.customer_id = c.id)",
        {"customer.id is not NULL", NOT_NULL},
    ),
    "a test for NULL that is decided": (
        "select id, case when customer_id is null then 'none' else 'some' end as x from orders",
        "select id, 'some' as x from orders",
        {NOT_NULL},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROVED)
def test_a_declaration_makes_a_proof_and_is_told(name: str) -> None:
    one, other, grounds = PROVED[name]
    assert proved(one, other) == grounds


NOT_PROVED = {
    "a parent that is filtered": (
        "select o.id from orders o join customer c on c.id = o.customer_id and c.mail is not null",
        "select id from orders",
    ),
    "a reference that may be NULL, the row lost": (
        "select c.id from customer c join customer f on f.id = c.friend",
        "select id from customer",
    ),
    "a column that is no reference": (
        "select o.id from orders o join customer c on c.id = o.amount",
        "select id from orders where amount is not null",
    ),
    "half of a key": (
        "select o.id from orders o join line l on l.order_id = o.id",
        "select id from orders o where exists (select 1 from line l where l.order_id = o.id)",
    ),
    "a key of texts that is compared with numbers": (
        "select o.id from orders o join country c on c.code = o.amount",
        "select id from orders o where exists (select 1 from country c where c.code = o.amount)",
    ),
    "NOT IN of what may be NULL": (
        "select mail from customer where id not in (select friend from customer)",
        "select mail from customer c where not exists "
        "(select 1 from customer f where f.friend = c.id)",
    ),
    "rows of two reads": (
        "select 1 as x from part p join part q on p.weight = q.weight "
        "join line l on l.order_id = p.order_id and l.number = q.number",
        "select 1 as x from part p join part q on p.weight = q.weight where q.number is not null",
    ),
    "arrays with NULLs in them": (
        "select a.id from orders a join orders b on a.tags = b.tags "
        "or (a.tags is null and b.tags is null)",
        "select a.id from orders a join orders b on a.tags is not distinct from b.tags",
    ),
}


@pytest.mark.parametrize("name", NOT_PROVED)
def test_what_is_declared_is_not_more(name: str) -> None:
    one, other = NOT_PROVED[name]
    assert proved(one, other) is None


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "redshift", "spark", "sqlite", ""])
def test_keys_that_no_engine_checks_prove_nothing(dialect: str) -> None:
    one, other, _ = PROVED["a left join to a key that nobody reads"]
    assert proved(one, other, dialect, DDL.replace("TEXT[]", "TEXT")) is None


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "redshift", "spark", "trino"])
@pytest.mark.parametrize("name", [n for n in PROVED if "refers" in str(PROVED[n][2])])
def test_keys_that_somebody_trusts_prove_as_if_an_engine_checked_them(
    dialect: str, name: str
) -> None:
    one, other, used = PROVED[name]
    ddl = re.sub(r"REFERENCES \w+ \(\w+\)", r"\g<0> NOT ENFORCED", DDL.replace("TEXT[]", "TEXT"))
    assert proved(one, other, dialect, ddl, trust=True) == used


@pytest.mark.parametrize("dialect", ["sqlite", ""])
def test_trust_in_keys_is_none_in_types(dialect: str) -> None:
    one, other, _ = PROVED["a left join to a key that nobody reads"]
    assert proved(one, other, dialect, DDL.replace("TEXT[]", "TEXT"), trust=True) is None


def test_a_foreign_key_that_is_not_enforced_counts_where_somebody_trusts_it() -> None:
    one, other, used = PROVED["a join that loses nothing"]
    ddl = DDL.replace("REFERENCES customer (id)", "REFERENCES customer (id) NOT ENFORCED")
    assert proved(one, other, ddl=ddl) is None
    assert proved(one, other, ddl=ddl, trust=True) == used


@pytest.mark.parametrize(
    ("change", "rests"),
    [
        ("", True),
        ("alter table customer alter column country drop not null", True),
        ("alter table orders alter column customer_id drop not null", False),
        ("alter table orders drop constraint orders_customer_id_fkey", False),
        ("alter table customer drop constraint customer_pkey", False),
    ],
)
def test_what_was_declared_and_is_taken_back_proves_nothing(change: str, rests: bool) -> None:
    one, other, _ = PROVED["a join that loses nothing"]
    assert (proved(one, other, ddl=f"{DDL};{change}") is not None) == rests


def seed(folder: Path, text: str) -> Plan | None:
    path = folder / "s.csv"
    path.write_text(text, encoding="utf-8")
    return seed_plan(Seed("s", str(path)))


def test_a_seed_is_its_rows(tmp_path: Path) -> None:
    plan = seed(tmp_path, "code,least\npaid,10\nopen,\n")
    known = Catalog()
    rows = "select * from (values ('paid', 10), ('open', null)) as s (code, least)"
    said = plan_of(rows, known, "postgres")
    assert plan is not None and plan.names == said.names
    assert normalize(plan.rel)[0] == normalize(said.rel)[0]


@pytest.mark.parametrize(
    "text",
    ["code\n", "a,a\n1,2\n", "a,b\n1\n", "day\n2024-01-01\n", "flag\ntrue\n", "n\n1.5\n",
     "n\n007\n", "code\n x\n", "code\n1\nab1\n", "Code\nab\n", "code\nnull\nab\n"],
)  # fmt: skip
def test_a_seed_that_only_dbt_can_read_is_none(text: str, tmp_path: Path) -> None:
    assert seed(tmp_path, text) is None


COLLATED = """
CREATE TABLE u (k VARCHAR{key} PRIMARY KEY, x INTEGER);
CREATE TABLE t (f VARCHAR{child}, y INTEGER);
"""


@pytest.mark.parametrize(("key", "child"), [(" COLLATE NOCASE", ""), ("", " COLLATE NOCASE")])
def test_a_key_of_texts_is_none_for_a_join_by_another_collation(key: str, child: str) -> None:
    """A key of DuckDB holds 'a' and 'A' of NOCASE, and a join finds both."""
    ddl = COLLATED.format(key=key, child=child)
    one, other = "select t.y from t left join u on u.k = t.f", "select y from t"
    with duckdb.connect() as connection:
        connection.execute(ddl + "INSERT INTO u VALUES ('a', 1), ('A', 2)")
        connection.execute("INSERT INTO t VALUES ('a', 1)")
        assert len(connection.execute(one).fetchall()) == 2
    assert proved(one, other, "duckdb", ddl) is None
    assert proved(one, other, "duckdb", COLLATED.format(key="", child=""))


def test_a_table_shows_the_rows_of_those_that_inherit_from_it() -> None:
    one, other, _ = PROVED["a left join to a key that nobody reads"]
    assert proved(one, other, "postgres", DDL + "CREATE TABLE vip () INHERITS (customer);") is None
