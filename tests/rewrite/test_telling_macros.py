"""Macros whose names would say nothing are called after what sets them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite import telling_macros
from unwet.rewrite.decisions.file import read_decisions
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.telling_macros import _alike, _apart, _told

SCHEMA = {
    "web.hits": {"url": "TEXT", "device": "TEXT", "day": "DATE", "bytes": "INT", "ok": "INT"},
    "web.crawls": {"url": "TEXT", "robot": "TEXT", "day": "DATE", "depth": "INT"},
}
CRAWLED = """SELECT robot, COUNT(*) AS crawled, MAX(depth) AS deepest, MIN(depth) AS flat
FROM web.crawls WHERE day = DATE '{0}' AND depth > {1} AND url <> '' GROUP BY robot"""
LOADED = """SELECT device, SUM(bytes) AS loaded, AVG(bytes) AS usual, COUNT(DISTINCT url) AS pages
FROM web.hits WHERE day = DATE '{0}' AND bytes > {1} AND ok = 1 GROUP BY device"""
FAILED = """SELECT url, SUM(ok) AS fine, COUNT(*) - SUM(ok) AS failed, MAX(day) AS seen
FROM web.hits WHERE day > DATE '{0}' AND bytes < {1} AND device <> '' GROUP BY url"""


def refactored(scripts: dict[str, str], **more: object) -> Result:
    sources = [Source(f"{name}.sql", text) for name, text in scripts.items()]
    return refactor(load(sources, "duckdb", SCHEMA), Request(generated=None, **more))  # type: ignore[arg-type]


def scripts(*shapes: str, first: int = 1) -> dict[str, str]:
    found = {}
    for at, shape in enumerate(shapes):
        for copy in range(3):
            name = f"report_{at + first:02}_{copy:02}"
            found[name] = shape.format(f"2024-0{copy + 1}-01", copy + at)
    return found


def macros(result: Result) -> set[str]:
    return {Path(name).stem for name in result.files if name.startswith("macros/")
            if name.endswith(".sql")}  # fmt: skip


def test_names_that_say_nothing_are_words_of_the_macro() -> None:
    assert macros(refactored(scripts(CRAWLED, LOADED, FAILED))) == {
        "crawled_rows", "loaded_rows", "fine_rows"
    }  # fmt: skip


@pytest.mark.parametrize("shapes", [(LOADED, CRAWLED, FAILED), (FAILED, LOADED, CRAWLED)])
def test_they_do_not_depend_on_the_order(shapes: tuple[str, ...]) -> None:
    assert macros(refactored(scripts(*shapes))) == {"crawled_rows", "loaded_rows", "fine_rows"}


def test_one_report_more_changes_none_of_them() -> None:
    more = scripts(CRAWLED, LOADED) | {"report_02_07": LOADED.format("2024-07-01", 9)}
    assert macros(refactored(more)) == {"crawled_rows", "loaded_rows"}
    more |= {"hits": "SELECT url, MAX(bytes) AS biggest FROM web.hits GROUP BY url"}
    assert macros(refactored(more)) == {"crawled_rows", "loaded_rows"}


def test_what_is_forbidden_is_not_made_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "unwet-decisions.toml"
    path.write_text('[[forbid]]\nname = "crawled_rows"\ndate = 2026-01-01\nreason = "odd"\n')
    result = refactored(scripts(CRAWLED, LOADED, FAILED), decisions=read_decisions(path))
    assert macros(result) == {"loaded_rows", "fine_rows"}
    assert result.notes == ()


def test_a_word_that_all_reports_begin_with_says_nothing_of_a_macro() -> None:
    """Names are `tempresults_...` where an author had one word for all that he made."""
    shapes = (CRAWLED, LOADED, FAILED)
    made = {f"tempresults_{word}_{copy}": shape.format(f"2024-0{copy + 1}-01", copy + at)
            for at, (word, shape) in enumerate(zip(("seen", "sent", "lost"), shapes, strict=True))
            for copy in range(3)}  # fmt: skip
    assert macros(refactored(made)) == {"seen", "sent", "lost"}
    others = {f"other_{at}": f"SELECT url, {at} AS n FROM web.hits WHERE bytes = {at}"
              for at in range(3)}  # fmt: skip
    assert macros(refactored(made | others)) >= {"tempresults_seen", "tempresults_lost"}


def test_macros_that_say_the_same_are_numbered_behind_that() -> None:
    said = {name: ["visit_lines"] for name in ("report_rows", "report_rows_2")}
    nothing = telling_macros._NOTHING
    told = telling_macros._told("report_rows", [*said], said, {*said}, {}, nothing)
    assert told == {
        "report_rows": "visit_lines_rows", "report_rows_2": "visit_lines_rows_2"
    }  # fmt: skip


SAID = {
    "vitals_rows": ["client", "app", "2020", "core_web_vitals_part"],
    "vitals_rows_2": ["client", "app", "2021", "core_web_vitals_passing_part"],
    "vitals_rows_3": ["client", "app", "2022", "core_web_vitals_part"],
}


@pytest.mark.parametrize(
    ("name", "words"),
    [("vitals_rows_2", ["passing", "2021"]), ("vitals_rows_3", ["2022"]),
     ("vitals_rows", ["2020"])],
)  # fmt: skip
def test_a_word_or_a_year_sets_macros_apart(name: str, words: list[str]) -> None:
    assert _apart(name, SAID, {"vitals"}) == words


def test_macros_of_other_years_are_called_after_the_year() -> None:
    others = [name for name in SAID if name != "vitals_rows"]
    said = {name: texts[2:3] for name, texts in SAID.items()}
    told = _told("vitals_rows", others, said, {*SAID}, {}, set())
    assert told == {"vitals_rows_2": "vitals_2021", "vitals_rows_3": "vitals_2022"}


def test_how_a_condition_is_said_is_not_what_a_macro_is() -> None:
    said = {"roas_rows": ["source", "spend"], "roas_rows_2": ["equals", "within", "visitors"]}
    told = _told("roas_rows", ["roas_rows_2"], said, {*said}, {}, set())
    assert told == {"roas_rows_2": "roas_visitors"}


def test_a_number_that_is_one_more_than_those_of_reports_sets_nothing_apart() -> None:
    reports = {"crawls": "", "crawls_2": ""}
    assert _alike(["crawls_3", "hits_rows"], set(), reports) == {"crawls": ["crawls_3"]}
    assert _alike(["crawls_3", "hits_rows"], set(), {}) == {}
