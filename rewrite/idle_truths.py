"""A condition that is always true asks nothing: it goes where others stand beside it, or alone.

    WHERE 1 = 1 AND p  ->  WHERE p          WHERE TRUE  ->

The rows of `Filter(r, p and true)` are those of `Filter(r, p)`: what chooses rows is the whole
AND, and TRUE AND p is p for each of true, false and NULL. As the only condition it stays in a
HAVING, which makes one row of all where there are no groups, in a join, in a WHERE in which an
author says why, and beside a QUALIFY: BigQuery wants a WHERE there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial

from sqlglot import exp

from unwet.lineage.trees import copied, drop_test, found_in
from unwet.rewrite.compose import Draft
from unwet.rewrite.remembered import Remembered


def without_truths(
    drafts: Iterable[Draft], stay: AbstractSet[str], remembered: Remembered
) -> tuple[Draft, ...]:
    """Those that ``stay`` keep their words."""
    done: list[Draft] = []
    for draft in drafts:
        mine = draft.name not in stay and any(_truths(draft.tree))
        done += remembered.of("truths", [draft], partial(_reworded, draft)) if mine else [draft]
    return tuple(done)


def _reworded(draft: Draft) -> list[Draft]:
    tree = copied(draft.tree)
    for test in _truths(tree):
        if _asks(test):  # it may be the only one by now
            _said_beside(test)
            drop_test(test)
    return [replace(draft, tree=tree)]


def _truths(tree: exp.Expr) -> Sequence[exp.Expr]:
    """The conditions that are always true, of those that choose rows."""
    return [node for node in found_in(tree, exp.EQ, exp.Boolean) if _is_true(node) and _asks(node)]


def _is_true(node: exp.Expr) -> bool:
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    one, other = node.this, node.expression
    return isinstance(one, exp.Literal) and not one.is_string and one == other


def _asks(node: exp.Expr) -> bool:
    """Whether it stands beside others in what chooses rows, or is all of a WHERE that may go."""
    above = node.parent
    if isinstance(above, exp.Where):
        query = above.parent
        return not (_notes(node) or query is None or query.args.get("qualify"))
    beside = isinstance(above, exp.And)
    while isinstance(above, exp.And | exp.Paren):
        node, above = above, above.parent
    chooses = isinstance(above, exp.Where | exp.Having) or (
        isinstance(above, exp.Join) and node.arg_key == "on"
    )
    return beside and chooses


def _said_beside(test: exp.Expr) -> None:
    """In place: what an author says of it is said of the condition beside it."""
    above = test.parent
    if isinstance(above, exp.And):
        left = above.this if above.expression is test else above.expression
        said = [*(above.comments or ()), *_notes(test), *(left.comments or ())]
        left.comments = said or None


def _notes(node: exp.Expr) -> list[str]:
    return [note for each in node.walk() for note in each.comments or ()]
