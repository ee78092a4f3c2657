"""Export formats: stable, escaped, and clear when a program is missing."""

import json
import re
import shutil
import sys

import pytest

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.errors import OutputError
from unwet.lineage.exports import View, export
from unwet.lineage.exports.arrows import drawing
from unwet.lineage.exports.mermaid import mermaid
from unwet.lineage.exports.picture import picture
from unwet.lineage.exports.staleness import compare
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
    first = export(View(graph(), "all"), format)
    assert first == export(View(graph(), "all"), format)
    assert "n" in first


def test_json_has_the_documented_shape() -> None:
    value = json.loads(export(View(graph(), "all"), "json"))
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
    lines = str(export(View(graph(), centers=(ColumnId("n", "x"),)), "text")).splitlines()
    assert lines == [
        "n.x",
        "  <- m.b  IDENTITY  q.sql:2:25",
        "    <- s.b  AGGREGATION  q.sql:1:35",
    ]


def test_text_counts_the_other_places_of_an_edge() -> None:
    files = [Source(f"{n}.sql", "select sum(o.total) as revenue from orders o") for n in "abc"]
    column = ColumnId("", "revenue")
    shown = str(export(View(trace(files), centers=(column,), downstream=False), "text"))
    assert shown.splitlines()[1] == "  <- orders.total  AGGREGATION  a.sql:1:12 and 2 more"
    assert compare(shown.encode(), "text", shown) is None
    stale = compare(shown.replace("2 more", "1 more").encode(), "text", shown)
    assert stale is not None and (stale.added, stale.removed, stale.moved) == ((), (), 1)


def test_text_marks_repetition_and_circles() -> None:
    circular = trace(
        Source("c.sql", "insert into a select b.x from b; insert into b select a.x from a")
    )
    text = str(export(View(circular, centers=(ColumnId("a", "x"),)), "text"))
    assert "(shown above)" in text
    assert "circle: a.x -> b.x -> a.x" in str(export(View(circular), "text"))


def test_labels_are_escaped_in_mermaid() -> None:
    text = mermaid(View(ODD))
    assert 'subgraph r1["a#34;b#60;c#62;"]' in text
    assert '["x#93;y#124;z"]' in text


def test_mermaid_is_capped_with_a_note() -> None:
    wide = Graph(
        Edge(ColumnId("s", f"c{i}"), ColumnId("t", f"c{i}"), "DIRECT", "IDENTITY", "certain")
        for i in range(40)
    )
    text = mermaid(View(wide), limit=50)
    assert "30 more columns are not shown" in text
    assert text.count('["c') == 50


@pytest.mark.skipif(shutil.which("dot") is None, reason="the dot program is not installed")
@pytest.mark.parametrize(("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_odd_names_can_be_drawn(format: str, start: bytes) -> None:
    drawn = export(View(ODD), format)
    assert isinstance(drawn, bytes) and drawn.startswith(start)


def test_a_missing_dot_program_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OutputError, match="not installed") as caught:
        export(View(graph()), "svg")
    assert "apt-get install graphviz" in caught.value.help


WIDE = """create table m as select s.a, sum(s.b) as b, s.d from s where s.c > 0 group by s.a, s.d;
create table o as select x from p, q;"""


def test_a_picture_shows_kinds_by_colour_and_certainty_by_dashes() -> None:
    text = str(export(View(trace(Source("q.sql", WIDE)), "all"), "dot"))
    lines = {line.split(" [")[0].strip(): line for line in text.splitlines() if " -> " in line}
    assert 'style=solid, color="#3b82c4"' in lines[arrow("s.a", "m.a")]
    assert 'style=solid, color="#a259c4"' in lines[arrow("s.b", "m.b")]
    assert "arrowhead=empty" in lines[arrow("s.c", "m")]  # a filter: one arrow to the whole box
    assert arrow("s.c", "m.a") not in lines
    assert 'style=dotted, color="#3b82c4"' in lines[arrow("p.x", "o.x")]
    legend = text.split("label=<", 1)[1].split(">\n", 1)[0]
    for meaning in ("→ identity", "→ aggregation", "condition (filter, group by)", "dotted: "):
        assert meaning in legend
    assert "transformation" not in legend and "dashed" not in legend


def arrow(source: str, target: str) -> str:
    (a, b), (c, _, d) = source.split("."), target.partition(".")
    head = f"c{d.encode().hex()}" if d else "h"
    return f'"{a}":"c{b.encode().hex()}":e -> "{c}":"{head}":w'


def test_the_chosen_column_is_marked_and_named_in_the_title() -> None:
    view = View(graph(), centers=(ColumnId("n", "x"),), downstream=False, depth=2)
    text = str(export(view, "dot"))
    assert text.startswith('digraph "Column lineage upstream of n.x, at most 2 steps away" {')
    assert 'align="left" bgcolor="#fff1bf">x</td>' in text
    drawn = mermaid(view)
    assert "classDef center" in drawn
    assert "accTitle: Column lineage upstream of n.x, at most 2 steps away" in drawn


def test_long_names_lose_their_middle() -> None:
    long = Graph([Edge(ColumnId("a" * 200, "x"), ODD_END, "DIRECT", "IDENTITY", "certain")])
    text = str(export(View(long), "dot"))
    assert f"<b>{'a' * 31}…{'a' * 32}</b>" in text
    assert f'tooltip="{"a" * 200}"' in text


def test_mermaid_says_what_is_no_plain_copy() -> None:
    text = mermaid(View(trace(Source("q.sql", WIDE)), "all"))
    assert re.search(r"c\d+ --> c\d+\n", text)
    assert re.search(r"c\d+ -->\|aggregation\| c\d+\n", text)
    assert re.search(r"c\d+ -\.->\|filter\| r\d+\n", text)
    assert re.search(r"c\d+ -->\|ambiguous\| c\d+\n", text)


def test_a_capped_view_keeps_what_is_nearest_to_its_centers() -> None:
    chain = Graph(
        Edge(ColumnId(f"t{i}", "a"), ColumnId(f"t{i + 1}", "a"), "DIRECT", "IDENTITY", "certain")
        for i in range(30)
    )
    text = mermaid(View(chain, centers=(ColumnId("t15", "a"),)), limit=5)
    assert [f't{i}"' in text for i in range(12, 19)] == [False, *[True] * 5, False]
    assert "26 more columns are not shown" in text


def test_a_picture_of_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    many = Graph(
        Edge(ColumnId("s", f"c{i}"), ColumnId("t", f"c{i}"), "DIRECT", "IDENTITY", "certain")
        for i in range(2000)
    )
    with pytest.raises(OutputError, match="4,000 columns and 2,000 arrows") as caught:
        export(View(many), "svg")
    assert "--column" in caught.value.help and "--depth" in caught.value.help


@pytest.mark.skipif(shutil.which("dot") is None, reason="the dot program is not installed")
def test_dot_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[picture.__module__], "SECONDS", 0)
    with pytest.raises(OutputError, match="dot took more than 0 seconds"):
        export(View(graph()), "png")


