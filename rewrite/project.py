"""The new project before a target prints it: models, macros, sources, and what stays as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from unwet.lineage.tables import Catalog
from unwet.lineage.templating import TOKEN
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.data_tests.values import NO_EVIDENCE, Evidence
from unwet.rewrite.described import Described
from unwet.rewrite.library import Library
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.script import Report

_NAMED: Final = re.compile(r"(ref|src|h)__(\w+?)__\1(?![a-z])(?:(?<=__h)|(?!\w))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that stays as it was, with the reason."""

    report: Report
    reason: str


@dataclass(frozen=True, slots=True)
class OpenStar:
    """A relation of which models hand on all columns by a star, and why these are not listed."""

    relation: str
    why: str
    models: tuple[str, ...]


def own_states(reports: Iterable[Report]) -> dict[str, Report]:
    """By name: what one script leaves of a relation that several write in turn."""
    return {report.relation: report for report in reports if report.definition.of}


def with_states_told(text: str, states: Iterable[Report]) -> str:
    """A sentence in which such a relation is called as the pile does, with its script."""
    for report in states if "@" in text else ():
        said = f"{report.definition.of} (of {report.span.path})"
        text = said.join(re.split(rf"{re.escape(report.relation)}(?!\w)", text))
    return text


@dataclass(frozen=True, slots=True)
class Project:
    """All that a target needs to print a project.

    ``dialect`` is the one the project is written in; ``placeholders`` maps variable names to
    the values they are printed with; ``written`` their tokens to the text that the pile has;
    ``originals`` the paths of kept scripts to their text; ``root`` is
    the folder of the pile, with its slash; ``evidence`` is there when the project is written for
    good; ``bound`` are the variables that a driver puts values in for: anything else is text;
    ``templates``: models and macros that are written as they are here, by their path; ``loops``:
    whether long lists are written as loops, which nobody needs who only proves what models mean;
    ``functions``: those that scripts define for themselves, by the names that calls have;
    ``stars``: which are not written out; ``described``: what COMMENT ON says of relations;
    ``given``: texts of models that are no print of what they are in the library, by name.
    """

    name: str
    dialect: str
    drafts: tuple[Draft, ...]
    intermediates: tuple[Draft, ...]
    library: Library
    reports: Mapping[str, Report]
    kept: tuple[Kept, ...]
    catalog: Catalog
    placeholders: Mapping[str, str] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)
    root: str = ""
    evidence: Evidence = NO_EVIDENCE
    bound: frozenset[str] = frozenset()
    written: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    loops: bool = True
    functions: Mapping[str, OwnFunction] = field(default_factory=dict)
    stars: tuple[OpenStar, ...] = ()
    described: Mapping[str, Described] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    _texts: dict[str, tuple[Library, str]] = field(default_factory=dict, repr=False, compare=False)
    _outside: Mapping[str, Outside] = field(init=False, repr=False, compare=False)  # by token
    _own: Mapping[str, Report] = field(init=False, repr=False, compare=False)  # by a script's name

    def __post_init__(self) -> None:
        drafts = (*self.drafts, *self.intermediates)
        found = {outside.token: outside for draft in drafts for outside in draft.outside}
        object.__setattr__(self, "_outside", {token: found[token] for token in sorted(found)})
        object.__setattr__(self, "_own", own_states(self.reports.values()))

    def text(self, name: str, make: Callable[[], str]) -> str:
        """The text of a model or macro of the library, printed once for this project and for those
        that differ in other things only."""
        if name in self.given:
            return self.given[name]
        known = self._texts.get(name)
        if known is None or known[0] is not self.library:
            known = self._texts[name] = self.library, make()
        return known[1]

    def keep(self, texts: Mapping[str, str]) -> None:
        """These are the texts of models of the library: printed before it was one."""
        self._texts.update((name, (self.library, text)) for name, text in texts.items())

    def said(self, text: str) -> str:
        """Words with models by their names, and relations and placeholders as the pile has them: of
        several that one relation has been in turn, in a sentence, the script that leaves it."""
        if text in self._own:
            text = self._own[text].definition.of or text
        text = with_states_told(text, self._own.values())
        if "__" not in text:
            return text

        def relation(hit: re.Match[str]) -> str:
            source = self._outside.get(hit[0].lower())
            if source is not None:
                return source.relation
            return hit[0] if hit[1].lower() == "src" else hit[2]

        text = _NAMED.sub(relation, text)
        return TOKEN.sub(lambda hit: self.written.get(hit[0].lower(), hit[0]), text)

    def about(self, relation: str) -> Described:
        """What is said of a relation of the pile."""
        return self.described.get(relation, Described())

    def comments_told(self) -> dict[str, frozenset[str]]:
        """By relation that is a model or a source: the columns of which the project says what
        COMMENT ON does; "" where it says that of the relation."""
        found: dict[str, frozenset[str]] = {}
        for outside in self.outside():
            table = self.catalog.get(outside.relation)
            known = table.columns if table is not None and table.closed else ()
            told = known or self.evidence.columns.get(outside.relation, ())
            found[outside.relation] = frozenset({"", *(each.name.lower() for each in told)})
        for report in (self.reports[d.name] for d in self.drafts if d.name in self.reports):
            found[report.relation] = frozenset({"", *map(str.lower, report.definition.columns)})
        return {name: frozenset(columns & self.about(name).told) for name, columns in found.items()}

    def below(self, path: str) -> str:
        """A path of the pile as the project names it: relative to the folder all of it is in."""
        return path.removeprefix(self.root)

    def outside(self) -> tuple[Outside, ...]:
        """The relations that are read and not made, each once, by token."""
        return tuple(self._outside.values())

    def folder(self, name: str) -> str:
        """The folder of a report's old script, as in `folder_at`."""
        return self.folder_at(self.reports[name].span.path)

    def folder_at(self, path: str) -> str:
        """The folder of a file below the pile's, as words fit for any file system, with its slash;
        empty at the top."""
        parts = self.below(path).split("/")[:-1]
        words = (re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_") for part in parts)
        return "".join(f"{word}/" for word in words if word)
