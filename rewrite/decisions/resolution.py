"""`[[drift]]`: a contradiction that is resolved on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePath
from typing import Final

from unwet.lineage.codes import explanations
from unwet.rewrite.decisions.entries import Entry

MAJORITY: Final = "majority"
Changes = tuple[tuple[str, tuple[str, ...]], ...]  # columns by report
_NEEDED: Final = ("code", "path", "expression", "date", "reason", "changes")


@dataclass(frozen=True, slots=True)
class Resolution:
    """What shall stand where a copy says something else than the others.

    The place is where `unwet drift` tells `drift` and `expression` ("": something is missing) in a
    file that matches `path`, about `about` if that is given: no line, so that it stays right when
    lines move. `sql` is what shall stand there; "": what the majority says. `changes`: the reports
    and the columns that may be others after it, in lower case; "*": rows may come and go.
    """

    at: str  # file:line of the decision
    drift: str  # the code
    path: str
    expression: str
    about: str
    sql: str
    date: str
    reason: str
    changes: Changes

    def fits(self, code: str, path: str, expression: str) -> bool:
        """Whether it is about what drift tells of a place."""
        same = code == self.drift and words(expression) == words(self.expression)
        return same and PurePath(path).match(self.path)

    def __str__(self) -> str:
        return f"{self.at}: {self.drift} in {self.path}"


def resolution(entry: Entry) -> Resolution:
    """Raises BadDecision."""
    entry.check_keys(_NEEDED, ("about", "decided", "sql"))
    decided, sql = entry.text("decided", empty=True), entry.text("sql", empty=True)
    if decided not in ("", MAJORITY):
        raise entry.wrong(f"decided can only be {MAJORITY!r}, not {decided!r}", "decided",
                          'for anything else: sql = "EXPRESSION"')  # fmt: skip
    if bool(decided) == bool(sql):
        raise entry.wrong('[[drift]] needs either decided = "majority" or sql = "EXPRESSION"')
    code = entry.text("code")
    known = [each for each in explanations() if each.startswith("DRIFT_")]
    if code not in known:
        near = get_close_matches(code.upper(), known, n=1)
        hint = f"did you mean {near[0]}?" if near else "`unwet drift` tells them"
        raise entry.wrong(f"no code of a contradiction: {code}", "code", hint)
    return Resolution(
        f"{entry.path}:{entry.line}",
        code,
        entry.text("path"),
        entry.text("expression", empty=True),
        entry.text("about", empty=True),
        sql,
        entry.day("date"),
        entry.text("reason"),
        entry.columns_of("changes"),
    )


def words(text: str) -> str:
    """A text with single spaces between its words."""
    return " ".join(text.split())
