"""What goes to stderr stays readable, however much there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unwet.lineage.commands.output import SHOWN, listed
from unwet.lineage.commands.request import Request

REQUEST = Request((), "", None, "")


def test_many_lines_are_cut_and_the_place_of_all_is_told() -> None:
    lines = [f"line {n}" for n in range(SHOWN + 3)]
    assert listed(lines[:SHOWN], REQUEST, Path("x/README.md")) == lines[:SHOWN]
    cut = listed(lines, REQUEST, Path("x/README.md"))
    assert cut == [*lines[:SHOWN], "... and 3 more: x/README.md"]
    assert listed(lines, replace(REQUEST, verbose=True), Path("x/README.md")) == lines
