"""Reports that are cut off at the end: which rows are shown depends on ties, how many does not.

    uncut(unit) -> (statement, its tree without the limit), or None

Where rows of `ORDER BY k LIMIT n` tie at the last place, the engine may choose. But if all rows
that there are to choose from are the same in every order of the input, so is their number, and
with it the number that is shown: another number is another report.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.lineage.parse import Statement
from unwet.lineage.trees import copied
from unwet.rewrite.prove.bags import NOTHING, Bag, Changes, Runs, single
from unwet.rewrite.prove.synthetic.units import Unit

_CUTS = ("limit", "offset")


Uncut = tuple[Statement, exp.Expr]


def uncut(unit: Unit) -> Uncut | None:
    """The only statement of a unit without its last LIMIT; None where it has none, or where there
    are more statements."""
    statement = single(unit)
    if statement is None:
        return None
    tree = without_limit(statement.tree)
    return (statement, tree) if tree is not None else None


def is_stable(runs: Runs, rows: Bag, shuffles: Sequence[int], changes: Changes = NOTHING) -> bool:
    """Whether the rows stay the same when the input comes in another order."""
    try:
        return all(runs.bag(changes, shuffle=seed) == rows for seed in shuffles)
    except UnwetError:
        return False


def is_number_sure(runs: Runs, cut: Uncut | None, shuffles: Sequence[int]) -> bool:
    """Whether all rows that there are to choose from stay the same. `cut`: what `uncut` says."""
    if cut is None:
        return False
    statement, tree = cut
    changes = {id(statement): tree}
    try:
        rows = runs.bag(changes)
    except UnwetError:
        return False
    return is_stable(runs, rows, shuffles, changes)


def without_limit(tree: exp.Expr) -> exp.Expr | None:
    """A query, or a statement that creates what one returns, without the LIMIT of all its rows."""
    made = copied(tree)
    query = made.expression if isinstance(made, exp.Create) else made
    if not isinstance(query, exp.Query) or not query.args.get("limit"):
        return None
    for each in _CUTS:
        query.set(each, None)
    return made
