"""A query that shows both sides of a contradiction row by row.

It reads what the block of the outlier reads, and says what the outlier says there and what the
copies would say in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.resolve import Query
from unwet.lineage.trees import copied
from unwet.rewrite.joins_of import joined
from unwet.rewrite.prove.rephrase import Rephrasing, Unspeakable, take_literals
from unwet.rewrite.telling import Told
from unwet.rewrite.tracing import Tracer
from unwet.rewrite.whereabouts import Located

SHOWN: Final = 8  # columns of a row
MAJORITY, OUTLIER = "unwet_majority", "unwet_outlier"


@dataclass(frozen=True, slots=True)
class Trial:
    """`query` gives the columns called `names`, then MAJORITY and OUTLIER, what both sides say of
    a row. `keeps`: they say whether the row is kept. `other`: where the sides differ in whole
    rows, the query of the copies, and `query` is the outlier's."""

    query: exp.Query
    names: tuple[str, ...]
    keeps: bool = False
    other: exp.Query | None = None


def trial(told: Told, tracer: Tracer) -> Trial:
    """The trial of one outlier. Raises Unspeakable with the reason why there is none."""
    outlier = told.outlier
    match outlier.fact.kind:
        case "name":
            raise Unspeakable("a name changes no row")
        case "join":
            return _of_join(told, tracer)
        case "grain" | "distinct" | "union" | "order":
            return _of_rows(told, tracer)
        case _ if outlier.missing:
            return _of_missing(told, tracer)
        case _ if outlier.added:
            return _of_added(told, tracer)
        case _:
            return _of_expression(told, tracer)


# --- expressions ------------------------------------------------------------------------------


def _of_expression(told: Told, tracer: Tracer) -> Trial:
    said, model = told.said, told.model
    assert said is not None and model is not None
    query, clause = said.fact.block.query, said.fact.clause
    words = Rephrasing(tracer, query)
    right = words.foreign(model.fact.block.query, model.node, model.fact.clause)
    if told.outlier.at is None:
        take_literals(right, said.node)
    whole = _lifted(said)
    wrong = words.own(whole, clause)
    mended = right if whole is said.node else _replaced(words, said, whole, right)
    select = _select(query)
    if said.fact.kind == "predicate":
        _without(select, query, said.fact.node)
        wrong, mended = _kept(wrong), _kept(mended)
    return _shown(select, query, words, mended, wrong, said.fact.kind == "predicate")


def _lifted(said: Located) -> exp.Expression:
    """The largest part of the fact's expression around a node that has one value a row: a constant
    alone says nothing of a row, and a sum nothing of one row."""
    node = said.node
    while node is not said.fact.node and isinstance(node.parent, exp.Expression):
        above = node.parent
        summed = isinstance(above, exp.AggFunc) and not isinstance(above.parent, exp.Window)
        if summed and not isinstance(node, (exp.AggFunc, exp.Distinct)):
            break
        node = above
    return node


def _replaced(
    words: Rephrasing, said: Located, whole: exp.Expression, right: exp.Expression
) -> exp.Expression:
    """`whole` in the block's own words, with `right` in place of the node that was found."""
    mark = exp.column("unwet_mark")
    copy = copied(whole)
    for old, new in list(zip(whole.walk(), copy.walk(), strict=True)):
        if old is said.node:
            new.replace(mark)
            break
    copy.parent = whole.parent
    made = words.own(copy, said.fact.clause)
    marks = [c for c in made.find_all(exp.Column) if c.name == "unwet_mark"]
    for each in marks:
        each.replace(exp.Paren(this=right.copy()))
    if not marks:
        raise Unspeakable("the place of the difference is not found again")
    return made


# --- filters and joins ------------------------------------------------------------------------


def _of_missing(told: Told, tracer: Tracer) -> Trial:
    assert told.model is not None
    query, model = told.block.query, told.model
    words = Rephrasing(tracer, query)
    right = words.foreign(model.fact.block.query, model.node, model.fact.clause)
    return _shown(_select(query), query, words, _kept(right), exp.true(), keeps=True)


def _of_added(told: Told, tracer: Tracer) -> Trial:
    assert told.said is not None
    query, said = told.block.query, told.said
    words, select = Rephrasing(tracer, query), _select(query)
    _without(select, query, said.node)
    wrong = _kept(words.own(said.node, said.fact.clause))
    return _shown(select, query, words, exp.true(), wrong, keeps=True)


