"""Small changes of a statement, most of which change its rows: the mistakes that people make.

    sites(tree) -> (Site, ...)        where each operator has something to change; no tree is made
    mutants(tree) -> Mutant, ...      all of them carried out, each on a copy

Nothing here knows of plans or rules: what tests and proofs are worth is measured with it. The
operators are those of mutation testing of SQL (Tuya, Suarez-Cabal, de la Riva 2007: clauses,
operators, NULLs, identifiers), less what no hand would write.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.prove.mutations.clauses import CLAUSES
from unwet.rewrite.prove.mutations.details import DETAILS
from unwet.rewrite.prove.mutations.edits import Edit, Operator
from unwet.rewrite.prove.mutations.expressions import EXPRESSIONS
from unwet.rewrite.prove.mutations.names import NAMES
from unwet.rewrite.prove.mutations.values import VALUES

OPERATORS: dict[str, Operator] = {**EXPRESSIONS, **VALUES, **CLAUSES, **NAMES, **DETAILS}
"""By name; in this order they are reported."""


@dataclass(frozen=True, slots=True)
class Site:
    """One change at one node: the ``at``-th of a walk in depth first, 0-based."""

    operator: str
    at: int
    edit: Edit = field(repr=False, compare=False)

    def applied(self, tree: exp.Expr) -> exp.Expr:
        """The tree with that change, as a copy."""
        copy = copied(tree)
        spot = next(n for i, n in enumerate(copy.walk(bfs=False)) if i == self.at)
        parent, key, index = spot.parent, spot.arg_key, spot.index
        made = self.edit(spot)
        if made is spot:
            return copy
        if parent is None or key is None:
            return made
        parent.set(key, made, index)
        return copy


@dataclass(frozen=True, slots=True)
class Mutant:
    """`operator` names the kind of the change."""

    operator: str
    tree: exp.Expr


def sites(tree: exp.Expr) -> tuple[Site, ...]:
    """Every change there is, in the order of the operators and of the text."""
    nodes = list(tree.walk(bfs=False))
    return tuple(
        Site(name, at, edit)
        for name, operator in OPERATORS.items()
        for at, node in enumerate(nodes)
        for edit in operator(node)
    )


def mutants(tree: exp.Expr) -> Iterator[Mutant]:
    """Every mutant of a statement, in the order of `sites`."""
    for site in sites(tree):
        yield Mutant(site.operator, site.applied(tree))
