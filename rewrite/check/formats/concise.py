"""One line a problem: `path:line:column: CODE message`."""

from __future__ import annotations

from collections.abc import Sequence

from unwet.rewrite.check.formats.view import View, one_line, ordered, total
from unwet.rewrite.check.found import Problem


def render(problems: Sequence[Problem], view: View) -> str:
    """The problems, and how many they are."""
    lines = [one_line(str(each)) for each in ordered(problems)]
    return "\n".join([*lines, total(problems)]) + "\n"
