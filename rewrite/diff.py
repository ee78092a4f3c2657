"""What is otherwise in another revision of a pile: its reports, and how columns flow.

    diff(old, new) -> Diff

Reports are paired by the relation that they make, those that make none by their file. A pair is the
same only where that is proved, as it is for a model and its report (`prove/judge.py`), or where
nobody can tell what it is and its script is letter for letter as it was; whatever else is changed,
or may be. What a plan does not say is compared beside it (`diff_doubts.py`).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from unwet.lineage.columns import ColumnId
from unwet.lineage.findings import Span
from unwet.lineage.pile import Pile
from unwet.lineage.templating import restorer
from unwet.rewrite.algebra import Opaque, walk
from unwet.rewrite.diff_doubts import Beside, Doubts, columns_otherwise, with_reads
from unwet.rewrite.in_turn import read_as
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.against import dialect_of, placeholders
from unwet.rewrite.prove.judge import judge
from unwet.rewrite.prove.roundtrip import ReadBack
from unwet.rewrite.script import Definition, Report

_EARLY, _ASKED = "early ", "ref "
_REF: Final = re.compile(r"\bref\(\s*['\"](\w+)['\"]\s*\)")
_OWN: Final = re.compile(r"(?<=.)@\w+$")  # whose state of a relation it is


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
    """Reports of one revision only, those that are changed, how many are the same; the edges that
    one revision has only; and the files that are written otherwise and were not understood, all
    sorted."""

    added: tuple[Report, ...]
    removed: tuple[Report, ...]
    changed: tuple[Changed, ...]
    same: int
    more: tuple[Flow, ...]
    less: tuple[Flow, ...]
    unclear: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is otherwise."""
        return not any((self.added, self.removed, self.changed, self.more, self.less, self.unclear))


def diff(old: Pile, new: Pile, roots: tuple[str, str] = ("", "")) -> Diff:
    """What the new pile has otherwise than the old one. ``roots``: the folders from which their
    files are counted; the ones that all files are in, where nobody says them."""
    before, after = Meaning(old), Meaning(new)
    roots = roots[0] or _root(old), roots[1] or _root(new)
    was, now = _by_key(before, after, roots)
    pairs = [(was[key], now[key]) for key in was.keys() & now.keys()]
    said = restorer((*placeholders(old), *placeholders(new)))
    besides = Beside(old, before.state.reports), Beside(new, after.state.reports)
    found = [*_changed(pairs, before, after, *besides)]
    told = {id(each.report) for each in found}
    others = {name: why for reports, why in (
        ([each for pair in pairs if id(pair[1]) in told for each in pair], "may return other rows"),
        ([was[key] for key in was.keys() - now.keys()], "is gone"),
        ([now[key] for key in now.keys() - was.keys()], "is new"),
    ) for report in reports for name in _made(report)}  # fmt: skip
    found += _reading([pair for pair in pairs if id(pair[1]) not in told], others)
    changed = tuple(sorted(
        (replace(each, report=_told(each.report, said), reason=said(each.reason))
         for each in found),
        key=lambda each: each.report.name,
    ))  # fmt: skip
    mine, theirs = (_flows(pile, root) for pile, root in zip((old, new), roots, strict=True))
    return Diff(
        tuple(_told(now[key], said) for key in sorted(now.keys() - was.keys())),
        tuple(_told(was[key], said) for key in sorted(was.keys() - now.keys())),
        changed,
        len(pairs) - len(changed),
        tuple(sorted(theirs - mine, key=_order)),
        tuple(sorted(mine - theirs, key=_order)),
        tuple(_unclear(*besides, roots)),
    )


def _told(report: Report, said: Callable[[str], str]) -> Report:
    """A report under the name that its relation has in the sources."""
    return replace(report, relation=said(report.definition.of or report.relation))


_Keyed = dict[tuple[str, str], Report]


def _by_key(before: Meaning, after: Meaning, roots: tuple[str, str]) -> tuple[_Keyed, _Keyed]:
    """The reports by their relation; those that make none, and one of several scripts that make
    one, each anew, by their place among those of their file, too."""
    sides = (before, after)
    several = {relation for side in sides for each in side.state.reports
               for relation, own in [_relation_of(each)] if own}  # fmt: skip
    was, now = (_keyed(side, several, root) for side, root in zip(sides, roots, strict=True))
    return was, now


