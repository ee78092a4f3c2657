"""Files are read back as what they show, and compared with what the SQL says."""

import json
import shutil
from collections.abc import Callable

import pytest

from unwet.lineage.asking import Ask, made, view
from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.exports import View, export, png
from unwet.lineage.exports.reading import shown
from unwet.lineage.exports.staleness import Stale, compare, drawn_lines
from unwet.lineage.graph import Graph
from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source

SQL = """create table m as select s.a, sum(s.b) as b, s.d from s where s.c > 0 group by s.a, s.d;
insert into n(x) select m.b from m;
insert into o select y from p, q;
select n.x from n;"""
OTHER = SQL.replace("sum(s.b)", "sum(s.e)")
LATER = f"-- a comment\n\n{SQL}"
ADDED = "m.b <- s.e  AGGREGATION"
REMOVED = "m.b <- s.b  AGGREGATION"
FORMATS = ["text", "json", "dot", "mermaid", "html", "openlineage", "svg", "png"]
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="the dot program is missing")
EVERY = [pytest.param(f, marks=[needs_dot] if f in ("svg", "png") else []) for f in FORMATS]
ODD = Graph(
    Edge(ColumnId(*source), ColumnId(*target), "DIRECT", "IDENTITY", certainty)
    for source, target, certainty in (
        (('a"b<c>', "x]y|z"), ("d\\e", "f{g}"), "certain"),
        (("", "r#1"), ("d\\e", "f{g}"), "unknown"),
        (("s:c61:e->t", "é→ü"), ("#t@f.sql", "a b"), "ambiguous"),
    )
)


def pile(sql: str) -> Pile:
    return load(Source("q.sql", sql))


def raw(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def against(old: bytes, sql: str, ask: Ask) -> Stale | None:
    new = pile(sql)
    drawn = ask.format in ("svg", "png")
    return compare(old, ask.format, drawn_lines(view(new, ask)) if drawn else made(new, ask))


@pytest.mark.parametrize("format", EVERY)
@pytest.mark.parametrize("kinds", ["direct", "all"])
def test_what_was_just_made_is_true(format: str, kinds: str) -> None:
    for columns in ((), ("n.x",)):
        ask = Ask(format, columns, kinds=kinds)  # type: ignore[arg-type]
        old = raw(made(pile(SQL), ask))
        assert shown(old, format)
        assert against(old, SQL, ask) is None


@pytest.mark.parametrize("format", EVERY)
def test_another_source_is_an_edge_more_and_one_less(format: str) -> None:
    ask = Ask(format, kinds="direct")
    found = against(raw(made(pile(SQL), ask)), OTHER, ask)
    assert found is not None
    count = 2 if format == "html" else 1  # the page has the line of SQL, too
    assert len(found.added) == len(found.removed) == count
    if format in ("json", "dot", "svg", "png"):
        assert (found.added, found.removed) == ((ADDED,), (REMOVED,))
    assert "s.e" in found.added[0] and "s.b" in found.removed[0]
    assert found.summary == f"{count} added, {count} removed"


@pytest.mark.parametrize("format", EVERY)
def test_places_count_where_they_are_shown(format: str) -> None:
    ask = Ask(format)
    found = against(raw(made(pile(SQL), ask)), LATER, ask)
    if format in ("text", "json", "html"):
        assert found is not None and found.moved > 3
        assert (found.added, found.removed) == ((), ())
        assert found.summary == f"{found.moved} at other places"
    else:
        assert found is None


@pytest.mark.parametrize("format", ["dot", pytest.param("svg", marks=needs_dot),
                                    pytest.param("png", marks=needs_dot)])  # fmt: skip
def test_odd_names_are_read_back(format: str) -> None:
    view = View(ODD)
    assert sorted(shown(raw(export(view, format)), format)) == sorted(drawn_lines(view))


def test_odd_names_are_read_back_from_mermaid() -> None:
    lines = shown(raw(export(View(ODD), "mermaid")), "mermaid")
    assert 'd\\e.f{g} <- a"b<c>.x]y|z' in lines
    assert "d\\e.f{g} <- (result).r#1  unknown" in lines


def redrawn(svg: bytes) -> bytes:
    """The same picture as another version of Graphviz would draw it."""
    text = svg.decode().replace("2.43.0", "12.0.0").replace('d="M', 'd="M1.5,2 L')
    return text.replace("Helvetica,sans-Serif", "Arial").encode()


@needs_dot
def test_a_picture_placed_otherwise_is_still_true() -> None:
    ask = Ask("svg")
    old = raw(made(pile(SQL), ask))
    assert redrawn(old) != old
    assert against(redrawn(old), SQL, ask) is None


@pytest.mark.parametrize("change", [lambda t: json.dumps(json.loads(t), indent=4),
                                    lambda t: t.replace("\n", "\r\n")])  # fmt: skip
def test_json_may_be_formatted(change: Callable[[str], str]) -> None:
    ask = Ask("json")
    text = str(made(pile(SQL), ask))
    assert against(change(text).encode(), SQL, ask) is None


@pytest.mark.parametrize("format", ["json", "svg", "png", "html", "dot", "mermaid"])
@pytest.mark.parametrize("junk", [b"", b"\x89PNG\r\n\x1a\nxx", b"<svg", b"{}", b"\xff\xfe"])
def test_a_file_of_somebody_else_shows_no_lineage(format: str, junk: bytes) -> None:
    assert shown(junk, format) == []
    new = ["a <- b"] if format in ("svg", "png") else made(pile(SQL), Ask(format))
    found = compare(junk, format, new)
    assert found is not None and found.added and not found.removed


def test_a_long_difference_is_cut() -> None:
    stale = Stale(tuple(f"new {i}" for i in range(30)), ("old",))
    assert stale.lines(3) == ["- old", "+ new 0", "+ new 1", "... and 28 more (-v shows all)"]
    assert len(stale.lines()) == 31


@needs_dot
def test_text_in_a_png_is_read_back_and_damage_is_seen() -> None:
    picture = export(View(ODD), "png")
    assert isinstance(picture, bytes)
    assert png.text_of(png.with_text(picture, "é\nx")) != ""
    with pytest.raises(ValueError, match="no PNG"):
        png.text_of(b"GIF89a")
    with pytest.raises(ValueError, match="damaged"):
        png.text_of(picture.replace(b"unwet lineage\0\1\0\0\0x", b"unwet lineage\0\1\0\0\0y"))
