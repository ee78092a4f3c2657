"""What the tree of a draft means, tokens of relations and all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from sqlglot import exp

from unwet.lineage.findings import whole
from unwet.lineage.parse import Statement
from unwet.lineage.resolve import Query, resolve
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.lineage.templating import verbatim
from unwet.rewrite.algebra import Rel, SortKey
from unwet.rewrite.lower import Env, Lowerer, trim
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.scalars import Unsupported


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a tree in normal form, and the names of its columns in lower case."""

    names: tuple[str, ...]
    rel: Rel
    order: tuple[SortKey, ...]

    def same(self, other: Rows | None) -> bool:
        """Are they the same rows in the same order, whatever their columns are called?"""
        return other is not None and self.rel == other.rel and self.order == other.order


def resolved(tree: exp.Query, catalog: Catalog, dialect: str, name: str = "") -> Query | None:
    """A tree that no file holds with its names resolved; ``catalog`` knows its tokens."""
    masked, text = verbatim(Source(name, "", dialect)), cast("exp.Expression", tree)
    statement = Statement(name, 0, whole(name), "", text, dialect, masked)
    return resolve(statement, catalog).query


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads trees against what is known of their tokens."""

    catalog: Catalog
    dialect: str
    normalizer: Normalizer

    def query(self, tree: exp.Query) -> Query | None:
        """The tree with its names resolved."""
        return resolved(tree, self.catalog, self.dialect)

    def rows(self, tree: exp.Query) -> Rows | None:
        """What the tree returns; None where that is not understood."""
        query = self.query(tree)
        if query is None:
            return None
        try:
            plan = Lowerer(Env(self.catalog), query).plan(query)
        except Unsupported:
            return None
        # hidden columns belong to the order of the rows
        rel = self.normalizer.run(plan.rel if plan.order else trim(plan))[0]
        return Rows(tuple(name.lower() for name in plan.names), rel, plan.order)
