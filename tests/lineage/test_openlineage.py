"""OpenLineage events, checked against the classes that OpenLineage generates from its schemas."""

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import attr
import pytest
from openlineage.client.facet_v2 import column_lineage_dataset, schema_dataset, sql_job
from openlineage.client.generated import base

from unwet.lineage.asking import Ask, made
from unwet.lineage.errors import UsageError
from unwet.lineage.exports.naming import Naming
from unwet.lineage.pile import load
from unwet.lineage.sources import Source

Json = dict[str, Any]
FACETS = {
    "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet,
    "schema": schema_dataset.SchemaDatasetFacet,
    "sql": sql_job.SQLJobFacet,
}
EVENTS = {"JobEvent": base.JobEvent, "DatasetEvent": base.DatasetEvent}
MORE = {column_lineage_dataset.Transformation: {"certainty"}}  # the schema allows what is ours
SQL = """
create table raw.orders(id int, amount numeric, status text, customer_id int);
create temp table paid as select id, amount, customer_id from raw.orders where status = 'paid';
create table mart.revenue as
select c.country, md5(c.email) as who, sum(p.amount) /* net */ as total, count(p.id) as n
from paid p join raw.customers c on c.id = p.customer_id group by 1, 2 order by total;
select case when r.n > 1 then r.total end as big from mart.revenue r;
insert into mart.log select x from a, b;
"""


def events(sql: str = SQL, dialect: str = "postgres", **asked: Any) -> list[Json]:
    ask = Ask("openlineage", dialect=dialect, **asked)
    found = json.loads(made(load(Source("etl/revenue.sql", sql), dialect), ask))
    assert isinstance(found, list)
    return found


def job(target: str, found: list[Json]) -> Json:
    (one,) = [e for e in found if "job" in e and e["job"]["name"].endswith(target)]
    return one


# --- the classes of the spec


