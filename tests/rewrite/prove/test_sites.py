"""Which relation of a server a name means, and how scripts stand in one query."""

from datetime import datetime

import pytest

from unwet.lineage.errors import EngineError
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.prove.legacy import LegacyRun, run_scripts
from unwet.rewrite.prove.servers.flavours import flavour_of
from unwet.rewrite.prove.servers.sites import Data, Nested

CLOCK = datetime(2024, 2, 1)
TABLES = (
    ("public", "orders"), ("shop", "orders"), ("shop", "People"), ("shop", "Visits"),
    ("shop", "visits"), ("archive", "only_here"),
)  # fmt: skip


def site(dialect: str = "postgres", shuffle: bool = False) -> Nested:
    return Nested(flavour_of(dialect), Data(TABLES, ("public",)), "old_", shuffle)


def run(where: Nested, *sqls: str) -> LegacyRun:
    dialect = where.flavour.dialect
    scripts = [parse(verbatim(Source(f"{n}.sql", sql)), dialect) for n, sql in enumerate(sqls)]
    return run_scripts(where, TABLES, scripts, CLOCK)


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("shop.orders", ("shop", "orders")),
        ("SHOP.ORDERS", ("shop", "orders")),
        ("orders", ("public", "orders")),
        ("main.orders", ("public", "orders")),  # as a project calls it
        ("shop.people", ("shop", "People")),
        ("shop.visits", ("shop", "visits")),
        ("shop.Visits", ("shop", "Visits")),
        ("shop.VISITS", ("shop", "visits")),
        ("only_here", ("archive", "only_here")),
        ("shop.only_here", None),  # that it is elsewhere does not make it this one
        ("nowhere.orders", None),
        ("nix", None),
        ("other.shop.orders", ("shop", "orders")),
    ],
)
def test_names(name: str, means: tuple[str, ...] | None) -> None:
    assert site().located(name.split(".")) == means


def test_other_databases_stay_other_databases() -> None:
    assert site("spark").located(("other", "shop", "orders")) == ("other", "shop", "orders")
    assert site("spark").located(("other", "shop", "nix")) is None


def test_what_scripts_make_comes_before_the_data() -> None:
    where = site()
    run(where, "CREATE TABLE orders AS SELECT 1 AS a", "CREATE VIEW rep.b AS SELECT 2 AS b")
    assert where.located(("orders",)) == ("old_1_orders",)
    assert where.located(("public", "orders")) == ("old_1_orders",)
    assert where.located(("shop", "orders")) == ("shop", "orders")
    assert where.located(("b",)) == ("old_2_b",)
    assert where.located(("x", "b")) is None


def test_definitions_come_in_order_and_only_those_that_are_read() -> None:
    where = site()
    found = run(
        where,
        "CREATE TABLE a (x) AS SELECT id FROM shop.orders; CREATE TABLE unused AS SELECT 1 AS n;"
        "CREATE TEMP TABLE b AS SELECT x FROM a WHERE x > 1; DROP TABLE a;"
        "CREATE TABLE a AS SELECT x + 1 AS x FROM b; SELECT x FROM a JOIN b USING (x)",
    )
    (answer,) = found.answers.values()
    heads = [head for head, _ in where.definitions(answer.place)]
    assert heads == ['"old_1_a"("x")', '"old_3_b"', '"old_4_a"', '"old_5_q1"']
    assert not found.failures


def test_tables_are_read_in_another_order() -> None:
    where = site(shuffle=True)
    found = run(where, "SELECT id FROM shop.orders")
    (answer,) = found.answers.values()
    (_, first), (_, second) = where.definitions(answer.place)
    assert first.startswith('SELECT * FROM "shop"."orders" AS unwet_row ORDER BY')
    assert '"old_1_orders" AS "orders"' in second


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("INSERT INTO shop.orders VALUES (1)", "changes rows of shop.orders"),
        ("DELETE FROM public.orders", "changes rows of public.orders"),
        ("TRUNCATE TABLE shop.orders", "changes rows of shop.orders"),
        ("ALTER TABLE shop.orders ADD COLUMN x INT", "changes rows of shop.orders"),
        ("MERGE INTO shop.orders AS o USING public.orders AS p ON o.id = p.id "
         "WHEN MATCHED THEN DELETE", "changes rows of shop.orders"),
        ("CREATE TABLE rep.x (a INT); INSERT INTO rep.x SELECT 1", "rep.x is filled by"),
    ],
)  # fmt: skip
def test_nothing_is_written(sql: str, reason: str) -> None:
    (failure,) = run(site(), sql).failures
    assert failure.reason.startswith(reason)
    assert "--scratch" in failure.reason


def test_a_dropped_table_of_the_data_is_gone_for_the_scripts_only() -> None:
    where = site()
    found = run(where, "CREATE TABLE shop.orders AS SELECT 1 AS a; DROP TABLE shop.orders")
    assert not found.failures
    assert where.kind(("shop", "orders")) == "VIEW"
    where.drop(("shop", "orders"))
    assert where.located(("shop", "orders")) is None
    with pytest.raises(EngineError, match="name a scratch schema"):
        where.run("DELETE FROM shop.orders")
