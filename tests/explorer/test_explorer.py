"""The explorer in a real browser: what a reader does, and what it shows then."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.exports.html import Start, html
from unwet.lineage.findings import Finding, Span
from unwet.lineage.graph import Graph, Kinds
from unwet.lineage.pile import trace
from unwet.lineage.sources import Source

if TYPE_CHECKING:
    from bench.chromium import Browser, Page

SQL = """create table shop.clean as
select o.id, o.amount, o.amount * 2 as twice from raw.orders o where o.state = 'paid';
create table mart.revenue as select sum(c.amount) as revenue, count(c.id) as n from shop.clean c;
create table mart.yearly as select revenue * 1.2 as gross from mart.revenue;
insert into loop.a select b.x from loop.b; insert into loop.b select a.x from loop.a;
"""
REPORT = "select gross from mart.yearly"
SHOP = Path(__file__).parents[2] / "fixtures" / "shop"
Open = Callable[..., "Page"]


@pytest.fixture
def open_page(browser: "Browser", tmp_path: Path) -> Iterator[Open]:
    """Opens a graph's page; in the end, nothing may have gone wrong in any of them."""
    pages: list[Page] = []

    def opened(graph: Graph | None = None, hash: str = "", **options: Any) -> "Page":
        file = tmp_path / f"{len(pages)}.html"
        sources = [Source("sql/pile.sql", SQL), Source("sql/report.sql", REPORT)]
        file.write_text(html(graph or trace(sources), **options), "utf-8")
        page = browser.open(file.as_uri() + hash)
        pages.append(page)
        page.until("performance.getEntriesByName('unwet-first-frame').length")
        frame(page)
        return page

    yield opened
    for page in pages:
        assert page.complaints == []
        assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []


def heading(page: "Page") -> str:
    return str(page.run("document.querySelector('#body h2').textContent"))


def where(page: "Page") -> str:
    return str(page.run("document.querySelector('#where').textContent"))


def inked(page: "Page", x: str = "0", width: str = "canvas.width") -> int:
    """How many pixels of the canvas are not background."""
    return int(page.run(
        "(() => { const canvas = document.querySelector('canvas');"
        f"const d = canvas.getContext('2d').getImageData({x}, 0, {width}, canvas.height).data;"
        "let n = 0; for (let i = 4; i < d.length; i += 4)"
        " if (d[i] !== d[0] || d[i+1] !== d[1] || d[i+2] !== d[2]) n++; return n; })()"
    ))  # fmt: skip


def texts(page: "Page", selector: str) -> list[str]:
    found: list[str] = page.run(
        f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)"
    )
    return found


def frame(page: "Page") -> None:
    """Until what was asked for is drawn."""
    page.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pressed(page: "Page", *keys: str) -> None:
    for key in keys:
        page.press(key)


# Moves a pointer over the canvas until the tip begins with a text; where that is.
FIND_TIP = """(() => {
  const canvas = document.querySelector('canvas'), tip = document.querySelector('#tip');
  const { left, top, right, bottom } = canvas.getBoundingClientRect();
  for (let clientX = left + 5; clientX < right; clientX += 25)
    for (let clientY = top + 5; clientY < bottom; clientY += 7) {
      canvas.dispatchEvent(new PointerEvent('pointermove', { clientX, clientY }));
      if (!tip.hidden && tip.textContent.startsWith(%s)) return [clientX, clientY];
    }
})()"""


def drawn(page: "Page", folder: Path) -> ElementTree.Element:
    """The SVG that the page saves of its present view."""
    folder.mkdir(exist_ok=True)
    page.save_downloads(folder)
    page.press("s")
    for _ in range(200):
        page.run("new Promise(done => setTimeout(done, 20))")
        if files := list(folder.glob("*.svg")):
            text = files[0].read_text("utf-8")
            files[0].unlink()
            return ElementTree.fromstring(text)
    raise AssertionError("nothing was saved")


KINDS = ("text", "tspan", "title")


def labels(picture: ElementTree.Element) -> list[str]:
    """What is written in it: names of tables in full, and every piece of text."""
    svg = "{http://www.w3.org/2000/svg}"
    return [e.text or "" for e in picture.iter() if e.tag.removeprefix(svg) in KINDS]


def test_the_map_is_drawn_first(open_page: Open) -> None:
    page = open_page()
    assert inked(page) > 2000
    assert "7 tables" in where(page)
    assert heading(page) == "Column lineage"


