"""The smallest that one of two plans says and the other does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Opaque,
    Over,
    Project,
    Rel,
    Sort,
    Window,
    width,
)
from unwet.rewrite.prove.opaque_words import around_difference
from unwet.rewrite.prove.phrases import Phrase, Teller, phrases, shape

Said = Callable[[Phrase], str]


@dataclass(frozen=True, slots=True)
class Parting:
    """The smallest that one side says and the other does not; None where it says nothing more."""

    legacy: Phrase | None
    project: Phrase | None


def parting(legacy: Rel, project: Rel, dialect: str = "") -> Parting | None:
    """Where two normal forms part; None where they differ in nothing that has words."""
    ours, theirs = phrases(legacy, dialect), phrases(project, dialect)
    for said in (_shape_of, _text_of):  # what columns it is about counts only when nothing else is
        old = _only(ours, theirs, said)
        new = _only(theirs, ours, said)
        if old or new:
            found = _of_texts(_smallest(*_expressions_first(old, new), said))
            return _of_one_output(found, legacy, project, dialect)
    return None


def _of_texts(found: Parting) -> Parting:
    """Of SQL that nobody understands, what stands around the first word that differs."""
    ours, theirs = found.legacy, found.project
    if ours is None or theirs is None:
        return found
    if not (isinstance(ours.node, Opaque) and isinstance(theirs.node, Opaque)):
        return found
    old, new = around_difference(ours.text, theirs.text)
    return Parting(replace(ours, text=old), replace(theirs, text=new))


# --- what one column is on both sides -----------------------------------------------------------


def _of_one_output(found: Parting, legacy: Rel, project: Rel, dialect: str) -> Parting:
    """An expression that only one side has, in a column of the result: told against what the other
    side has there, and not as missing."""
    alone = found.legacy or found.project
    if alone is None or (found.legacy and found.project) or alone.kind != "value":
        return found
    ours, theirs = _outputs(legacy, dialect), _outputs(project, dialect)
    if len(ours) != len(theirs):
        return found
    for old, new in zip(ours, theirs, strict=True):
        if old is None or new is None or old.text == new.text:
            continue
        if alone.text in (old if found.legacy is not None else new).text:
            return Parting(old, new)
    return found


def _outputs(rel: Rel, dialect: str) -> list[Phrase | None]:
    """The expressions of the columns of a plan; None for a column as it is stored."""
    names = Teller(dialect).columns(rel)
    made = [_made(rel, at) for at in range(len(names))]
    return [
        Phrase("value", name, shape(expr), expr) if expr is not None else None
        for name, expr in zip(names, made, strict=True)
    ]


def _made(rel: Rel, at: int) -> Expr | None:
    """The expression that makes a column, below all that hands it on as it is."""
    while True:
        match rel:
            case Project(input=below, exprs=exprs):
                expr = exprs[at]
            case Aggregate(input=below, keys=keys, aggs=aggs):
                expr = (*keys, *aggs)[at]
            case Window(input=below, functions=functions):
                first = width(below)
                expr = Col(at) if at < first else functions[at - first]
            case Filter(input=below) | Sort(input=below) | Distinct(input=below):
                expr = Col(at)
            case _:
                return None
        if isinstance(expr, Call | Agg | Over):
            return expr
        if not isinstance(expr, Col):
            return None
        rel, at = below, expr.index


# --- which phrases go together ------------------------------------------------------------------


def _shape_of(phrase: Phrase) -> str:
    return phrase.shape


def _text_of(phrase: Phrase) -> str:
    return phrase.text


def _only(ours: Sequence[Phrase], theirs: Sequence[Phrase], said: Said) -> list[Phrase]:
    known = {(each.kind, said(each)) for each in theirs}
    return [each for each in ours if (each.kind, said(each)) not in known]


def _expressions_first(old: list[Phrase], new: list[Phrase]) -> tuple[list[Phrase], list[Phrase]]:
    """Clauses differ, too, when an expression is only there on one side: that says it better."""
    ours, theirs = _of("value", old), _of("value", new)
    return (ours, theirs) if bool(ours) != bool(theirs) else (old, new)


def _smallest(old: Sequence[Phrase], new: Sequence[Phrase], said: Said) -> Parting:
    """The smallest pair of one kind, else the smallest of each side. Those go together that are of
    one function: where SUM(x) and COUNT(*) both differ, neither is told against the other."""

    def size(phrase: Phrase) -> tuple[int, str, str]:
        return len(said(phrase)), phrase.shape, phrase.text

    pairs: list[Parting] = []
    for kind in sorted({p.kind for p in old} & {p.kind for p in new}):
        ours, theirs = sorted(_of(kind, old), key=size), sorted(_of(kind, new), key=size)
        first = {_head(each): each for each in reversed(theirs)}  # the smallest of each
        named = [Parting(each, first[_head(each)]) for each in ours if _head(each) in first]
        pairs += named or [Parting(ours[0], theirs[0])]
    if not pairs:
        return Parting(min(old, key=size, default=None), min(new, key=size, default=None))
    return min(pairs, key=lambda p: sum(size(q)[0] for q in (p.legacy, p.project) if q is not None))


def _head(phrase: Phrase) -> str:
    """What is done, whatever it is done to."""
    node = phrase.node.call if isinstance(phrase.node, Over) else phrase.node
    return node.op if isinstance(node, Call | Agg) else type(node).__name__


def _of(kind: str, said: Sequence[Phrase]) -> list[Phrase]:
    return [phrase for phrase in said if phrase.kind == kind]
