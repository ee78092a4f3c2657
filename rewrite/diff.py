"""What is otherwise in another revision of a pile: its reports, and how columns flow.

    diff(old, new) -> Diff

Reports are paired by the relation that they make, those that make none by their file. A pair is the
same only where that is proved, as it is for a model and its report (`prove/judge.py`), or where
nobody can tell what it is and its script is letter for letter as it was; whatever else is changed,
or may be. Functions that either pile defines are not looked into: a report whose text names one
that is defined otherwise is changed.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.findings import Span
from unwet.lineage.pile import Pile
from unwet.lineage.templating import restorer
from unwet.rewrite.algebra import Opaque, walk
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.against import dialect_of, placeholders
from unwet.rewrite.prove.judge import judge
from unwet.rewrite.prove.roundtrip import ReadBack
from unwet.rewrite.script import Definition, Report

_MADE: Final = re.compile(
    r"\bCREATE\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?:\w+\s+)?"
    r"(?:FUNCTION|MACRO|PROCEDURE|PROC|AGGREGATE)\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r"(?P<name>[^\s(]+)",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Changed:
    """A report of both revisions that may return other rows, and why; where it stood before."""

    report: Report
    before: Span
    reason: str


@dataclass(frozen=True, slots=True)
class Flow:
    """An edge without its place: what flows where, and how."""

    source: ColumnId
    target: ColumnId
    type: str
    subtype: str


@dataclass(frozen=True, slots=True)
class Diff:
    """Reports of one revision only, those that are changed, how many are the same; and the edges
    that one revision has only, all sorted."""

    added: tuple[Report, ...]
    removed: tuple[Report, ...]
    changed: tuple[Changed, ...]
    same: int
    more: tuple[Flow, ...]
    less: tuple[Flow, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is otherwise."""
        return not any((self.added, self.removed, self.changed, self.more, self.less))


def diff(old: Pile, new: Pile) -> Diff:
    """What the new pile has otherwise than the old one."""
    before, after = Meaning(old), Meaning(new)
    was, now = _by_key(before, after)
    pairs = [(was[key], now[key]) for key in was.keys() & now.keys()]
    said = restorer((*placeholders(old), *placeholders(new)))
    changed = tuple(sorted(
        (replace(each, report=_told(each.report, said), reason=said(each.reason))
         for each in _changed(pairs, before, after)),
        key=lambda each: each.report.name,
    ))  # fmt: skip
    mine, theirs = _flows(old), _flows(new)
    return Diff(
        tuple(_told(now[key], said) for key in sorted(now.keys() - was.keys())),
        tuple(_told(was[key], said) for key in sorted(was.keys() - now.keys())),
        changed,
        len(pairs) - len(changed),
        tuple(sorted(theirs - mine, key=_order)),
        tuple(sorted(mine - theirs, key=_order)),
    )


def _told(report: Report, said: Callable[[str], str]) -> Report:
    """A report under the name that its relation has in the sources."""
    return replace(report, relation=said(report.definition.of or report.relation))


_Keyed = dict[tuple[str, str], Report]


def _by_key(before: Meaning, after: Meaning) -> tuple[_Keyed, _Keyed]:
    """The reports by their relation; those that make none, and one of several scripts that make
    one, each anew, by their place among those of their file, too."""
    sides = (before, after)
    several = {relation for side in sides for each in side.state.reports
               for relation, own in [_relation_of(each)] if own}  # fmt: skip
    was, now = (_keyed(side, several) for side in sides)
    return was, now


def _keyed(meaning: Meaning, several: Collection[str]) -> _Keyed:
    found: _Keyed = {}
    seen: Counter[tuple[str, str]] = Counter()
    root = _root(meaning.pile)
    for report in sorted(meaning.state.reports, key=lambda each: each.span):
        relation, _ = _relation_of(report)
        path = _inside(report.span.path, root) if not relation or relation in several else ""
        seen[relation, path] += 1
        found[relation, f"{path}:{seen[relation, path]}"] = report
    return found


