"""The baseline: what was there before, without line numbers."""

import json
from pathlib import Path

import pytest

from unwet.lineage.errors import BadConfig
from unwet.rewrite.check.baseline import (
    NAME,
    Baseline,
    is_ci,
    read_baseline,
    stale,
    unknown,
    updated,
    write,
)
from unwet.rewrite.check.found import Place, Problem


def problem(path: str, key: str, line: int = 1) -> Problem:
    return Problem("DUP_EXACT", Place(path, line, 1, line), "a copy", "", (), key)


def made(folder: Path, *problems: Problem) -> Baseline:
    paths = {each.at.path for each in problems}
    empty = Baseline(folder / NAME, {})
    write(updated(problems, empty, paths, paths, False))
    return read_baseline(folder / NAME)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_it_has_is_not_told_wherever_it_moves() -> None:
    known = made(Path(), problem("a.sql", "k"), problem("b.sql", "k"))
    now = [problem("a.sql", "k", 70), problem("b.sql", "new"), problem("c.sql", "k")]
    assert [str(each.at) for each in unknown(now, known)] == ["b.sql:1", "c.sql:1"]


def test_it_counts() -> None:
    known = made(Path(), problem("a.sql", "k", 1), problem("a.sql", "k", 9))
    now = [problem("a.sql", "k", line) for line in (1, 5, 9)]
    assert [each.at.line for each in unknown(now, known)] == [9]


def test_the_file_has_no_line_numbers_and_is_the_same_in_any_order() -> None:
    some = [problem("b.sql", "x", 17), problem("a.sql", "y", 4), problem("a.sql", "x", 23)]
    made(Path(), *some)
    first = Path(NAME).read_text()
    made(Path(), *reversed(some))
    assert Path(NAME).read_text() == first
    assert json.loads(first) == {
        "version": 1,
        "problems": {
            "a.sql": {"DUP_EXACT x": 1, "DUP_EXACT y": 1},
            "b.sql": {"DUP_EXACT x": 1},
        },
    }


def test_paths_count_from_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sub").mkdir()
    made(Path(), problem("sub/a.sql", "k"))
    monkeypatch.chdir("sub")
    known = read_baseline(Path("..", NAME))
    assert unknown([problem("a.sql", "k")], known) == []


def test_an_entry_nobody_needs_is_stale_with_its_line() -> None:
    known = made(Path(), problem("a.sql", "k"), problem("b.sql", "k"), problem("gone.sql", "k"))
    found = stale([problem("b.sql", "k")], known, ["a.sql", "b.sql"], ["a.sql", "b.sql"])
    lines = known.text.splitlines()
    assert [(each.code, lines[each.at.line - 1].strip()) for each in found] == [
        ("BASELINE_STALE", '"DUP_EXACT k": 1'),
        ("BASELINE_STALE", '"DUP_EXACT k": 1'),
    ]
    assert [each.message.split()[0] for each in found] == ["a.sql", "gone.sql"]
    assert [each.at.line for each in found] == [5, 11]


def test_of_files_that_were_not_checked_nothing_is_known() -> None:
    known = made(Path(), problem("a.sql", "k"), problem("b.sql", "k"))
    assert stale([], known, ["a.sql"], ["a.sql", "b.sql"])[0].message.startswith("a.sql ")
    assert len(stale([], known, ["a.sql"], ["a.sql", "b.sql"])) == 1
    now = updated([], known, ["a.sql"], ["a.sql", "b.sql"], False)
    assert list(now.entries) == [("b.sql", "DUP_EXACT k")]


def test_in_ci_it_only_shrinks() -> None:
    known = made(Path(), problem("a.sql", "old"), problem("a.sql", "gone"))
    found = [problem("a.sql", "old"), problem("a.sql", "old"), problem("a.sql", "new")]
    shrunk = updated(found, known, ["a.sql"], ["a.sql"], True)
    assert dict(shrunk.entries) == {("a.sql", "DUP_EXACT old"): 1}
    grown = updated(found, known, ["a.sql"], ["a.sql"], False)
    assert grown.entries["a.sql", "DUP_EXACT old"] == 2
    assert ("a.sql", "DUP_EXACT new") in grown.entries


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< HEAD",
        "[]",
        "{}",
        '{"version": 2, "problems": {}}',
        '{"version": 1, "problems": []}',
        '{"version": 1, "problems": {"a.sql": 3}}',
        '{"version": 1, "problems": {"a.sql": {"PARSE k": 0}}}',
        '{"version": 1, "problems": {"a.sql": {"PARSE k": true}}}',
    ],
)
def test_a_file_that_is_none_is_said(text: str) -> None:
    Path(NAME).write_text(text)
    with pytest.raises(BadConfig, match=NAME) as caught:
        read_baseline(Path(NAME))
    assert "--update-baseline" in caught.value.help


@pytest.mark.parametrize(
    ("said", "is_"), [("true", True), ("1", True), ("", False), ("false", False), ("0", False)]
)
def test_ci_is_told_or_set(said: str, is_: bool) -> None:
    assert is_ci(False, {"CI": said}) is is_
    assert is_ci(True, {"CI": said})
    assert not is_ci(False, {})
