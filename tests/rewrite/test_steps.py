"""With -v a run tells how long its steps took; and long lists are cut in the text form only."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from unwet.lineage.commands.output import Steps
from unwet.lineage.commands.request import Request as Asked
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.summary import as_json, rows


def told(verbose: bool, quiet: bool, capsys: pytest.CaptureFixture[str]) -> str:
    steps = Steps(Asked(("a",), "", None, "", verbose=verbose, quiet=quiet))
    for text in ("reading", "data: 1 of 2", "data: 2 of 2"):
        steps(text)
    steps.tell()
    return capsys.readouterr().err


def test_each_step_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    lines = told(True, False, capsys).splitlines()
    assert [re.sub(r" +[0-9]+\.[0-9] s  ", "", line) for line in lines] == ["reading", "data"]


def test_nobody_is_told_who_does_not_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(False, False, capsys) == ""
    assert told(True, True, capsys) == ""


def test_many_assumptions_are_all_in_json() -> None:
    result = refactor(load([Source("a.sql", "SELECT 1 AS x", "duckdb")]), Request())
    many = replace(result, assumptions=tuple("abcdef"))
    assert rows(many)[-1] == ("assumptions", "a; b; c; d; and 2 more")
    assert json.loads(as_json(many))["assumptions"] == list("abcdef")
    assert rows(replace(result, assumptions=tuple("abcd")))[-1][1] == "a; b; c; d"