def test_a_tree_goes_both_ways_from_each_column() -> None:
    both = (ColumnId("m", "b"), ColumnId("s", "a"))
    assert str(export(View(graph(), centers=both), "text")).splitlines() == [
        "m.b",
        "  <- s.b  AGGREGATION  q.sql:1:35",
        "  -> n.x  IDENTITY  q.sql:2:25",
        "s.a",
        "  -> m.a  IDENTITY  q.sql:1:26",
    ]
    one_way = View(graph(), centers=both, downstream=False)
    assert str(export(one_way, "text")).splitlines() == [
        "m.b",
        "  <- s.b  AGGREGATION  q.sql:1:35",
        "s.a",
    ]


def test_conditions_between_the_same_ends_are_one_arrow() -> None:
    sql = "create table m as select s.a, s.b from s where s.a > 0 group by s.a, s.b order by s.a"
    text = str(export(View(trace(Source("q.sql", sql)), "all"), "dot"))
    (line,) = [each for each in text.splitlines() if each.strip().startswith(arrow("s.a", "m"))]
    assert 'class="INDIRECT FILTER+GROUP_BY+SORT certain"' in line
    assert "m (all rows) <- s.a  INDIRECT FILTER, GROUP_BY, SORT  q.sql:1:" in line
    assert "condition (filter, group by, sort)" in text


def test_mermaid_has_no_arrow_from_inside_a_box_to_the_box() -> None:
    sql = "insert into t(a, b) select t.b, t.c from t where t.d > 1"
    lines = mermaid(View(trace(Source("q.sql", sql)), "all")).splitlines()
    ids = {line.split('"')[1]: line.split("[")[0].strip() for line in lines if '["' in line}
    filters = [line.strip() for line in lines if "filter" in line]
    assert filters == [f"{ids['d']} -.->|filter| {ids[name]}" for name in ("a", "b")]


def test_mermaid_draws_no_more_arrows_than_it_can() -> None:
    square = Graph(
        Edge(ColumnId("s", f"c{i}"), ColumnId("t", f"c{j}"), "DIRECT", "IDENTITY", "certain")
        for i in range(25)
        for j in range(25)
    )
    text = mermaid(View(square))
    assert text.count(" --> ") == 400
    assert "225 more arrows are not shown" in text


def test_mermaid_tells_a_copy_from_a_sum_of_the_same_column() -> None:
    both = Graph(
        Edge(ColumnId("s", "a"), ColumnId("t", "a"), "DIRECT", subtype, "certain")
        for subtype in ("IDENTITY", "AGGREGATION")
    )
    assert "-->|aggregation, identity|" in mermaid(View(both))


def test_no_name_breaks_out_of_its_line_in_any_form() -> None:
    bad = 'a\n```\n<!-- /unwet -->\x1b[31m"]\r%%{init: 1}%%'
    edge = Edge(ColumnId(bad, bad), ColumnId("t", bad), "DIRECT", "IDENTITY", "certain")
    for view in (View(Graph([edge])), View(Graph([edge]), centers=(edge.source,))):
        for format in ("text", "json", "dot", "mermaid"):
            text = str(export(view, format))
            assert not re.search(r"[\x00-\x09\x0b-\x1f]", text), format
            assert not any(line.startswith(("```", "<!--")) for line in text.splitlines()), format
        assert "%%{" not in mermaid(view)


def test_results_of_several_files_have_a_box_each() -> None:
    found = trace(
        [
            Source("de.sql", "select m.a, m.b from m where m.c = 'DE'"),
            Source("fr.sql", "select m.a from m where m.c = 'FR'"),
        ]
    )
    text = str(export(View(found, "all"), "dot"))
    boxes = re.findall(r"<b>(.*?)</b></td>", text)
    assert boxes == ["de.sql (result)", "fr.sql (result)", "m"]
    ends = [str(each).split("  ")[0] for each in drawing(View(found, "all")).arrows]
    assert sorted(ends) == [
        "de.sql (result) (all rows) <- m.c",
        "de.sql (result).a <- m.a",
        "de.sql (result).b <- m.b",
        "fr.sql (result).a <- m.a",
        "fr.sql (result).a <- m.c",
    ]
    around = View(found, centers=(ColumnId("", "a"),))
    marked = str(export(around, "dot")).count('bgcolor="#fff1bf">a</td>')
    assert (marked, mermaid(around).count('.sql (result)"]')) == (2, 2)
