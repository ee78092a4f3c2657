"""What has to change in a tree so that it says what was decided."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Statement
from unwet.lineage.trees import copied
from unwet.rewrite.prove.rephrase import Rephrasing, take_literals
from unwet.rewrite.telling import Told
from unwet.rewrite.tracing import Tracer

_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*")
_LOOSE: Final = (exp.Binary, exp.Not, exp.Between, exp.In, exp.Case, exp.Window)


class Refused(Exception):
    """A decision that cannot be carried out; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Mend:
    """At `node` of a statement's tree: `change` is given the node's copy in a tree of its own."""

    statement: Statement
    node: exp.Expr
    change: Callable[[exp.Expr], None]


def mended(tree: exp.Expression, mends: Sequence[Mend]) -> exp.Expression:
    """A copy of a tree with all mends in it. Raises Refused where two meet in one place."""
    copy = copied(tree)
    twins = {id(old): new for old, new in zip(tree.walk(), copy.walk(), strict=True)}
    for mend in mends:
        twin = twins.get(id(mend.node))
        if twin is None:
            raise Refused("the place is not found again in its statement")
        if twin.root() is not copy:
            raise Refused("another decision has changed that place already")
        mend.change(twin)
    return copy


def by_majority(told: Told, tracer: Tracer) -> Mend:
    """The outlier as the majority says it. Raises Refused, and Unspeakable where the outlier's
    block has no words for it."""
    outlier = told.outlier
    match outlier.fact.kind:
        case "join":
            return _join(told)
        case "distinct" | "union" | "order":
            return _rows(told)
        case "grain":
            raise Refused("a grain cannot be put right by rule: change the select list by hand")
        case "name":
            raise Refused("a name changes no row: rename it in the pile")
        case _ if outlier.missing:
            assert told.model is not None
            if told.model.fact.clause != "where":
                raise Refused("the copies have the filter in a join: say it with sql = ...")
            words = Rephrasing(tracer, told.block.query)
            model = told.model
            right = words.foreign(model.fact.block.query, model.node, model.fact.clause)
            return with_filter(told, _plain(right))
        case _ if outlier.added:
            assert told.said is not None
            return Mend(told.said.statement, told.said.node, _left_out)
        case _:
            return _expression(told, tracer)


def by_sql(told: Told, right: exp.Expression) -> Mend:
    """The outlier as the user says it. Raises Refused."""
    if told.outlier.missing:
        return with_filter(told, right)
    if told.said is None:
        raise Refused('no expression stands there: only decided = "majority" can be carried out')
    return replacement(told.said.statement, told.said.node, right)


def replacement(statement: Statement, node: exp.Expression, right: exp.Expression) -> Mend:
    """One expression for another."""
    return Mend(statement, node, lambda twin: _put(twin, right.copy()))


def with_filter(told: Told, condition: exp.Expression) -> Mend:
    """One condition more on the rows of the outlier's block."""
    select = told.block.query.node
    if not isinstance(select, exp.Select):
        raise Refused("the filter is missing in what is no SELECT")

    def add(twin: exp.Expr) -> None:
        where = twin.args.get("where")
        both = exp.and_(where.this, condition.copy()) if where is not None else condition.copy()
        twin.set("where", exp.Where(this=both))

    return Mend(told.block.resolved.statement, select, add)


# --- by majority -----------------------------------------------------------------------------


def _expression(told: Told, tracer: Tracer) -> Mend:
    said, model = told.said, told.model
    assert said is not None and model is not None
    words = Rephrasing(tracer, said.fact.block.query)
    right = words.foreign(model.fact.block.query, model.node, model.fact.clause)
    if told.outlier.at is None:
        take_literals(right, said.node)
    return replacement(said.statement, said.node, _plain(right))


def _join(told: Told) -> Mend:
    fact, wanted = told.outlier.fact, told.outlier.other.value
    join = fact.node.parent
    if not isinstance(join, exp.Join) or {fact.value, wanted} != {"inner", "left"}:
        raise Refused("only JOIN and LEFT JOIN are exchanged, where they are written so")
    if not (join.args.get("on") or join.args.get("using")):
        raise Refused("the join has no condition of its own")
    if str(join.args.get("side") or "").upper() not in ("", "LEFT"):
        raise Refused("it is a RIGHT JOIN: turn it round by hand")

    def change(twin: exp.Expr) -> None:
        twin.set("side", "LEFT" if wanted == "left" else None)
        twin.set("kind", None)

    return Mend(fact.block.resolved.statement, join, change)


def _rows(told: Told) -> Mend:
    fact, wanted = told.outlier.fact, told.outlier.other.value
    statement = fact.block.resolved.statement
    if fact.kind == "union":
        return Mend(statement, fact.node, lambda twin: twin.set("distinct", wanted == "UNION"))
    select = told.block.query.node
    if fact.kind == "distinct":
        distinct = None if wanted == "SELECT" else exp.Distinct()
        return Mend(statement, select, lambda twin: twin.set("distinct", distinct))
    if select.args.get("order") is None:
        raise Refused("the order is not that of the block itself")

    def turn(twin: exp.Expr) -> None:
        for item in twin.args["order"].expressions:
            item.set("desc", not item.args.get("desc"))

    return Mend(statement, select, turn)


# --- putting things in -----------------------------------------------------------------------


def _put(twin: exp.Expr, right: exp.Expression) -> None:
    """`right` in the place of `twin`; an output that had a name keeps it."""
    above = twin.parent
    said: exp.Expr = right
    if isinstance(above, exp.Select) and twin.arg_key == "expressions":
        if isinstance(twin, exp.Column) and right.output_name != twin.output_name:
            said = exp.alias_(right, twin.this.copy())
    elif isinstance(right, _LOOSE) and not _encloses(above):
        said = exp.Paren(this=right)
    twin.replace(said)


def _encloses(node: exp.Expr | None) -> bool:
    """Whether what stands in it needs no parentheses."""
    if isinstance(node, exp.Connector):  # a function by its class
        return False
    return isinstance(node, (exp.Alias, exp.Paren, exp.Where, exp.Having, exp.Func))


def _left_out(twin: exp.Expr) -> None:
    """A conjunct taken out of its condition."""
    above = twin.parent
    while isinstance(above, exp.Paren):
        twin, above = above, above.parent
    match above:
        case exp.And():
            other = above.expression if twin.arg_key == "this" else above.this
            above.replace(other)
        case exp.Where() | exp.Having():
            above.pop()
        case _:
            twin.replace(exp.true())


def _plain(node: exp.Expression) -> exp.Expression:
    """Names without the quotes that they do not need: another engine may fold them."""
    for name in node.find_all(exp.Identifier):
        if name.args.get("quoted") and _PLAIN.fullmatch(str(name.this)):
            name.set("quoted", False)
    return node
