"""Plans in which the tables that reports make stand for the reports' own queries.

One author reads a colleague's table, another has that table's query in the report: with every
such table read through, both are one plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from unwet.rewrite.algebra import (
    Agg,
    Col,
    Node,
    Opaque,
    Over,
    Plan,
    Project,
    Rel,
    Scan,
    Sort,
    expressions,
    parts,
    walk,
)
from unwet.rewrite.clauses import trim
from unwet.rewrite.mapping import mapped
from unwet.rewrite.stars import is_open
from unwet.rewrite.volatile import is_random_plan

_TIED = frozenset({"rank", "denserank", "percentrank", "cumedist"})  # the same for equal keys
_WHOLE = frozenset({"sum", "count", "min", "max", "avg"})  # so are these over a RANGE


def orders_rows(plan: Plan) -> bool:
    """Whether rows with equal keys of an order may be told apart by it: ROW_NUMBER, LAG, frames of
    ROWS, lists with an order. Two readings of such a query may tell them apart otherwise."""
    return any(
        _tells_apart(part)
        for node in walk(plan.rel)
        for expr in expressions(node)
        for part in parts(expr)
    )


def _tells_apart(part: Node) -> bool:
    match part:
        case Agg(order=order):
            return bool(order)
        case Over(call=call, order=order, frame=frame) if order:
            whole = call.op in _WHOLE and "rows" not in frame.lower()
            return call.op not in _TIED and not whole
        case _:
            return False


def is_definite(plan: Plan) -> bool:
    """Whether two readings of the query give the same rows: nothing random is in it, no rows that
    a limit chooses, and nothing that is not understood."""
    if is_open(plan.names) or len({name.lower() for name in plan.names}) < len(plan.names):
        return False
    vague = any(isinstance(node, Opaque | Sort) for node in walk(plan.rel))
    return not vague and not is_random_plan(plan.rel)


class Unfolding:
    """``plans``: what is behind each relation. Those that read themselves stay relations, and so
    do those whose query could give other rows the next time."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        known = {table: plan for table, plan in plans.items() if is_definite(plan)}
        order = in_order({table: _tables(plan.rel) for table, plan in known.items()})
        self._plans = {table: known[table] for table in order}
        self._done: dict[bytes, Node] = {}

    def plan(self, plan: Plan) -> Plan:
        """The plan over what no report makes."""
        return mapped(plan, self._one, self._done)

    def ordering(self, plan: Plan) -> frozenset[str]:
        """The relations that are read through in a plan and whose rows an order tells apart."""
        seen: set[str] = set()
        waiting = [plan]
        while waiting:
            new = (_tables(waiting.pop().rel) & self._plans.keys()) - seen
            seen |= new
            waiting += [self._plans[table] for table in new]
        return frozenset(table for table in seen if orders_rows(self._plans[table]))

    def _one(self, node: Node) -> Node:
        """Scan(t, columns) -> Project(the query of t, columns)."""
        if isinstance(node, Scan) and (made := self._plans.get(node.table)) is not None:
            at = {name.lower(): number for number, name in enumerate(made.names)}
            if at.keys() >= {column.lower() for column in node.columns}:
                columns = tuple(Col(at[column.lower()]) for column in node.columns)
                return Project(trim(self.plan(made)), columns)
        return node


def both(old: Mapping[str, Plan], new: Mapping[str, Plan]) -> tuple[Unfolding, Unfolding]:
    """Two sides that read the same relations through."""
    common = [t for t, plan in old.items() if t in new and is_definite(plan)]
    common = [table for table in common if is_definite(new[table])]
    return Unfolding({t: old[t] for t in common}), Unfolding({t: new[t] for t in common})


def in_order(reads: Mapping[str, AbstractSet[str]]) -> list[str]:
    """What reads others after those; without what reads itself, through others, too."""
    done: dict[str, None] = {}
    left = [*reads]
    while ready := [name for name in left if reads[name] & reads.keys() <= done.keys()]:
        done.update(dict.fromkeys(ready))
        left = [name for name in left if name not in done]
    return [*done]


def _tables(rel: Rel) -> set[str]:
    return {node.table for node in walk(rel) if isinstance(node, Scan)}
