"""Lines of the explorer go around boxes, and what nobody names is told as no column."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from unwet.lineage.exports.html import html
from unwet.lineage.pile import trace
from unwet.lineage.sources import Source
from unwet.tests.explorer.test_explorer import drawn, labels, where

if TYPE_CHECKING:
    from bench.chromium import Browser, Page

SQL = """\
create table rep.a as select * from shop.unknown_table;
create table rep.b as select a.*, o.amount, o.amount + 1 as n from rep.a a, shop.orders o;
create table rep.c as select b.amount from rep.b b;
create table rep.d as select c.amount, b.n from rep.c c, rep.b b where b.amount = c.amount;
"""
SVG = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]


def opened(browser: "Browser", tmp_path: Path) -> "Page":
    file = tmp_path / "page.html"
    file.write_text(html(trace([Source("sql/pile.sql", SQL)])), "utf-8")
    page = browser.open(file.as_uri())
    page.until("performance.getEntriesByName('unwet-first-frame').length")
    return page


def curves(picture: ElementTree.Element) -> Iterator[list[Point]]:
    """The lines between boxes as points."""
    for path in picture.iter(f"{SVG}path"):
        start, sign, rest = path.attrib["d"].partition("C")
        if not sign:
            continue  # an arrow
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", start + " " + rest)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        yield [point for n in range(0, len(points) - 1, 3) for point in bent(points[n : n + 4])]


def bent(points: list[Point]) -> Iterator[Point]:
    for n in range(1, 40):
        t, s = n / 40, 1 - n / 40
        weights = (s**3, 3 * s * s * t, 3 * s * t * t, t**3)
        yield tuple(  # type: ignore[misc]
            sum(w * p[axis] for w, p in zip(weights, points, strict=True)) for axis in (0, 1)
        )


def test_no_line_runs_behind_a_box(browser: "Browser", tmp_path: Path) -> None:
    page = opened(browser, tmp_path)
    picture = drawn(page, tmp_path / "saved")
    sizes = [
        tuple(float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        for group in picture.iter(f"{SVG}g")
        for rect in list(group.iter(f"{SVG}rect"))[:1]
    ]
    assert len(sizes) == 6
    lines = [*curves(picture)]
    assert any(len(line) > 40 for line in lines)  # one goes around
    for x, y, width, height in sizes:
        for line in lines:
            assert not any(x < a < x + width and y < b < y + height for a, b in line)
    assert page.complaints == []


def test_what_nobody_names_is_no_column(browser: "Browser", tmp_path: Path) -> None:
    page = opened(browser, tmp_path)
    said = labels(drawn(page, tmp_path / "saved"))
    assert said.count("all columns (*)") == 2 and said.count("others (*)") == 1
    assert "*" not in said
    assert "6 tables · 6 columns" in where(page)
