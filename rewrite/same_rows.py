"""Which rows a plan has, whatever columns it shows of them.

Copies of one definition leave columns out, compute one more, or show a column in another way; the
rows are the same. The key of a plan's rows is made of its relations, how they are put together,
what is asked of the rows, and what they are grouped by. It is a hint where to look: that a query
is a part of another one is proved on normal forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Project,
    Rel,
    Scan,
    SetOp,
    Window,
    inputs,
)
from unwet.rewrite.grounded import Ground, in_order

_WORD = "made"  # the operator of a word that stands for a term


class SameRows:
    """Keys and columns of plans that are compared with each other. Each part of a plan is looked
    at once, however many of the plans have it."""

    def __init__(self) -> None:
        self._ground = Ground(shortened=_short)
        self._frames: dict[bytes, bytes] = {}

    def key(self, rel: Rel) -> bytes:
        """Equal for plans that have the same rows of the same relations, seen in other columns."""
        asked = sorted(term.digest for term in self._ground.conditions(rel))
        return _digest("rows", [self._frame(rel), *asked])

    def terms(self, rel: Rel) -> tuple[bytes, ...]:
        """What each column is made of, as a digest over base columns."""
        return tuple(map(_of_term, self._ground.columns(rel)))

    def of_table(self, table: str, columns: Sequence[str]) -> tuple[bytes, ...]:
        """The same for columns of a relation from outside."""
        return self.terms(Scan(table, tuple(columns)))

    def _frame(self, rel: Rel) -> bytes:
        stack = [rel]
        while stack:
            node = stack[-1]
            below = [each for each in inputs(node) if each.digest not in self._frames]
            if below:
                stack.extend(below)
                continue
            stack.pop()
            if node.digest not in self._frames:
                known = [self._frames[each.digest] for each in inputs(node)]
                self._frames[node.digest] = self._framed(node, known)
        return self._frames[rel.digest]

    def _framed(self, node: Rel, below: list[bytes]) -> bytes:
        match node:
            case Filter() | Project() | Window():
                return below[0]
            case Scan(table=table):
                return _digest(f"scan {table}", [])
            case Aggregate(input=inner, keys=keys):
                seen = self._ground.over(keys, inner)
                return _digest("group", [*below, *sorted(map(_of_term, seen))])
            case Distinct(input=inner):
                seen = self._ground.columns(inner)
                return _digest("group", [*below, *sorted(map(_of_term, seen))])
            case Join(kind="inner"):
                return _digest("inner", sorted(below))
            case Join(kind=kind):
                return _digest(kind, below)
            case SetOp(kind=kind):
                return _digest(kind, sorted(below))
            case _:
                return _digest(type(node).__name__, [node.digest])


def _short(term: Expr) -> Expr:
    """A word for a term, the same for equal ones: terms over it stay small."""
    if isinstance(term, Col) or (isinstance(term, Call) and term.op == _WORD):
        return term
    return Call(_WORD, (), (in_order(term).digest.hex(),))


def _of_term(term: Expr) -> bytes:
    return _short(term).digest


def _digest(word: str, parts: Sequence[bytes]) -> bytes:
    state = blake2b(word.encode(), digest_size=16)
    for part in parts:
        state.update(part)
    return state.digest()
