"""The explorer's page as a text: self-contained, escaped, compact, the same on every run."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from unwet import cli
from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.errors import UsageError
from unwet.lineage.exports.html import ASSETS, SCRIPTS, Start, html, way_back
from unwet.lineage.findings import Finding, Span
from unwet.lineage.graph import Graph
from unwet.lineage.pile import trace
from unwet.lineage.sources import Source

SQL = """create table m as select s.a, sum(s.b) as b from s where s.c > 0 group by s.a;
insert into n(x) select b from m;"""
EVIL = '</script><img src=x onerror="alert(1)"><!--\u2028{{script}}'


def graph() -> Graph:
    return trace(Source("q.sql", SQL))


def data_of(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    value: dict[str, Any] = json.loads(text)
    return value


def columns_of(data: dict[str, Any]) -> list[tuple[str, str]]:
    names = iter(data["columns"])
    tables = zip(data["tables"]["name"], data["tables"]["columns"], strict=True)
    return [(table, data["names"][next(names)]) for table, width in tables for _ in range(width)]


def edges_of(data: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """source, target, kind, certainty of every edge that carries values."""
    columns = [".".join(column) for column in columns_of(data)]
    found, target = [], 0
    for step, source, code in zip(*(data["edges"][k] for k in ("target", "source", "code")),
                                  strict=True):  # fmt: skip
        target += step
        kind, sure = data["kinds"][code // 4], data["certainties"][code % 4]
        found.append((columns[source], columns[target], kind, sure))
    return found


def test_the_data_is_the_graph() -> None:
    data = data_of(html(graph()))
    assert edges_of(data) == [
        ("s.a", "m.a", "IDENTITY", "certain"),
        ("s.b", "m.b", "AGGREGATION", "certain"),
        ("m.b", "n.x", "IDENTITY", "certain"),
    ]
    columns = [".".join(column) for column in columns_of(data)]
    conditions = {
        (columns[source], data["kinds"][code // 4], tuple(data["sets"][which]))
        for source, code, which in zip(
            *(data["rows"][k] for k in ("source", "code", "set")), strict=True
        )
    }
    both = (columns.index("m.a"), 2)
    assert conditions == {("s.a", "GROUP_BY", both), ("s.c", "FILTER", both)}
    assert data["places"][:3] == [0, 1, 26]
    assert data["files"] == ["q.sql"]


def test_columns_stand_in_the_order_of_the_statement() -> None:
    data = data_of(html(trace(Source("q.sql", "create table t as select z, b, a from s"))))
    assert [column for table, column in columns_of(data) if table == "t"] == ["z", "b", "a"]


def test_bare_selects_are_told_apart_by_their_files() -> None:
    both = trace([Source("x/one.sql", "select a from s"), Source("x/two.sql", "select a from s")])
    names = data_of(html(both))["tables"]["name"]
    assert names == ["s", "one.sql", "two.sql"]


def test_every_run_is_the_same() -> None:
    edges = list(graph().edges)
    assert html(Graph(edges)) == html(Graph(reversed(edges)))


def test_names_cannot_break_out() -> None:
    at = Span(EVIL, 1, 1, 1, 2)
    odd = Graph(
        [Edge(ColumnId(EVIL, EVIL), ColumnId("", EVIL), "DIRECT", "IDENTITY", "certain", (at,))],
        [Finding("AMBIGUOUS", EVIL, at)],
    )
    page = html(odd, title=EVIL)
    assert page.count("</script>") == 2
    assert "<img" not in page
    embedded = page.partition('id="data">')[2].partition("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(embedded)
    data = data_of(page)
    assert columns_of(data)[0] == (EVIL, EVIL)
    assert data["unresolved"][0][1] == EVIL
    assert data["start"]["title"] == EVIL
    assert "(() => {" not in embedded  # slots are filled in one go: a name is never one


def test_nothing_is_loaded_from_anywhere() -> None:
    page = html(graph())
    addresses = set(re.findall(r"\b[a-z]+://[^\s\"'<>`]*", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert not re.search(r"<(?:link|script|img|iframe)[^>]+(?:src|href)=\"(?!data:,)", page)
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\b", page)
    assert "@import" not in page and "url(" not in page


def test_the_policy_allows_this_script_and_style_only() -> None:
    page = html(graph())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    style = page.partition("<style>")[2].partition("</style>")[0]
    for text in (script, style):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_every_script_is_in_the_page() -> None:
    assert set(SCRIPTS) == {file.name for file in ASSETS.glob("*.js")}


def test_a_thousand_tables_are_compact() -> None:
    def edge(table: int, column: int) -> Edge:
        source = ColumnId(f"schema_{table // 20}.table_{max(0, table - 7)}", f"column_{column}")
        target = ColumnId(f"schema_{table // 20}.table_{table}", f"column_{column}")
        at = Span(f"reports/schema_{table // 20}/{table}.sql", column + 2, 9, column + 2, 17)
        return Edge(source, target, "DIRECT", "IDENTITY", "certain", (at,))

    page = html(Graph(edge(table, column) for table in range(1000) for column in range(10)))
    assert len(page.encode()) < 500_000


def test_places_over_the_limit_are_counted() -> None:
    spans = tuple(Span("q.sql", line, 1, line, 2) for line in range(1, 81))
    source, target = ColumnId("s", "a"), ColumnId("t", "a")
    many = Graph([Edge(source, target, "DIRECT", "IDENTITY", "certain", spans)])
    data = data_of(html(many))
    assert data["edges"]["places"] == [50]
    assert data["left_out"] == ["30 places: of each edge, only the first 50 places are here"]
    assert data_of(html(graph()))["left_out"] == []


def test_lines_of_sql_stand_at_their_places() -> None:
    data = data_of(html(graph(), texts={"q.sql": SQL, "other.sql": "select 1"}))
    assert data["lines"] == {"0": dict(enumerate_lines(SQL))}
    assert data_of(html(graph()))["lines"] == {}


def enumerate_lines(text: str) -> list[tuple[str, str]]:
    return [(str(i), line) for i, line in enumerate(text.split("\n"), 1)]


def test_too_much_sql_is_left_out_with_a_word() -> None:
    at = [Span("q.sql", line, 1, line, 2) for line in range(1, 8001)]
    edges = [Edge(ColumnId("s", f"c{a.line}"), ColumnId("t", "x"), "DIRECT", "IDENTITY", "certain",
                  (a,)) for a in at]  # fmt: skip
    data = data_of(html(Graph(edges), texts={"q.sql": "\n".join(["x" * 300] * 8000)}))
    assert data["lines"] == {}
    assert data["left_out"] == ["the SQL at the places: 1,600,000 characters are too many"]


def test_circles_and_unresolved_names() -> None:
    circular = trace(
        Source("c.sql", "insert into a select b.x from b; insert into b select a.x from a")
    )
    data = data_of(html(circular))
    columns = [".".join(column) for column in columns_of(data)]
    assert [[columns[i] for i in circle] for circle in data["circles"]] == [["a.x", "b.x"]]
    open_name = trace(Source("o.sql", "create table t as select a from s1 join s2 on true"))
    (finding,) = data_of(html(open_name))["unresolved"]
    assert (finding[0], finding[3:]) == ("AMBIGUOUS", [1, 26])


def test_the_center_must_be_there() -> None:
    page = html(graph(), center=ColumnId("n", "x"))
    data = data_of(page)
    assert data["tables"]["name"][data["center"][0]] == "n"
    assert columns_of(data)[data["center"][1]] == ("n", "x")
    table = data_of(html(graph(), center=(ColumnId("m", "a"), ColumnId("m", "b"))))["center"]
    assert table == [data["tables"]["name"].index("m"), -1]
    assert data_of(html(graph()))["center"] == [-1, -1]
    with pytest.raises(UsageError, match=r"no column n\.y"):
        html(graph(), center=ColumnId("n", "y"))


def test_the_working_folder_is_only_told_when_asked_for() -> None:
    assert "/home/me" not in html(graph(), start=Start(root="/home/me"))
    asked = Start(link="vscode://file{abspath}:{line}", root="/home/me")
    assert data_of(html(graph(), start=asked))["start"]["root"] == "/home/me"


@pytest.mark.parametrize(
    ("output", "way"),
    [(None, ""), ("x.html", ""), ("docs/x.html", "../"), ("a/b/x.html", "../../")],
)
def test_the_way_back_to_the_working_folder(output: str | None, way: str) -> None:
    assert way_back(output) == way


def test_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "q.sql").write_text(SQL)
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path)
    command = ["lineage", "q.sql", "--format", "html", "-o", "docs/lineage.html", "--column", "m.b",
               "--upstream", "--depth", "2", "--kinds", "all"]  # fmt: skip
    result = CliRunner().invoke(cli.main, command)
    assert (result.exit_code, result.stdout) == (0, "")
    data = data_of((tmp_path / "docs/lineage.html").read_text("utf-8"))
    assert len(columns_of(data)) == 6  # all of the graph, not the closure alone
    assert columns_of(data)[data["center"][1]] == ("m", "b")
    start = data["start"]
    assert (start["upstream"], start["downstream"], start["depth"]) == (True, False, 2)
    assert (start["kinds"], start["base"]) == ("all", "../")
