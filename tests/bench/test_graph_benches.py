"""The benches of closures and of OpenLineage events measure what they say."""

import json
from pathlib import Path

from bench.closures import HEAD, measure
from bench.openlineage import Spec, facets
from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.graph import Graph

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = "https://openlineage.io/spec/2-0-2/OpenLineage.json"


def test_closures_are_counted() -> None:
    chain = Graph(
        Edge(ColumnId(f"t{i}", "a"), ColumnId(f"t{i + 1}", "a"), "DIRECT", "IDENTITY", "certain")
        for i in range(30)
    )
    rows = measure("chain", chain, 31)
    assert [row.closure for row in rows][:2] == ["upstream", "downstream"]
    assert {(row.nodes, row.edges) for row in rows} == {(31, 30)}
    assert [row.reached for row in rows[:3]] == [30, 30, 30]
    assert all(len(row.times) == 31 and max(row.times) >= 0 for row in rows[:3])
    assert str(rows[0]).count("|") == HEAD.splitlines()[0].count("|")


def schema(folder: Path, kind: str) -> Spec:
    """A small stand-in for the spec: events of one kind with one obligatory key."""
    (folder / "facets").mkdir()
    text = {
        "$schema": DRAFT,
        "$id": ADDRESS,
        "$defs": {"JobEvent": {"required": [kind]}, "DatasetEvent": {}},
    }
    (folder / "OpenLineage.json").write_text(json.dumps(text))
    return Spec(folder)


def test_faults_are_found(tmp_path: Path) -> None:
    spec = schema(tmp_path, "job")
    assert spec.faults({"job": 1}, f"{ADDRESS}#/$defs/JobEvent") == []
    (fault,) = spec.faults({}, f"{ADDRESS}#/$defs/JobEvent")
    assert "'job' is a required property" in fault


def test_facets_are_found_wherever_they_are() -> None:
    inner = {"_schemaURL": "x"}
    event = {"outputs": [{"facets": {"a": {"_schemaURL": "y", "more": [inner]}}}]}
    assert [each["_schemaURL"] for each in facets(event)] == ["y", "x"]