def _keyed(meaning: Meaning, several: Collection[str], root: str) -> _Keyed:
    found: _Keyed = {}
    seen: Counter[tuple[str, str]] = Counter()
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
    pairs: Sequence[tuple[Report, Report]],
    before: Meaning,
    after: Meaning,
    mine: Beside,
    theirs: Beside,
) -> Iterator[Changed]:
    # one script's own state of a relation has the whole path in its name
    names = {new.definition.relation: old.definition.relation for old, new in pairs
             if old.definition.of and new.definition.of}  # fmt: skip
    found = {old.name: ReadBack(read_as(names, plan) if plan is not None else None,
                                _why_not(new.definition))
             for old, new in pairs for plan in [new.definition.plan]}  # fmt: skip
    unproved = _unproved([old for old, _ in pairs], found, before, after)
    doubts = Doubts(mine, theirs)
    for old, new in pairs:
        reason = unproved.get(old.name, "")
        if reason and _is_open(old, new) and mine.texts(old) == theirs.texts(new):
            reason = ""
        reason = columns_otherwise(old, new) or reason or doubts.of(old, new)
        if reason:
            yield Changed(new, old.span, reason)


def _unproved(
    reports: Sequence[Report], found: Mapping[str, ReadBack], before: Meaning, after: Meaning
) -> Mapping[str, str]:
    """Why reports are not proved to be the same, by name. A proof that rests on a declared key has
    to stand on what either pile declares."""
    target, normalizer = dialect_of(after.pile), before.normalizer
    judged = judge(reports, found, target, normalizer, before.pile.catalog)
    resting = [report for report in reports if judged.promised.get(report.name)]
    again = judge(resting, found, target, normalizer, after.pile.catalog)
    other = {report.name: "what is declared of its tables is otherwise, and it rests on that"
             for report in resting
             if judged.promised[report.name] != again.promised.get(report.name)}  # fmt: skip
    return {**other, **judged.unproved, **again.unproved}


def _reading(
    pairs: Sequence[tuple[Report, Report]], others: Mapping[str, str]
) -> Iterator[Changed]:
    """The reports that read, through whatever is between, a relation that is another one."""
    for old, new in pairs:
        own = {*_made(old), *_made(new)}
        read = {name for report in (old, new) for each in with_reads(report.definition)
                for name in _named_in(each)}  # fmt: skip
        if named := (read & others.keys()) - own:
            first = min(named, key=lambda name: (name.startswith(_EARLY), name))
            what = _OWN.sub("", first.removeprefix(_EARLY).removeprefix(_ASKED))
            yield Changed(new, old.span, f"it reads {what}, which {others[first]}")


def _made(report: Report) -> Iterator[str]:
    """What a report is called by those that read it, also before it is made; one script's own state
    of a relation by a name of its own."""
    if report.relation:
        yield report.definition.relation.lower()
        yield _EARLY + _relation_of(report)[0]
    else:
        yield _ASKED + os.path.basename(report.span.path).partition(".")[0].lower()


def _named_in(definition: Definition) -> Iterator[str]:
    """What it reads: under its name, before that is made, or by dbt's `ref`."""
    yield definition.relation.lower()
    yield from (_EARLY + name.lower() for name in definition.early)
    for text in dict.fromkeys(part.statement.masked.source.text for part in definition.parts):
        yield from (_ASKED + name.lower() for name in _REF.findall(text))


def _is_open(*reports: Report) -> bool:
    """Whether nobody can tell what one of them is."""
    plans = [report.definition.plan for report in reports]
    return any(p is None or any(isinstance(node, Opaque) for node in walk(p.rel)) for p in plans)


def _why_not(definition: Definition) -> str:
    return definition.problem or definition.doubt or "its rows cannot be told statically"


def _unclear(mine: Beside, theirs: Beside, roots: tuple[str, str]) -> Iterator[str]:
    """The files that are not understood as a whole, and are not as they were."""
    old = {_inside(path, roots[0]): path for path in mine.unclear}
    new = {_inside(path, roots[1]): path for path in theirs.unclear}
    for name in sorted(old.keys() | new.keys()):
        was = mine.text(old.get(name) or os.path.join(roots[0], name))
        now = theirs.text(new.get(name) or os.path.join(roots[1], name))
        if was != now:
            yield name


def _flows(pile: Pile, root: str) -> set[Flow]:
    """Temporary tables have the path of their script in their names, which is said without the
    root."""
    paths = {source.path for source in pile.sources}

    def named(column: ColumnId) -> ColumnId:
        name, _, path = column.relation.rpartition("@")
        if path not in paths or not name:
            return column
        return column._replace(relation=f"{name}@{_inside(path, root)}")

    return {Flow(named(e.source), named(e.target), e.type, e.subtype) for e in pile.graph.edges}


def _order(flow: Flow) -> tuple[str, str, str, str]:
    return str(flow.target), str(flow.source), flow.type, flow.subtype
