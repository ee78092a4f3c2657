"""An alias that only one of two queries has for the same table:

    FROM requests AS r JOIN parties AS p ON r.host = p.domain WHERE p.kind = 'ad'
    FROM requests AS r JOIN parties ON r.host = domain

The one without it says nothing of that table by name, so that it reads the same rows with the
alias. Not where the alias would mean something else there: the name of a column (which may be the
whole row then), or of another relation.

Lone().take(table, other table, names) while two trees are compared; may_be(trees) in the end
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import HOLE

_ALL: Final = frozenset({"this", "alias"})  # what such a table says


@dataclass
class Lone:
    """Aliases that one of two trees has. ``mine``: those of the first one; ``bare``: the tables of
    the second one that are without; ``others``: aliases of the second one, with the tables of the
    first that get them."""

    mine: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    others: dict[str, tuple[exp.Table, exp.Expr]] = field(default_factory=dict)

    def copy(self) -> Lone:
        """The same, which may change."""
        return Lone({*self.mine}, {*self.bare}, dict(self.others))

    def take(self, mine: exp.Expr, other: exp.Expr, names: dict[str, str]) -> bool:
        """Notes the alias of a table that the other one reads without it; whether it can be.
        ``names``: of relations of the second tree, as the first one has them."""
        if not (isinstance(mine, exp.Table) and _is_plain(mine) and _is_plain(other)):
            return False
        if mine.alias:
            self.mine.add(mine.alias.lower())
            self.bare.add(other.name.lower())
            return True
        name = other.alias.lower()
        known = self.others.setdefault(name, (mine, other.args["alias"].this))
        return known[0] is mine and names.setdefault(name, name) == name

    def is_any(self) -> bool:
        """Whether there is such an alias."""
        return bool(self.mine or self.others)

    @staticmethod
    def is_one(mine: exp.Expr, other: exp.Expr) -> bool:
        """Whether one of two tables has an alias."""
        both = isinstance(mine, exp.Table) and isinstance(other, exp.Table)
        return both and bool(mine.alias) != bool(other.alias)

    def may_be(self, mine: exp.Expr, other: exp.Expr, names: Mapping[str, str]) -> bool:
        """Whether no alias means something else in the tree that did not have it."""
        if not self.is_any():
            return True
        ours, theirs = _said(mine), _said(other)
        return (
            self.mine.isdisjoint(theirs.columns)
            and self.bare.isdisjoint(theirs.qualifiers)
            and self.mine.isdisjoint(theirs.relations - names.keys())
            and self.others.keys().isdisjoint(ours.columns | ours.relations)
            and not any(table.name.lower() in ours.qualifiers for table, _ in self.others.values())
        )

    def place(self) -> None:
        """In place: the tables of the first tree get the aliases of the second one."""
        for table, name in self.others.values():
            table.set("alias", exp.TableAlias(this=name.copy()))


@dataclass(frozen=True, slots=True)
class _Said:
    """The words of a tree: what its columns, its relations and their qualifiers are called."""

    columns: frozenset[str]
    relations: frozenset[str]
    qualifiers: frozenset[str]


def _said(tree: exp.Expr) -> _Said:
    columns = [*tree.find_all(exp.Column)]
    qualifiers = _lower(column.table for column in columns)
    aliases = _lower(each.this.name for each in tree.find_all(exp.TableAlias) if each.this)
    tables = _lower(table.name for table in tree.find_all(exp.Table))
    plain = _lower(column.name for column in columns if not column.table)
    return _Said(plain, qualifiers | aliases | tables, qualifiers)


def _lower(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.lower() for word in words if word)


def _is_plain(node: exp.Expr) -> bool:
    """Whether it is a table with or without an alias, and nothing else."""
    if not isinstance(node, exp.Table) or {k for k, v in node.args.items() if v} - _ALL:
        return False
    alias = node.args.get("alias")
    return alias is None or not (alias.args.get("columns") or HOLE.search(node.alias))