def built(kind: Any, value: Any) -> Any:
    """An object of a generated class; nothing unknown, nothing missing, every type right."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        members = [each for each in typing.get_args(kind) if each is not type(None)]
        assert value is not None and len(members) == 1
        return built(members[0], value)
    if typing.get_origin(kind) is list:
        assert isinstance(value, list)
        return [built(typing.get_args(kind)[0], each) for each in value]
    if typing.get_origin(kind) is dict:
        assert isinstance(value, dict)
        inner = typing.get_args(kind)[1]
        return {name: built(FACETS.get(name, inner), each) for name, each in value.items()}
    if attr.has(kind):
        return instance(kind, value)
    assert type(value) is kind, (kind, value)
    return value


def instance(kind: Any, value: Json) -> Any:
    hints = typing.get_type_hints(
        kind, vars(base) | vars(column_lineage_dataset) | vars(schema_dataset)
    )
    known = {field.name: field for field in attr.fields(kind)}
    given = {name: each for name, each in value.items() if name not in MORE.get(kind, set())}
    assert set(given) <= set(known), (kind, set(given) - set(known))
    made_of = {}
    for name, each in given.items():
        if name in ("schemaURL", "_schemaURL"):
            assert each == kind._get_schema()
        else:
            made_of[known[name].alias] = built(hints[name], each)
    return kind(**made_of)


@pytest.mark.parametrize("asked", [{}, {"kinds": "direct"}, {"columns": ("mart.revenue.total",)}])
def test_every_event_is_one_of_the_spec(asked: Mapping[str, Any]) -> None:
    found = events(**asked)
    for event in found:
        kind = event["schemaURL"].rpartition("/")[2]
        assert "run" not in event
        assert instance(EVENTS[kind], event).producer == event["producer"]
    assert {e["schemaURL"].rpartition("/")[2] for e in found} == set(EVENTS)


def test_the_check_itself_finds_what_is_wrong() -> None:
    good = job("mart.revenue", events())
    for wrong in (
        good | {"jobs": []},
        good | {"eventTime": "yesterday"},
        good | {"outputs": [{"namespace": "x"}]},
        good | {"outputs": [{"namespace": "x", "name": 1}]},
        good | {"schemaURL": "https://openlineage.io/spec/1-0-0/OpenLineage.json"},
    ):
        with pytest.raises((AssertionError, TypeError, ValueError)):
            instance(base.JobEvent, wrong)


# --- what the events say


def inputs_of(lineage: Json, column: str) -> list[tuple[str, str, str, str, bool]]:
    return [
        (f["name"], f["field"], t["subtype"], t["description"], t["masking"])
        for f in lineage["fields"][column]["inputFields"]
        for t in f["transformations"]
    ]


def test_columns_and_whole_rows() -> None:
    event = job("#mart.revenue", events())
    lineage = event["outputs"][0]["facets"]["columnLineage"]
    temp = "etl/revenue.sql#paid"
    assert inputs_of(lineage, "total") == [(temp, "amount", "AGGREGATION", "SUM(p.amount)", False)]
    assert inputs_of(lineage, "n")[0] == (temp, "id", "AGGREGATION", "COUNT(p.id)", True)
    who = [("raw.customers", "email", "TRANSFORMATION", "MD5(c.email)", True)]
    assert inputs_of(lineage, "who") == who
    rows = {
        (f["name"], f["field"], t["type"], t["subtype"], t["description"])
        for f in lineage["dataset"]
        for t in f["transformations"]
    }
    assert ("raw.customers", "id", "INDIRECT", "JOIN", "c.id = p.customer_id") in rows
    assert ("raw.customers", "country", "INDIRECT", "GROUP_BY", "c.country") in rows
    assert (temp, "amount", "INDIRECT", "SORT", "SUM(p.amount)") in rows
    assert not any(
        t["type"] == "INDIRECT"
        for field in lineage["fields"].values()
        for f in field["inputFields"]
        for t in f["transformations"]
    )


def test_a_condition_of_one_column_stays_with_it() -> None:
    event = job("etl/revenue.sql", events())
    lineage = event["outputs"][0]["facets"]["columnLineage"]
    text = "CASE WHEN r.n > 1 THEN r.total END"
    assert inputs_of(lineage, "big") == [
        ("mart.revenue", "n", "CONDITIONAL", text, False),
        ("mart.revenue", "total", "TRANSFORMATION", text, False),
    ]
    assert "dataset" not in lineage


def test_jobs_have_their_sql_and_their_datasets() -> None:
    event = job("#mart.revenue", events())
    assert event["job"]["namespace"] == "default"
    assert event["job"]["facets"]["sql"]["query"].startswith("create table mart.revenue as\nselect")
    assert event["job"]["facets"]["sql"]["dialect"] == "postgres"
    assert [(d["namespace"], d["name"]) for d in event["inputs"]] == [
        ("inmemory://", "etl/revenue.sql#paid"),
        ("postgres://unknown", "raw.customers"),
    ]
    (output,) = event["outputs"]
    assert (output["namespace"], output["name"]) == ("postgres://unknown", "mart.revenue")
    fields = [(f["name"], f["ordinal_position"]) for f in output["facets"]["schema"]["fields"]]
    assert fields == [("country", 1), ("who", 2), ("total", 3), ("n", 4)]
    query = job("etl/revenue.sql", events())  # a bare query's result lasts as long as the query
    assert [(d["namespace"], d["name"]) for d in query["outputs"]] == [
        ("inmemory://", "etl/revenue.sql")
    ]


def test_tables_that_are_only_read_have_their_schema() -> None:
    found = [e["dataset"] for e in events() if "dataset" in e]
    assert [each["name"] for each in found] == ["raw.customers", "raw.orders"]
    fields = found[1]["facets"]["schema"]["fields"]
    assert fields[0] == {"name": "id", "type": "INT", "ordinal_position": 1}
    assert {"name": "email"} in found[0]["facets"]["schema"]["fields"]


def test_what_is_not_certain_says_so() -> None:
    lineage = job("#mart.log", events())["outputs"][0]["facets"]["columnLineage"]
    found = {
        f["name"]: t["certainty"]
        for f in lineage["fields"]["x"]["inputFields"]
        for t in f["transformations"]
    }
    assert found == {"a": "ambiguous", "b": "ambiguous"}


def test_two_statements_of_a_file_that_fill_one_table_are_two_jobs() -> None:
    twice = "insert into t select a from s; insert into t select b from s"
    names = [e["job"]["name"] for e in events(twice) if "job" in e]
    assert names == ["etl/revenue.sql#t", "etl/revenue.sql#t-2"]


def test_a_part_has_only_its_own_edges() -> None:
    found = events(columns=("mart.revenue.total",), upstream=True, kinds="direct")
    jobs = [e for e in found if "job" in e]
    assert [e["job"]["name"] for e in jobs] == [
        "etl/revenue.sql#paid",
        "etl/revenue.sql#mart.revenue",
    ]
    assert list(jobs[1]["outputs"][0]["facets"]["columnLineage"]["fields"]) == ["total"]
    assert "dataset" not in jobs[1]["outputs"][0]["facets"]["columnLineage"]
    assert [d["name"] for d in jobs[1]["inputs"]] == ["etl/revenue.sql#paid"]


@pytest.mark.parametrize(
    ("dialect", "relation", "namespace", "name"),
    [
        ("bigquery", "proj.shop.orders", "bigquery", "proj.shop.orders"),
        ("snowflake", "db.shop.orders", "snowflake://unknown", "DB.SHOP.ORDERS"),
        ("snowflake", "db.Shop.orders", "snowflake://unknown", "DB.Shop.ORDERS"),
        ("oracle", "shop.orders", "oracle://unknown", "SHOP.ORDERS"),
        ("postgres", "shop.orders", "postgres://unknown", "shop.orders"),
        ("tsql", "dbo.orders", "mssql://unknown", "dbo.orders"),
        ("databricks", "c.s.t", "unitycatalog://unknown", "c.s.t"),
        ("spark", "s.t", "hive://unknown", "s.t"),
        ("", "s.t", "default", "s.t"),
    ],
)
def test_names_of_the_naming_spec(dialect: str, relation: str, namespace: str, name: str) -> None:
    found = Naming(dialect).dataset(relation)
    assert (found.namespace, found.name) == (namespace, name)
    given = replace(Naming(dialect), namespace="x://host:1").dataset(relation)
    assert (given.namespace, given.name) == ("x://host:1", name)


def test_the_same_on_every_run_and_the_time_is_given() -> None:
    assert events() == events()
    assert {e["eventTime"] for e in events()} == {"1970-01-01T00:00:00Z"}
    at = "2026-01-31T12:00:00+01:00"
    assert {e["eventTime"] for e in events(event_time=at)} == {at}
    for wrong in ("2026-01-31", "2026-01-31T12:00:00", "now"):
        with pytest.raises(UsageError, match="no date and time"):
            events(event_time=wrong)


def test_placeholders_stand_as_they_were_written() -> None:
    found = events("insert into {{ s }}.t select a from r where d = {{ day }}", "bigquery")
    (event,) = [e for e in found if "job" in e]
    assert "{{ day }}" in event["job"]["facets"]["sql"]["query"]
    assert event["outputs"][0]["name"] == "{{ s }}.t"
    dataset = event["outputs"][0]["facets"]["columnLineage"]["dataset"]
    assert dataset[0]["transformations"][0]["description"] == "d = {{ day }}"


def test_statements_that_fill_temporary_tables_are_jobs() -> None:
    with pytest.raises(UsageError, match="a job per statement"):
        events(without_temps=True)