def test_search_ranks_and_chooses(open_page: Open) -> None:
    page = open_page()
    pressed(page, "/")
    page.type("amount")
    hits = texts(page, "#hits [role=option]")
    assert hits == ["columnamountraw.orders", "columnamountshop.clean"]
    pressed(page, "ArrowDown", "Enter")
    page.until("location.hash === '#shop.clean.amount'")
    assert heading(page) == "amount"
    assert "1 column upstream · 3 columns downstream · 5 tables in view" in where(page)


def test_search_finds_nothing_and_is_left_by_escape(open_page: Open) -> None:
    page = open_page()
    pressed(page, "/")
    page.type("zzz")
    assert texts(page, "#hits li") == ["nothing found"]
    pressed(page, "Escape")
    assert page.run("document.querySelector('#hits').hidden")
    assert page.run("document.activeElement.id") == "canvas"


def test_the_address_says_what_is_chosen_and_back_goes_back(open_page: Open) -> None:
    page = open_page(hash="#mart.revenue.n")
    assert heading(page) == "n"
    page.run(
        "[...document.querySelectorAll('.name')].find(b => b.title === 'shop.clean.id').click()"
    )
    page.until("location.hash === '#shop.clean.id'")
    assert heading(page) == "id"
    page.run("history.back()")
    page.until("document.querySelector('#body h2').textContent === 'n'")
    pressed(page, "Escape")
    page.until("location.hash === ''")
    assert heading(page) == "Column lineage"


def test_addresses_work_by_the_end_of_a_name_too(open_page: Open) -> None:
    assert heading(open_page(hash="#revenue.N")) == "n"
    page = open_page(hash="#no.such.column")
    assert texts(page, ".toast") == ["no table or column no.such.column in this page"]


def test_only_the_closure_is_drawn(open_page: Open, tmp_path: Path) -> None:
    page = open_page(hash="#mart.revenue.revenue")
    words = labels(drawn(page, tmp_path / "down"))
    assert {"raw.orders", "amount", "shop.clean", "mart.yearly", "gross", "report.sql"} <= set(
        words
    )
    assert not {"twice", "id", "n", "state", "loop.a"} & set(words)


def test_depth_and_direction(open_page: Open) -> None:
    page = open_page(hash="#mart.revenue.revenue")
    assert "2 columns upstream · 2 columns downstream" in where(page)
    page.run("const d = document.querySelector('#depth'); d.value = '1';"
             "d.dispatchEvent(new Event('change'))")  # fmt: skip
    assert "1 column upstream · 1 column downstream · 3 tables in view" in where(page)
    pressed(page, "u")
    assert "1 column upstream · 2 tables in view" in where(page)
    pressed(page, "]")
    assert "2 columns upstream · 3 tables in view" in where(page)
    page.run("document.querySelector('#direction input[value=down]').click()")
    assert "2 columns downstream · 3 tables in view" in where(page)


def test_conditions_are_drawn_when_asked_for(open_page: Open, tmp_path: Path) -> None:
    page = open_page(hash="#shop.clean.amount")
    assert "state" not in labels(drawn(page, tmp_path / "down"))
    pressed(page, "c")
    assert "state" in labels(drawn(page, tmp_path / "down"))
    assert page.run("document.querySelector('#conditions').checked")
    assert "filter" in texts(page, ".badge")


def test_a_click_on_a_row_chooses_it(open_page: Open) -> None:
    page = open_page(hash="#mart.yearly.gross")
    spot = page.run(FIND_TIP % json.dumps("shop.clean.amount"))
    assert spot, "no row of shop.clean.amount under the pointer anywhere"
    page.click(*spot)
    page.until("location.hash === '#shop.clean.amount'")
    page.until("document.querySelector('#body h2').textContent === 'amount'")