def _of_join(told: Told, tracer: Tracer) -> Trial:
    """Every row with and without a partner, and who keeps those without."""
    fact, query = told.outlier.fact, told.block.query
    if {fact.value, told.outlier.other.value} != {"inner", "left"}:
        raise Unspeakable("only JOIN against LEFT JOIN is tried")
    join = next((j for j in query.node.args.get("joins") or () if j.this is fact.node), None)
    conditions = [c for j in joined(query) if j.node is fact.node for c in j.conditions]
    if join is None or not conditions:
        raise Unspeakable("the join has no condition of its own")
    words, select = Rephrasing(tracer, query), _select(query)
    own = _twin(query.node, select, join)
    if join.args.get("on") is None:
        for node, clause in conditions:
            if clause == "where":
                _without(select, query, node)
        own.set("on", exp.and_(*(copied(node) for node, _ in dict.fromkeys(conditions))))
    own.set("side", "LEFT")
    own.set("kind", None)
    has_partner = _kept(copied(own.args["on"]))
    inner, left = has_partner, exp.true()
    right, wrong = (left, inner) if fact.value == "inner" else (inner, left)
    return _shown(select, query, words, right, wrong, keeps=True)


# --- whole rows -------------------------------------------------------------------------------


def _of_rows(told: Told, tracer: Tracer) -> Trial:
    """The block as it is, and as the copies would have it."""
    fact, other = told.outlier.fact, told.outlier.other
    node = fact.node if fact.kind == "union" else told.block.query.node
    assert isinstance(node, exp.Query)
    mine, theirs = _standing(node), _standing(node)
    match fact.kind:
        case "union":
            theirs.set("distinct", other.value == "UNION")
        case "distinct":
            theirs.set("distinct", None if other.value == "SELECT" else exp.Distinct())
        case "order":
            for item in theirs.args["order"].expressions:
                item.set("desc", not item.args.get("desc"))
        case _:
            group = theirs.args["group"]
            group.set("expressions", _keys(told, tracer))
    return Trial(mine, tuple(output.name for output in told.block.query.outputs), other=theirs)


def _keys(told: Told, tracer: Tracer) -> list[exp.Expression]:
    """The outlier's keys without the one too many, or with the one that it lacks."""
    fact, other = told.outlier.fact, told.outlier.other
    query, theirs = told.block.query, other.block.query
    digest = tracer.terms.masked

    def is_odd(of: Query, node: exp.Expression, odd: frozenset[str]) -> bool:
        term = tracer.term(of, node, "group")
        return term is not None and digest(term).digest.hex() in odd

    own = [copied(n) for n in query.node.args["group"].expressions
           if not is_odd(query, n, fact.keys - other.keys)]  # fmt: skip
    words = Rephrasing(tracer, query)
    lacking = [words.foreign(theirs, n, "group") for n in theirs.node.args["group"].expressions
               if is_odd(theirs, n, other.keys - fact.keys)]  # fmt: skip
    return own + lacking


# --- building ---------------------------------------------------------------------------------


def _shown(
    select: exp.Select,
    query: Query,
    words: Rephrasing,
    right: exp.Expression,
    wrong: exp.Expression,
    keeps: bool,
) -> Trial:
    grouped = any(map(_is_grouped, (right, wrong)))
    if grouped and keeps and not query.node.args.get("group"):
        raise Unspeakable("a condition on the sum of all rows")
    shown = _group_keys(query, words) if grouped else _columns(words, wrong, right)
    if grouped and shown:
        select.set("group", exp.Group(expressions=[key.copy() for key in shown]))
    names = tuple(_name(each, query.dialect) for each in shown[:SHOWN])
    select.set("expressions", [
        *(exp.alias_(each.copy(), f"unwet_{at}") for at, each in enumerate(shown[:SHOWN])),
        exp.alias_(right, MAJORITY),
        exp.alias_(wrong, OUTLIER),
    ])  # fmt: skip
    return Trial(select, names, keeps)


def _name(node: exp.Expression, dialect: str) -> str:
    if isinstance(node, exp.Column):
        return ".".join(part.name for part in node.parts)
    return node.sql(dialect=dialect, comments=False)


