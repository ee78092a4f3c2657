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
from unwet.rewrite.references import tree_order


class SameRows:
    """Keys and columns of plans that are compared with each other."""

    def __init__(self) -> None:
        self._ground = Ground()

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
        done: dict[bytes, bytes] = {}
        for node in tree_order(rel):
            below = [done[each.digest] for each in inputs(node)]
            match node:
                case Filter() | Project() | Window():
                    done[node.digest] = below[0]
                case Scan(table=table):
                    done[node.digest] = _digest(f"scan {table}", [])
                case Aggregate(input=inner, keys=keys):
                    seen = self._ground.over(keys, inner)
                    done[node.digest] = _digest("group", [*below, *sorted(map(_of_term, seen))])
                case Distinct(input=inner):
                    seen = self._ground.columns(inner)
                    done[node.digest] = _digest("group", [*below, *sorted(map(_of_term, seen))])
                case Join(kind="inner"):
                    done[node.digest] = _digest("inner", sorted(below))
                case Join(kind=kind):
                    done[node.digest] = _digest(kind, below)
                case SetOp(kind=kind):
                    done[node.digest] = _digest(kind, sorted(below))
                case _:
                    done[node.digest] = _digest(type(node).__name__, [node.digest])
        return done[rel.digest]


def _of_term(term: Expr) -> bytes:
    return in_order(term).digest


def _digest(word: str, parts: Sequence[bytes]) -> bytes:
    state = blake2b(word.encode(), digest_size=16)
    for part in parts:
        state.update(part)
    return state.digest()
