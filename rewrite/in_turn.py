"""Relations that several scripts write one after the other, each anew: who is last, nobody says.

Versions of one script make the same tables, and a script per cohort deletes its own slice of a
common table before it fills it. What such a relation holds in the end depends on the order of the
scripts; what one script leaves there when it runs alone does not. So each script's own rows are a
report. A script that reads the relation reads what the nearest of them leaves, where one is nearer
by its folder than the others: the folders of a pile are pipelines. That is an assumption, and told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from sqlglot import exp

from unwet.lineage.names import deep_stack
from unwet.lineage.resolve import Resolved
from unwet.lineage.tables import Table
from unwet.rewrite.algebra import Node, Plan, Scan, Values
from unwet.rewrite.definitions import Definition
from unwet.rewrite.mapping import mapped
from unwet.rewrite.script_order import Unit, base_reads
from unwet.rewrite.slices import is_unseen, leaves
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


def begun_anew(units: Sequence[Unit]) -> frozenset[str]:
    """Those that one script alone writes, which empties them first, so that it makes no difference
    what they held before: `INSERT OVERWRITE TABLE mart.days SELECT ...`, also where nobody declares
    them."""
    writers = Counter(name for u in units for name in u.makes | u.fills | u.resets | u.scratch)
    return frozenset(name for each in units for name in each.fills - each.makes
                     if writers[name] == 1 and _is_emptied_first(each, name))  # fmt: skip


def _is_emptied_first(unit: Unit, name: str) -> bool:
    first = next(w for r in unit.statements for w in r.all() if w.target == name)
    if is_partition(first):
        return False
    tree = first.statement.tree
    match first.kind:
        case "truncate":
            return True
        case "delete":
            return not tree.args.get("where") and is_plain(first)
        case "insert":
            return bool(tree.args.get("overwrite"))
        case _:
            return False


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


def settled(
    unit: Unit, names: Iterable[str], known: Callable[[str], Table | None]
) -> frozenset[str]:
    """Those of the relations that a script has written before it reads them, as far as what it
    reads of them goes. ``known``: what the pile declares of a relation."""
    writes: dict[str, list[int]] = {}
    reads: dict[str, list[int]] = {}
    for at, each in enumerate(unit.statements):
        for write in each.all():
            if write.target and write.kind != "drop":
                writes.setdefault(write.target, []).append(at)
        own = {each.target} if each.kind == "delete" else set()
        for name in base_reads(each.query) - own if each.query is not None else ():
            reads.setdefault(name, []).append(at)

    def is_settled(name: str) -> bool:
        for at in reads.get(name, ()):
            later = [unit.statements[n] for n in writes[name] if n >= at]
            if later and not is_unseen(name, unit.statements[at], later, known(name)):
                return False
        return True

    return frozenset(name for name in names if name in writes and is_settled(name))


def nothing_yet(resolved: Resolved, columns: tuple[str, ...]) -> Definition:
    """The relation that a script's first INSERT finds when nobody declares it."""
    plan = Plan(columns, Values((), len(columns)))
    name, path = resolved.target or "", resolved.statement.path
    assumed = {f"{name} takes the values that are inserted as they are"}
    if resolved.target_columns:
        assumed.add(f"{name} has no columns but those that are inserted")
    if resolved.statement.tree.args.get("overwrite"):
        assumed.add(f"INSERT OVERWRITE takes all rows out of {name}, not those of some partitions")
    return Definition(
        name, path, (), (), plan, columns, as_inserted=True, assumed=frozenset(assumed)
    )


def nearest(states: Sequence[Definition], path: str) -> Definition | None:
    """The state that a script of the same folder, or of the nearest one above it, has left; None
    where that are several."""

    def shared(state: Definition) -> int:
        own, other = PurePath(path).parent.parts, PurePath(state.path).parent.parts
        return next((n for n, (a, b) in enumerate(zip(own, other, strict=False)) if a != b),
                    min(len(own), len(other)))  # fmt: skip

    ordered = sorted(states, key=shared)
    if len(ordered) < 2 or shared(ordered[-1]) == shared(ordered[-2]):
        return None
    return ordered[-1]


def has_others(used: Table | None, columns: Iterable[str]) -> bool:
    """Whether a relation is read by names that what is inserted does not have."""
    return used is not None and not {c.name.lower() for c in used.columns} <= {
        name.lower() for name in columns
    }


def has_unnamed(resolved: Resolved) -> bool:
    """Whether a column that is inserted is a value to which nobody has given a name."""
    if resolved.query is None:
        return False
    items = leaves(resolved.query)[0].node.expressions
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
    return read_as({read.of: read.relation for read in reads if read.of}, plan)


def read_as(names: Mapping[str, str], plan: Plan) -> Plan:
    """The plan with relations under other names."""

    def one(node: Node) -> Node:
        if isinstance(node, Scan) and node.table in names:
            return replace(node, table=names[node.table])
        return node

    with deep_stack():
        return mapped(plan, one, {}) if names else plan
