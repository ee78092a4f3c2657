"""What has been decided about the shape of a project: which reports stay as they are or apart, what
is never made, what things are called, and which differences are meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from unwet.lineage.codes import UnknownCode, difference
from unwet.lineage.config import Intended
from unwet.rewrite.decisions.entries import Entry

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
LONGEST: Final = 63  # PostgreSQL cuts longer names off, without an error
SCRIPT, MODEL = "script", "model"


@dataclass(frozen=True, slots=True)
class Pin:
    """`[[pin]]`: a report stays a model in its own words, which shares nothing with others, or the
    script that it was (`script`)."""

    at: str  # file:line of the decision, as of all others here
    report: str
    script: bool
    date: str
    reason: str

    def __str__(self) -> str:
        what = "its script" if self.script else "a model of its own"
        return f"{self.at}: {self.report} stays {what}"


@dataclass(frozen=True, slots=True)
class Split:
    """`[[split]]`: no two of these reports use one macro or intermediate model."""

    at: str
    reports: tuple[str, ...]
    date: str
    reason: str

    def __str__(self) -> str:
        return f"{self.at}: {', '.join(self.reports)} stay apart"


@dataclass(frozen=True, slots=True)
class Forbid:
    """`[[forbid]]`: no macro or intermediate model of this name is made."""

    at: str
    name: str
    date: str
    reason: str

    def __str__(self) -> str:
        return f"{self.at}: {self.name} is not made"


@dataclass(frozen=True, slots=True)
class Rename:
    """`[[rename]]`: a model or macro, or the `parameter` of a macro, is called otherwise."""

    at: str
    name: str
    parameter: str
    to: str
    date: str
    reason: str

    def __str__(self) -> str:
        what = f"{self.name}({self.parameter})" if self.parameter else self.name
        return f"{self.at}: {what} is called {self.to}"


@dataclass(frozen=True, slots=True)
class Meant:
    """`[[intended]]`: a difference is meant. Nobody tells it any more, and reports that have it
    share with others what is equal, and no template with parameters."""

    at: str
    intended: Intended
    date: str

    @property
    def reason(self) -> str:
        """Why."""
        return self.intended.reason

    def fits(self, code: str, path: str, expression: str) -> bool:
        """Whether a difference at a place is one of these."""
        return self.intended.fits(code, path, expression)

    def __str__(self) -> str:
        return f"{self.at}: what differs in {self.intended.path} is meant"


Shaping = Pin | Split | Forbid | Rename | Meant


def pin(entry: Entry) -> Pin:
    """Raises BadDecision, as all of these do."""
    entry.check_keys(("report", "date", "reason"), ("as",))
    stays = entry.text("as", empty=True) or MODEL
    if stays not in (MODEL, SCRIPT):
        raise entry.wrong(f"as can be {MODEL!r} or {SCRIPT!r}, not {stays!r}", "as")
    report = entry.text("report").lower()
    return Pin(entry.place, report, stays == SCRIPT, entry.day("date"), entry.text("reason"))


def split(entry: Entry) -> Split:
    """Of two reports or more."""
    entry.check_keys(("reports", "date", "reason"), ())
    reports = tuple(dict.fromkeys(name.lower() for name in entry.texts("reports")))
    if len(reports) < 2:
        raise entry.wrong("[[split]] needs two reports or more", "reports",
                          "to keep one apart from all others: [[pin]]")  # fmt: skip
    return Split(entry.place, reports, entry.day("date"), entry.text("reason"))


def forbid(entry: Entry) -> Forbid:
    """Of a name."""
    entry.check_keys(("name", "date", "reason"), ())
    name = entry.text("name").lower()
    return Forbid(entry.place, name, entry.day("date"), entry.text("reason"))


def rename(entry: Entry) -> Rename:
    """Of a model, a macro, or a parameter."""
    if "column" in entry.table:
        raise entry.wrong("columns are not renamed: they are what the readers of a report know",
                          "column", "to rename a parameter of a macro: parameter =")  # fmt: skip
    entry.check_keys(("name", "to", "date", "reason"), ("parameter",))
    to = entry.text("to")
    if not _NAME.fullmatch(to) or len(to) > LONGEST:
        raise entry.wrong(f"{to!r} cannot be a name", "to",
                          f"a-z, 0-9 and _, no digit first, up to {LONGEST}")  # fmt: skip
    return Rename(entry.place, entry.text("name").lower(), entry.text("parameter", empty=True),
                  to, entry.day("date"), entry.text("reason"))  # fmt: skip


def intended(entry: Entry) -> Meant:
    """As in the configuration, with a date."""
    entry.check_keys(("path", "date", "reason"), ("code", "expression"))
    code = entry.text("code", empty=True)
    try:
        code = difference(code) if code else ""
    except UnknownCode as unknown:
        message = f"code is none of a contradiction: {code}"
        raise entry.wrong(message, "code", unknown.help) from unknown
    meant = Intended(entry.text("path"), entry.text("reason"), code,
                     entry.text("expression", empty=True))  # fmt: skip
    return Meant(entry.place, meant, entry.day("date"))