def _is_grouped(node: exp.Expression) -> bool:
    return any(not _is_windowed(each) for each in node.find_all(exp.AggFunc))


def _is_windowed(node: exp.Expr) -> bool:
    above = node.parent
    while isinstance(above, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.WithinGroup)):
        above = above.parent
    return isinstance(above, exp.Window) and above.this is not None


def _group_keys(query: Query, words: Rephrasing) -> list[exp.Expression]:
    group = query.node.args.get("group")
    found: list[exp.Expression] = []
    for node in group.expressions if group is not None else ():
        at = int(node.this) - 1 if isinstance(node, exp.Literal) and node.is_int else None
        if at is None:
            found.append(words.own(node, "group"))
            continue
        output = query.outputs[at] if at < len(query.outputs) else None
        if output is None or output.expression is None:
            raise Unspeakable("a key that is only a position")
        found.append(words.own(output.expression, "select"))
    return found


def _columns(words: Rephrasing, *nodes: exp.Expression) -> list[exp.Expression]:
    """The columns of expressions, each once, whether it has its table's name before it or not."""
    found: dict[object, exp.Expression] = {}
    for node in nodes:
        for column in node.find_all(exp.Column):
            found.setdefault(words.meaning(column), column)
    return list(found.values())


def _kept(node: exp.Expression) -> exp.Expression:
    """Whether a row is kept by a condition: one that is NULL keeps none."""
    return exp.Coalesce(this=exp.Paren(this=node), expressions=[exp.false()])


def _select(query: Query) -> exp.Select:
    """What a block reads and keeps, without what it shows."""
    if not isinstance(query.node, exp.Select):
        raise Unspeakable("no SELECT")
    select = _standing(query.node)
    assert isinstance(select, exp.Select)
    for part in ("group", "having", "qualify", "order", "limit", "offset", "distinct", "windows",
                 "into", "kind"):  # fmt: skip
        select.set(part, None)
    return select


def _standing(node: exp.Expression) -> exp.Query:
    """A copy of a query with the CTEs that are in its sight."""
    ctes: dict[str, exp.CTE] = {}
    recursive = False
    for clause in _withs(node):
        recursive = recursive or bool(clause.args.get("recursive"))
        for cte in clause.expressions:
            ctes.setdefault(cte.alias.lower(), cte)
    copy = copied(node)
    assert isinstance(copy, exp.Query)
    copy.set("with_", None)
    if ctes:
        kept = [copied(cte) for cte in reversed(ctes.values())]
        copy.set("with_", exp.With(expressions=_in_order(kept, node), recursive=recursive))
    return copy


def _withs(node: exp.Expression) -> Iterator[exp.With]:
    """The WITH clauses around a node, innermost first."""
    above: exp.Expr | None = node
    while above is not None:
        clause = above.args.get("with_")
        if isinstance(clause, exp.With):
            yield clause
        above = above.parent


def _in_order(ctes: Sequence[exp.CTE], node: exp.Expression) -> list[exp.CTE]:
    """Outer CTEs first, each clause in its own order."""
    names = [cte.alias.lower() for clause in reversed(list(_withs(node)))
             for cte in clause.expressions]  # fmt: skip
    return sorted(ctes, key=lambda cte: names.index(cte.alias.lower()))


def _without(select: exp.Select, query: Query, conjunct: exp.Expression) -> None:
    """Takes a condition of the block out of its copy."""
    twin = _twin(query.node, select, conjunct)
    twin.replace(exp.true())


def _twin(tree: exp.Expression, copy: exp.Expression, wanted: exp.Expression) -> exp.Expression:
    """The node of a copy that stands where `wanted` stands in its original."""
    steps: list[Callable[[exp.Expr], object]] = []
    node: exp.Expr = wanted
    while node is not tree:
        if node.parent is None or node.arg_key is None:
            raise Unspeakable("the place of the difference is not found again")
        key, index = node.arg_key, node.index
        steps.append(lambda at, key=key, index=index: (  # type: ignore[misc]
            at.args.get(key) if index is None else at.args[key][index]
        ))  # fmt: skip
        node = node.parent
    found: object = copy
    for step in reversed(steps):
        if not isinstance(found, exp.Expression):
            break
        found = step(found)
    if not isinstance(found, exp.Expression):
        raise Unspeakable("the place of the difference is in a part that is not tried")
    return found
