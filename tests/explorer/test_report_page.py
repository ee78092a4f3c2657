"""The page of it all in a real browser: what a reader does, and what is shown then."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unwet.lineage.pile import load
from unwet.rewrite import refactor, verify
from unwet.rewrite.overview.gather import overview
from unwet.rewrite.overview.links import Links
from unwet.rewrite.overview.page import page as as_html

if TYPE_CHECKING:
    from bench.chromium import Browser, Page

HOME = Path(__file__).parents[2] / "fixtures" / "walk"
SHOWN = "[...document.querySelectorAll('#reports tbody tr:not([hidden]) td:first-child')]"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    pile = load(HOME / "pile", "postgres")
    refactor.refactor(pile, refactor.Request(folder / "project", "shop", "duckdb"))
    found = overview(pile, (), verify.Request(folder / "project"))
    target = folder / "report.html"
    target.write_text(as_html(found, Links()), "utf-8")
    return target


@pytest.fixture
def page(browser: "Browser", file: Path) -> "Iterator[Page]":
    """The page, opened; in the end, nothing may have gone wrong in it."""
    opened = browser.open(file.as_uri())
    yield opened
    complaints = [str(complaint) for complaint in opened.complaints]
    opened.close()
    assert complaints == []


def shown(page: "Page") -> list[str]:
    found: list[str] = page.run(f"{SHOWN}.map(cell => cell.textContent)")
    return found


def test_words_filter_all_tables(page: "Page") -> None:
    everything = shown(page)
    assert len(everything) == 3
    page.press("/")
    page.type("revenue_fr")
    assert shown(page) == ["revenue_fr"]
    assert page.run("document.querySelector('#reports h2 .count').textContent") == "1 of 3"
    page.type("nonsense")
    assert shown(page) == ["No row has all of that."]
    page.press("Escape")
    assert shown(page) == everything
    assert page.run("document.querySelector('#reports h2 .count').textContent") == "3"


def test_a_verdict_filters_the_reports(page: "Page") -> None:
    page.run("document.querySelector('.chips button').click()")
    chosen = page.run("document.querySelector('.chips button').dataset.verdict")
    rows = "[...document.querySelectorAll('#reports tbody tr:not([hidden])')]"
    assert page.run(f"{rows}.every(row => row.dataset.verdict === '{chosen}')")
    page.run("document.querySelector('.chips button').click()")
    assert len(shown(page)) == 3


def test_a_head_sorts_and_sorts_back(page: "Page") -> None:
    before = shown(page)
    assert before == sorted(before)
    head = "document.querySelector('#reports th')"
    page.run(f"{head}.querySelector('button').click()")
    assert page.run(f"{head}.getAttribute('aria-sort')") == "ascending"
    page.run(f"{head}.querySelector('button').click()")
    assert page.run(f"{head}.getAttribute('aria-sort')") == "descending"
    assert shown(page) == sorted(before, reverse=True)


def test_light_and_dark(page: "Page") -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    first = page.run(ground)
    page.press("d")
    assert page.run(ground) != first
    page.press("d")
    assert page.run(ground) == first


def test_print_opens_what_is_folded(page: "Page") -> None:
    closed = "document.querySelectorAll('details:not([open])').length"
    before = page.run(closed)
    assert before > 0
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run(closed) == 0
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run(closed) == before
