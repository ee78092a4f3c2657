"""Columns and relations by the names people type."""

import pytest

from unwet.lineage.columns import ColumnId
from unwet.lineage.errors import UsageError
from unwet.lineage.finder import column, find

NODES = tuple(
    ColumnId(*ends)
    for ends in (
        ("", "total"),
        ("crm.customers", "id"),
        ("crm.customers", "name"),
        ("dwh.Orders", "ID"),
        ("dwh.orders", "amount"),
        ("dwh.orders", "id"),
        ("dwh.orders", "paid"),
        ("legacy.orders", "amount"),
        ("lake.events", "item.sku"),
        ("tmp.paid", "amount"),
        ('{{ var("s") }}.t', "a"),
    )
)


def names(*found: ColumnId) -> list[str]:
    return [f"{each.relation}.{each.column}" for each in found]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("crm.customers.name", "crm.customers.name"),
        ("CRM.Customers.NAME", "crm.customers.name"),
        ("customers.name", "crm.customers.name"),
        ("name", "crm.customers.name"),
        ('"crm"."customers"."name"', "crm.customers.name"),
        ("`crm.customers`.name", "crm.customers.name"),
        ("[crm].[customers].[name]", "crm.customers.name"),
        (" name ", "crm.customers.name"),
        ("events.item.sku", "lake.events.item.sku"),
        ("total", ".total"),
        ("(result).total", ".total"),
        ("dwh.orders.id", "dwh.orders.id"),
        ("dwh.Orders.ID", "dwh.Orders.ID"),
        ('{{ var("s") }}.t.a', '{{ var("s") }}.t.a'),
    ],
)
def test_one_column(typed: str, meant: str) -> None:
    assert names(column(NODES, typed)) == [meant]
    assert names(*find(NODES, typed)) == [meant]


def test_a_table_stands_for_its_columns() -> None:
    assert names(*find(NODES, "customers")) == ["crm.customers.id", "crm.customers.name"]
    assert names(*find(NODES, "TMP.paid")) == ["tmp.paid.amount"]
    assert names(*find(NODES, "(result)")) == [".total"]


def test_a_table_by_its_own_option() -> None:
    assert names(*find(NODES, "paid", tables_only=True)) == ["tmp.paid.amount"]
    with pytest.raises(UsageError, match=r"no table crm\.customers\.name in the"):
        find(NODES, "crm.customers.name", tables_only=True)


def test_an_ambiguous_column_lists_what_it_may_be() -> None:
    with pytest.raises(UsageError, match="more than one column is called amount") as caught:
        column(NODES, "amount")
    listed = "choose one of dwh.orders.amount, legacy.orders.amount, tmp.paid.amount"
    assert caught.value.help == listed
    with pytest.raises(UsageError, match=r"more than one column is called DWH\.ORDERS") as caught:
        column(NODES, "DWH.ORDERS.ID")
    assert caught.value.help == "choose one of dwh.Orders.ID, dwh.orders.id"


def test_an_ambiguous_table_and_a_name_of_both_kinds() -> None:
    with pytest.raises(UsageError, match="more than one table is called ORDERS") as caught:
        find(NODES, "ORDERS")
    assert "dwh.Orders (table), dwh.orders (table), legacy.orders (table)" in caught.value.help
    with pytest.raises(UsageError, match="paid may mean several") as caught:
        find(NODES, "paid")
    assert caught.value.help == "choose one of dwh.orders.paid, tmp.paid (table)"


def test_a_bare_name_is_the_end_of_a_result_as_of_any_other_column() -> None:
    nodes = (ColumnId("", "revenue"), ColumnId("dwh.daily", "revenue"))
    with pytest.raises(UsageError, match="more than one column is called revenue") as caught:
        find(nodes, "revenue")
    assert caught.value.help == "choose one of (result).revenue, dwh.daily.revenue"
    assert names(*find(nodes, "(result).revenue")) == [".revenue"]
    assert names(*find(nodes, '(result)."revenue"')) == [".revenue"]


def test_a_long_list_is_cut() -> None:
    many = tuple(ColumnId(f"t{i:02}", "a") for i in range(25))
    with pytest.raises(UsageError) as caught:
        column(many, "a")
    assert caught.value.help.endswith("t09.a and 15 more")


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("crm.customers.nmae", "did you mean crm.customers.name?"),
        ("custmers.name", "did you mean crm.customers.name?"),
        ("crm.custommers.nam", "did you mean crm.customers.name?"),
        ("custumers", "did you mean crm.customers?"),
        ("zzzzzz", "unwet lineage lists all columns"),
    ],
)
def test_an_unknown_name_has_its_nearest(typed: str, hint: str) -> None:
    with pytest.raises(UsageError, match="no column or table") as caught:
        find(NODES, typed)
    assert caught.value.help == hint


def test_of_several_near_tables_the_nearest_has_the_column() -> None:
    nodes = tuple(ColumnId(name, "revenue") for name in ("rep.daily", "rep.monthly"))
    with pytest.raises(UsageError) as caught:
        find(nodes, "rep.dayly.revenue")
    assert caught.value.help == "did you mean rep.daily.revenue?"
