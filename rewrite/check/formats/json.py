"""One JSON object, for programs; the only form in which nothing is shortened or replaced."""

from __future__ import annotations

import json
from collections.abc import Sequence

from unwet.rewrite.check.formats.view import View, ordered
from unwet.rewrite.check.found import Place, Problem


def render(problems: Sequence[Problem], view: View) -> str:
    """`findings`, with the keys of the documented form."""
    data = {"findings": [_finding(each) for each in ordered(problems)]}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _finding(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        **_place(problem.at),
        "message": problem.message,
        "help": problem.help,
        "key": problem.key,
        "others": [_place(each) for each in problem.others],
    }


def _place(place: Place) -> dict[str, object]:
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column or None,
        "relation": place.relation,
    }