def test_keys_walk_along_the_lines(open_page: Open) -> None:
    page = open_page(hash="#mart.revenue.revenue")
    pressed(page, "ArrowLeft")
    assert str(page.run("document.querySelector('#said').textContent")).startswith(
        "mart.revenue.revenue,"
    )
    pressed(page, "ArrowLeft", "Enter")
    page.until("document.querySelector('#body h2').textContent === 'amount'")
    pressed(page, "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    page.until("location.hash === '#mart.yearly.gross'")


def test_light_and_dark(open_page: Open) -> None:
    page = open_page()
    corner = (
        "[...document.querySelector('canvas').getContext('2d').getImageData(1,1,1,1).data]"
        ".slice(0,3).reduce((a, b) => a + b)"
    )
    assert page.run(corner) > 600
    pressed(page, "d")
    page.until(f"{corner} < 150")
    page.prefer(prefers_color_scheme="dark")
    frame(page)
    page.prefer(prefers_color_scheme="light")
    page.until(f"{corner} > 600")
    page.prefer(prefers_color_scheme="dark")
    page.until(f"{corner} < 150")
    assert page.run("document.documentElement.dataset.theme") == "dark"


def test_circles_are_shown_as_such(open_page: Open, tmp_path: Path) -> None:
    page = open_page(hash="#loop.a.x")
    assert texts(page, ".circle strong") == ["↻ part of a circle"]
    assert texts(page, ".circle .name") == ["loop.a.x", "loop.b.x"]
    picture = drawn(page, tmp_path / "down")
    assert labels(picture).count("↻") == 2
    red = page.run("getComputedStyle(document.documentElement).getPropertyValue('--cycle').trim()")
    curves = [e for e in picture.iter("{http://www.w3.org/2000/svg}path") if e.get("stroke") == red]
    assert len(curves) == 3  # there, back, and the legend's


def test_folders_collapse_and_open(open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    pressed(page, "1")
    words = labels(drawn(page, tmp_path / "down"))
    assert {"raw", "shop", "mart", "loop", "results"} <= set(words)
    assert "mart.revenue" not in words
    page.run(
        "[...document.querySelectorAll('#body .name')].find(b => b.textContent === 'mart').click()"
    )
    words = labels(drawn(page, tmp_path / "down"))
    assert {"mart.revenue", "mart.yearly", "shop", "results"} <= set(words)
    assert "raw" not in words
    pressed(page, "Escape", "3")
    assert "mart.revenue" in labels(drawn(page, tmp_path / "down"))


def test_a_closure_collapses_by_folder(open_page: Open, tmp_path: Path) -> None:
    page = open_page(hash="#mart.revenue.revenue")
    pressed(page, "1")
    words = labels(drawn(page, tmp_path / "down"))
    assert {"raw", "shop", "mart", "results", "mart.revenue"} <= set(words)
    assert not {"shop.clean", "mart.yearly"} & set(words)


def test_places_lead_to_the_file(open_page: Open) -> None:
    page = open_page(hash="#shop.clean.twice", start=Start(base="../"))
    link = page.run(
        "(a => [a.textContent, a.getAttribute('href')])"
        "(document.querySelector('#body .edge .place a'))"
    )
    assert link == ["sql/pile.sql:2:24", "../sql/pile.sql"]
    start = Start(link="vscode://file{abspath}:{line}:{column}", root="/home/me/my pile")
    page = open_page(hash="#shop.clean.twice", start=start)
    href = page.run("document.querySelector('#body .edge .place a').getAttribute('href')")
    assert href == "vscode://file/home/me/my%20pile/sql/pile.sql:2:24"


def test_places_show_their_line_of_sql(open_page: Open) -> None:
    page = open_page(hash="#mart.yearly.gross", texts={"sql/pile.sql": SQL})
    (line,) = page.run(
        "[...document.querySelectorAll('#body .edge')].slice(0, 1)"
        ".map(e => [e.querySelector('.sql').textContent, e.querySelector('mark').textContent])"
    )
    assert line == [SQL.splitlines()[3], "revenue"]


def test_evidence_and_candidates(open_page: Open) -> None:
    ambiguous = trace(Source("o.sql", "create table t as select a from s1 join s2 on true"))
    page = open_page(ambiguous, hash="#t.a")
    assert texts(page, "#body .edge .sure")[:2] == ["ambiguous", "ambiguous"]
    assert any("s1" in text and "s2" in text for text in texts(page, ".hint.warn"))
    page.run("document.querySelector('#tab-unresolved').click()")
    assert len(texts(page, "#body .edge")) == 1
    at, why = Span("a.sql", 3, 4, 3, 5), Span("b.sql", 7, 8, 7, 9)
    edge = Edge(ColumnId("s", "x"), ColumnId("t", "x"), "DIRECT", "IDENTITY", "inferred",
                (at,), (why,))  # fmt: skip
    page = open_page(Graph([edge]), hash="#t.x")
    assert texts(page, "#body .place") == ["a.sql:3:4", "b.sql:7:8"]


def test_names_are_only_text(open_page: Open, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=\"document.title='got you'\">"
    at = Span(f"javascript:alert(1)//{evil}", 1, 1, 1, 2)
    edge = Edge(ColumnId(evil, evil), ColumnId("t", evil), "DIRECT", "IDENTITY", "certain", (at,))
    page = open_page(Graph([edge], [Finding("AMBIGUOUS", evil, at)]), title=evil)
    pressed(page, "/")
    page.type("onerror")
    pressed(page, "Enter")
    page.until("location.hash.length > 2")
    assert evil in heading(page) and "got you" not in str(page.run("document.title")).split(evil)
    assert page.run("document.querySelectorAll('body img:not(#legend img)').length") == 0
    hrefs = page.run("[...document.querySelectorAll('#body .place a')].map(a => a.protocol)")
    assert set(hrefs) == {"file:"}
    assert any(text.startswith("</script><img") for text in labels(drawn(page, tmp_path / "down")))
    page.run("document.querySelector('#tab-unresolved').click()")
    assert any(evil in text for text in texts(page, "#body .edge"))


def test_zoom_pan_and_fit(open_page: Open) -> None:
    page = open_page()
    whole = inked(page)
    for _ in range(12):
        page.wheel(300, 300, -100)
    frame(page)
    near = inked(page)
    assert abs(near - whole) > whole / 10
    page.drag(200, 200, 900, 700)
    frame(page)
    assert abs(inked(page) - near) > near / 10
    pressed(page, "f")
    frame(page)
    assert abs(inked(page) - whole) < whole / 10
    page.pinch(400, 400, 100, 300)
    frame(page)
    assert abs(inked(page) - whole) > whole / 10


def test_a_tab_reaches_every_control(open_page: Open) -> None:
    page = open_page(hash="#mart.revenue.revenue")
    page.run("document.querySelector('#home').focus()")
    reached = set()
    for _ in range(60):
        reached.add(page.run("document.activeElement.id || document.activeElement.name"))
        page.press("Tab")
    controls = (
        "home query direction depth conditions level way svg theme help side canvas in out fit"
    )
    wanted = {*controls.split(), "tab-details", "tab-unresolved"}
    assert wanted <= reached
    unnamed = page.run(
        "[...document.querySelectorAll('button, input, select, canvas')].filter(e =>"
        "!(e.textContent.trim() || e.ariaLabel || e.closest('label'))).length"
    )
    assert unnamed == 0


def test_contrast_is_enough_in_both_themes(open_page: Open) -> None:
    page = open_page()
    for theme in ("light", "dark"):
        page.prefer(prefers_color_scheme=theme)
        page.until(f"document.documentElement.dataset.theme === '{theme}'")
        colours = page.run(
            "Object.fromEntries(['bg','panel','ink','muted','accent','identity','transformation',"
            "'aggregation','indirect','cycle','chosen'].map(n => [n, getComputedStyle("
            "document.documentElement).getPropertyValue('--' + n).trim()]))"
        )
        for name in ("ink", "muted", "accent", "identity", "transformation", "aggregation",
                     "indirect", "cycle"):  # fmt: skip
            for ground in ("bg", "panel"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (theme, name, ground)
        assert contrast(colours["ink"], colours["chosen"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, of two colours as #rrggbb."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part, 16) / 255 for part in re.findall("..", colour.lstrip("#"))]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_the_page_opens_at_the_center(open_page: Open) -> None:
    page = open_page(center=ColumnId("", "gross"), kinds="all",
                     start=Start(downstream=False, depth=2))  # fmt: skip
    assert page.run("location.hash") == "#report.sql.gross"
    assert "2 columns upstream" in where(page) and "downstream" not in where(page)
    assert page.run("document.querySelector('#conditions').checked")


def test_stars_that_cannot_be_listed_feed_what_is_read(open_page: Open) -> None:
    stars = trace(Source("s.sql", "create table b as select * from a; "
                                  "create table c as select b.x from b"))  # fmt: skip
    page = open_page(stars, hash="#c.x")
    assert "3 columns upstream" in where(page)


def test_closures_are_those_of_the_graph(open_page: Open) -> None:
    """The page walks the graph by itself; it must come to the same columns."""
    graph = trace(SHOP / "pile", dialect="postgres", schema=str(SHOP / "schema.sql"))
    columns = [node for node in graph.nodes if node.relation][::700]
    page = open_page(graph)
    for column in columns:
        page.run(f"location.hash = '#' + encodeURIComponent({json.dumps(str(column))})")
        page.until(f"document.title.startsWith({json.dumps(str(column))})")
        for key, depth in (("c", None), ("[", None), ("c", 10), ("]", 10)):
            kinds: Kinds = (
                "all" if page.run("document.querySelector('#conditions').checked") else "direct"
            )
            said = str(page.run("document.querySelector('#where span').textContent"))
            counts = [
                int(n.replace(",", "")) for n in re.findall(r"([\d,]+) columns? \w+stream", said)
            ]
            up = graph.upstream(column, depth, kinds)
            assert counts[0] == len(set(up) - {column}), (column, kinds, depth)
            down = graph.downstream(column, depth, kinds)
            if all(node.relation for node in down):  # bare SELECTs are apart in the page only
                assert counts[1] == len(set(down) - {column}), (column, kinds, depth)
            page.press(key)