def _relation_of(report: Report) -> tuple[str, bool]:
    """The relation, and whether it is one script's own state of that."""
    of = report.definition.of
    return (of or report.relation).lower(), bool(of)


def _root(pile: Pile) -> str:
    """The folder of all files, which is another one in the other pile."""
    paths = [os.path.dirname(source.path) for source in pile.sources]
    return os.path.commonpath(paths) if paths and all(paths) else ""


def _inside(path: str, root: str) -> str:
    return os.path.relpath(path, root) if root else path


def _changed(
    pairs: Sequence[tuple[Report, Report]], before: Meaning, after: Meaning
) -> Iterator[Changed]:
    found = {old.name: ReadBack(new.definition.plan, _why_not(new.definition))
             for old, new in pairs}  # fmt: skip
    judged = judge((old for old, _ in pairs), found, dialect_of(after.pile), before.normalizer,
                   before.pile.catalog)  # fmt: skip
    other = _defined_otherwise(before.pile, after.pile)
    for old, new in pairs:
        words = {word.lower() for text in _texts(new.definition) for word in _WORD.findall(text)}
        reason = judged.unproved.get(old.name, "")
        if reason and _is_as_it_was(old.definition, new.definition, before.pile, after.pile):
            reason = ""
        if names := _columns_otherwise(old, new):
            reason = names
        elif named := other & words:
            reason = f"the function {min(named)} is defined otherwise"
        if reason:
            yield Changed(new, old.span, reason)


def _is_as_it_was(one: Definition, other: Definition, old: Pile, new: Pile) -> bool:
    """Whether nobody can tell what a report is, and its script says the same, letter for letter."""
    opaque = any(
        plan is None or any(isinstance(node, Opaque) for node in walk(plan.rel))
        for plan in (one.plan, other.plan)
    )
    return opaque and _script(one, old) == _script(other, new)


def _script(definition: Definition, pile: Pile) -> list[str]:
    return [source.text for source in pile.sources if source.path == definition.path]


def _why_not(definition: Definition) -> str:
    return definition.problem or definition.doubt or "its rows cannot be told statically"


def _columns_otherwise(old: Report, new: Report) -> str:
    """Which names of columns one of them has only; a plan knows them by their places."""
    mine, theirs = _names(old.definition), _names(new.definition)
    if mine == theirs or not mine or not theirs:
        return ""
    return f"its columns were {', '.join(mine)} and are {', '.join(theirs)}"


def _names(definition: Definition) -> tuple[str, ...]:
    plan = definition.plan
    names = definition.columns or (plan.names if plan is not None else ())
    return tuple(name.lower() for name in names)


def _texts(definition: Definition) -> tuple[str, ...]:
    """What the statements of a report say, and those that make the temporary tables that it reads,
    however they are laid out."""
    own = [" ".join(part.statement.text.split()) for part in definition.parts]
    temps = (text for read in definition.reads if read.temp for text in _texts(read))
    return (*own, *temps)


def _defined_otherwise(old: Pile, new: Pile) -> frozenset[str]:
    """The last words of the names of functions that are not the same in both."""
    mine, theirs = _functions(old), _functions(new)
    return frozenset(name for name in mine.keys() | theirs.keys()
                     if mine.get(name) != theirs.get(name))  # fmt: skip


def _functions(pile: Pile) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for script in pile.scripts:
        for statement in script.statements:
            for made in _MADE.finditer(statement.text):
                words = _WORD.findall(made["name"])
                if words:
                    found[words[-1].lower()].add(statement.text.strip())
    return found


def _flows(pile: Pile) -> set[Flow]:
    return {_flow(edge) for edge in pile.graph.edges}


def _flow(edge: Edge) -> Flow:
    return Flow(edge.source, edge.target, edge.type, edge.subtype)


def _order(flow: Flow) -> tuple[str, str, str, str]:
    return str(flow.target), str(flow.source), flow.type, flow.subtype
