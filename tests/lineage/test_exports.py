"""Export formats: stable, escaped, and clear when a program is missing."""

import json
import shutil

import pytest

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.errors import OutputError
from unwet.lineage.exports import export
from unwet.lineage.exports.mermaid import mermaid
from unwet.lineage.graph import Graph
from unwet.lineage.pile import trace
from unwet.lineage.sources import Source

SQL = """create table m as select s.a, sum(s.b) as b from s where s.c > 0 group by s.a;
insert into n(x) select b from m;"""
ODD_END = ColumnId("d\\e", "f{g}")
ODD = Graph(
    [
        Edge(
            ColumnId('a"b<c>', "x]y|z"), ColumnId("d\\e", "f{g}"), "DIRECT", "IDENTITY", "certain"
        ),
        Edge(ColumnId("", "r#1"), ColumnId("d\\e", "f{g}"), "DIRECT", "IDENTITY", "unknown"),
    ]
)


def graph() -> Graph:
    return trace(Source("q.sql", SQL))


@pytest.mark.parametrize("format", ["text", "json", "dot", "mermaid", "html"])
def test_every_run_is_the_same(format: str) -> None:
    first = export(graph(), format, "all")
    assert first == export(graph(), format, "all")
    assert "n" in first


def test_json_has_the_documented_shape() -> None:
    value = json.loads(export(graph(), "json", "all"))
    assert set(value) == {"nodes", "edges", "unresolved"}
    assert {"relation": "n", "column": "x"} in value["nodes"]
    (edge,) = [e for e in value["edges"] if e["target"] == {"relation": "n", "column": "x"}
               and e["type"] == "DIRECT"]  # fmt: skip
    assert edge["source"] == {"relation": "m", "column": "b"}
    assert (edge["subtype"], edge["certainty"]) == ("IDENTITY", "certain")
    assert edge["spans"] == [
        {"path": "q.sql", "line": 2, "column": 25, "end_line": 2, "end_column": 26}
    ]


def test_text_is_a_tree_around_a_column() -> None:
    lines = str(export(graph(), "text", "direct", ColumnId("n", "x"))).splitlines()
    assert lines == [
        "n.x",
        "  <- m.b  IDENTITY  q.sql:2:25",
        "    <- s.b  AGGREGATION  q.sql:1:35",
    ]


def test_text_marks_repetition_and_circles() -> None:
    circular = trace(
        Source("c.sql", "insert into a select b.x from b; insert into b select a.x from a")
    )
    text = str(export(circular, "text", "direct", ColumnId("a", "x")))
    assert "(shown above)" in text
    assert "circle: a.x -> b.x -> a.x" in str(export(circular, "text", "direct"))


def test_labels_are_escaped_in_mermaid() -> None:
    text = mermaid(ODD)
    assert 'subgraph r1["a#34;b#60;c#62;"]' in text
    assert '["x#93;y#124;z"]' in text


def test_mermaid_is_capped_with_a_note() -> None:
    wide = Graph(
        Edge(ColumnId("s", f"c{i}"), ColumnId("t", f"c{i}"), "DIRECT", "IDENTITY", "certain")
        for i in range(40)
    )
    text = mermaid(wide, limit=50)
    assert "30 more columns are not shown" in text
    assert text.count('["c') == 50


@pytest.mark.skipif(shutil.which("dot") is None, reason="the dot program is not installed")
@pytest.mark.parametrize(("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_odd_names_can_be_drawn(format: str, start: bytes) -> None:
    drawn = export(ODD, format, "direct")
    assert isinstance(drawn, bytes) and drawn.startswith(start)


def test_a_missing_dot_program_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OutputError, match="not installed") as caught:
        export(graph(), "svg", "direct")
    assert "apt-get install graphviz" in caught.value.help
