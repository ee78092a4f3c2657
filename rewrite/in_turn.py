"""Relations that several scripts write one after the other, each anew: who is last, nobody says.

Versions of one script make the same tables, and a script per cohort deletes its own slice of a
common table before it fills it. What such a relation holds in the end depends on the order of the
scripts; what one script leaves there when it runs alone does not. So each script's own rows are a
report.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from unwet.lineage.names import deep_stack
from unwet.lineage.resolve import Query, Resolved
from unwet.rewrite.algebra import Node, Plan, Scan, Values
from unwet.rewrite.definitions import Definition
from unwet.rewrite.mapping import mapped
from unwet.rewrite.script_order import Unit, base_reads
from unwet.rewrite.writes import is_partition, is_plain

_ODD = re.compile(r"\W+")


def in_turn(units: Sequence[Unit], conflicts: Iterable[str]) -> frozenset[str]:
    """Those of the relations whose rows depend on the order of scripts that every script which
    writes them begins anew."""
    found = set()
    for name in conflicts:
        writers = [u for u in units if name in u.fills | u.resets | u.scratch]
        if all(_begins_anew(unit, name) for unit in writers):
            found.add(name)
    return frozenset(found)


def _begins_anew(unit: Unit, name: str) -> bool:
    """Whether what the relation held before a script makes no difference to the rows that the
    script leaves there, but for the slices of others."""
    dropped = False
    for each in (w for r in unit.statements for w in r.all() if w.target == name):
        tree = each.statement.tree
        match each.kind:
            case "drop":
                dropped = True
            case "ctas" | "view" | "select_into":
                return dropped or not tree.args.get("exists")
            case "create_table" if dropped or not tree.args.get("exists"):
                return True
            case "create_table":
                continue
            case "truncate":
                return not is_partition(each)
            case "delete":
                return name in unit.fills
            case "insert":
                return bool(tree.args.get("overwrite")) and not is_partition(each)
            case _:
                return False
    return True


def settled(unit: Unit, names: Iterable[str]) -> frozenset[str]:
    """Those of the relations that a script has written in full before it reads them."""
    last: dict[str, int] = {}
    first: dict[str, int] = {}
    for at, each in enumerate(unit.statements):
        for write in each.all():
            if write.target and write.kind != "drop":
                last[write.target] = at
        for name in base_reads(each.query) if each.query is not None else ():
            first.setdefault(name, at)
    found = (name for name in names if name in last)
    return frozenset(name for name in found if last[name] < first.get(name, len(unit.statements)))


def nothing_yet(resolved: Resolved, columns: tuple[str, ...]) -> Definition:
    """The relation that a script's first INSERT finds when nobody declares it."""
    plan = Plan(columns, Values((), len(columns)))
    name, path = resolved.target or "", resolved.statement.path
    assumed = frozenset({f"{name} takes the values that are inserted as they are"})
    return Definition(name, path, (), (), plan, columns, as_inserted=True, assumed=assumed)


def has_unnamed(resolved: Resolved) -> bool:
    """Whether a column that is inserted is a value to which nobody has given a name."""
    if resolved.query is None:
        return False
    items = _leaves(resolved.query)[0].node.expressions
    return any(not (isinstance(i, exp.Alias | exp.Column) or i.is_star) for i in items)


def as_own(definition: Definition, path: str) -> Definition:
    """What a script leaves in a relation that it is not alone to write, under a name of its own."""
    of = definition.of or definition.relation
    said = (
        f"{of} is written by several scripts, each anew: a model has what one of them leaves "
        "there, and nobody says which of them is last"
    )
    return replace(
        definition,
        relation=f"{of}@{_ODD.sub('_', path.lower()).strip('_')}",
        of=of,
        path=path,
        temp=False,
        assumed=definition.assumed | {said},
    )


def read_as_own(plan: Plan, reads: Iterable[Definition]) -> Plan:
    """The plan with the script's own states of relations under their own names."""
    names = {read.of: read.relation for read in reads if read.of}

    def one(node: Node) -> Node:
        if isinstance(node, Scan) and node.table in names:
            return replace(node, table=names[node.table])
        return node

    with deep_stack():
        return mapped(plan, one, {}) if names else plan


def leaves_alone(delete: Resolved, current: Definition) -> bool:
    """Whether a DELETE can meet no row that the relation holds: it asks for a constant in a column
    in which every INSERT so far has put another one."""
    where = delete.statement.tree.args.get("where")
    if where is None or not is_plain(delete) or not current.parts:
        return False
    conjuncts = where.this.flatten() if isinstance(where.this, exp.And) else (where.this,)
    asked = [pair for each in conjuncts if (pair := _column_is(each)) is not None]
    return any(
        all(_puts_other(part, current, column, wanted) for part in current.parts)
        for column, wanted in asked
    )


def _column_is(condition: exp.Expr) -> tuple[str, str] | None:
    """`column = whole number` as the two words."""
    if not isinstance(condition, exp.EQ):
        return None
    sides = (condition.this, condition.expression)
    for one, other in (sides, sides[::-1]):
        if isinstance(one, exp.Column) and (isinstance(other, exp.Literal) and other.is_int):
            return one.name.lower(), other.name
    return None


def _puts_other(part: Resolved, current: Definition, column: str, wanted: str) -> bool:
    """Whether an INSERT puts another whole number into a column in each of its rows: 2.4 may be
    stored as 2."""
    columns = [name.lower() for name in part.target_columns or current.columns]
    if part.kind != "insert" or part.query is None or columns.count(column) != 1:
        return False
    at = columns.index(column)
    for query in _leaves(part.query):
        value = query.outputs[at].expression if at < len(query.outputs) else None
        if not query.complete or not isinstance(value, exp.Literal) or not value.is_int:
            return False
        if int(value.name) == int(wanted):
            return False
    return True


def _leaves(query: Query) -> Sequence[Query]:
    """The SELECTs that a query puts together."""
    if not query.branches:
        return (query,)
    return [leaf for branch in query.branches for leaf in _leaves(branch)]
