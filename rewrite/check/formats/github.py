"""Commands by which a workflow of GitHub Actions shows problems at the lines of a pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions: the value of a
property ends at a comma or a colon, so both are escaped there; a message ends with its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unwet.rewrite.check.formats.view import View, counted, harmless, one_line, ordered, slashed
from unwet.rewrite.check.found import Problem

SHOWN: Final = 5  # other places in a message


def render(problems: Sequence[Problem], view: View) -> str:
    """One command a line; nothing when there is no problem."""
    return "".join(_command(each) + "\n" for each in ordered(problems))


def _command(problem: Problem) -> str:
    at = problem.at
    where = {"title": f"unwet ({problem.code})", "file": slashed(at.path), "line": at.line}
    if at.end_line == at.line:
        where["col"] = at.column
        where |= {"endColumn": at.end_column} if at.end_column else {}
    else:  # columns only count within one line
        where["endLine"] = at.end_line
    pairs = ",".join(f"{name}={_property(str(value))}" for name, value in where.items())
    return f"::error {pairs}::{_data(_message(problem))}"


def _message(problem: Problem) -> str:
    """What the log shows, too, where nothing else tells the place."""
    lines = [one_line(str(problem))]
    if problem.help:
        lines.append(f"  help: {one_line(problem.help)}")
    lines += [f"  see: {one_line(str(each))}" for each in problem.others[:SHOWN]]
    if len(problem.others) > SHOWN:
        lines.append(f"  and {counted(len(problem.others) - SHOWN, 'other place')}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return harmless(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
