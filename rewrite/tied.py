"""Tables that are tied to others: what is done to the one changes the other.

CREATE TABLE sales_2024 PARTITION OF sales ...            -- its rows are rows of sales
CREATE TABLE r (... REFERENCES d (a) ON DELETE CASCADE)   -- rows of r go with rows of d
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.resolve import Resolved
from unwet.rewrite.changed_by_text import plain
from unwet.rewrite.lost import last_part
from unwet.rewrite.script_order import base_reads

_FILLS: Final = frozenset({"insert", "update", "delete", "merge", "truncate"})
_TAKES: Final = frozenset({"update", "delete", "merge"})
_ACTING: Final = re.compile(r"ON\s+(?:DELETE|UPDATE)\s+(?:CASCADE|SET\b)", re.IGNORECASE)
_CASCADE: Final = re.compile(r"\bCASCADE\s*;?\s*$", re.IGNORECASE)


def tied(statements: Sequence[Resolved]) -> Mapping[Resolved, frozenset[str]]:
    """The last parts of the names of what statements change by the way."""
    wholes: dict[str, set[str]] = {}
    keyed: dict[str, set[str]] = {}
    acting: dict[str, set[str]] = {}
    for each in statements:
        for part, whole in _partitions(each):
            wholes.setdefault(part, set()).add(whole)
        for table, other, acts in _keys(each):
            keyed.setdefault(other, set()).add(table)
            if acts:
                acting.setdefault(other, set()).add(table)
    if not wholes and not keyed:
        return {}
    found: dict[Resolved, frozenset[str]] = {}
    for each in statements:
        name = last_part(each.target) if each.target else ""
        names = _closure(name, wholes) if each.kind in _FILLS else frozenset[str]()
        if each.kind in _TAKES or (each.kind == "insert" and _replaces(each)):
            names |= _closure(name, acting)
        if each.kind in ("truncate", "drop") and _CASCADE.search(each.statement.text):
            names |= _closure(name, keyed)
        if names:
            found[each] = names
    return found


def acted_on(statements: Sequence[Resolved]) -> Mapping[str, frozenset[str]]:
    """By the last part of a name: the tables whose rows go or change with rows of that one."""
    acting: dict[str, set[str]] = {}
    for each in statements:
        for table, other, acts in _keys(each):
            if acts:
                acting.setdefault(other, set()).add(table)
    return {name: _closure(name, acting) for name in acting}


def read_in_parts(statements: Sequence[Resolved]) -> Mapping[str, Mapping[int, str]]:
    """By script and index of a statement: why it reads a partition that no model fills, as its rows
    are put into its table."""
    parts = {part: whole for each in statements for part, whole in _partitions(each)}
    filled = {last_part(each.target) for each in statements
              if each.kind in _FILLS and each.target} if parts else set[str]()  # fmt: skip
    found: dict[str, dict[int, str]] = {}
    for each in statements if filled else ():
        for name in sorted(base_reads(each.query)) if each.query is not None else ():
            whole = parts.get(last_part(name), "")
            if whole in filled:
                why = f"it reads {name}, a partition of {whole}, which has what is put into that"
                found.setdefault(each.statement.path, {}).setdefault(each.statement.index, why)
    return found


def _replaces(resolved: Resolved) -> bool:
    """INSERT that takes the rows out that have its keys, or changes them."""
    tree = resolved.statement.tree
    return any(tree.args.get(key) for key in ("conflict", "alternative", "where"))


def _partitions(resolved: Resolved) -> Iterator[tuple[str, str]]:
    """A partition and its table."""
    if resolved.kind != "create_table" or not resolved.target:
        return
    for node in resolved.statement.tree.find_all(exp.PartitionedOfProperty):
        yield last_part(resolved.target), plain(node.this.name)


def _keys(resolved: Resolved) -> Iterator[tuple[str, str, bool]]:
    """A table, another one that a key of it is of, and whether its rows change with those."""
    tree = resolved.statement.tree
    if (
        not isinstance(tree, exp.Create | exp.Alter)
        or "REFERENCES" not in resolved.statement.text.upper()
    ):
        return
    target = tree.this.find(exp.Table) if isinstance(tree.this, exp.Expr) else None
    if target is None:
        return
    for node in tree.find_all(exp.Reference):
        other = node.this.find(exp.Table)
        if other is not None:
            said = " ".join(map(str, node.args.get("options") or ()))
            yield plain(target.name), plain(other.name), bool(_ACTING.search(said))


def _closure(name: str, ties: Mapping[str, set[str]]) -> frozenset[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        new = ties.get(waiting.pop(), set()) - seen
        seen |= new
        waiting.extend(new)
    return frozenset(seen)
