"""The FROM clause of one query block: its items side by side, and where each column stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import Final, Protocol

from sqlglot import exp

from unwet.lineage.names import folded
from unwet.lineage.resolve import Input, Query
from unwet.rewrite.algebra import (
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Outer,
    Project,
    Rel,
    Unnest,
    Values,
    width,
)
from unwet.rewrite.clauses import conjuncts, only
from unwet.rewrite.scalars import Unsupported, encode
from unwet.rewrite.volatile import is_random

Frame = tuple[tuple[Input, int], ...]  # the inputs of one query block with their first positions
Scalar = Callable[[exp.Expr, str], Expr]  # an expression of a clause over the block's positions

_CHAINED: Final = frozenset({"bigquery", "duckdb", "postgres"})
"""Where FULL JOIN USING after FULL JOIN USING compares the merged column (SQL-92, 7.5): what the
engines of other dialects make of it was not looked at."""
_JOIN: Final = frozenset(["this", "side", "kind", "on", "using"])
_TABLE: Final = frozenset(["this", "db", "catalog", "alias", "hints"])
_UNNEST: Final = frozenset(["expressions", "alias", "offset"])
_SUBQUERY: Final = frozenset(["this", "alias", "with_"])


class Sources(Protocol):
    """What this module needs from the lowering of a statement: relations and their columns."""

    def relation(self, item: Input, outer: tuple[Frame, ...]) -> Rel: ...
    def columns(self, item: Input) -> tuple[str, ...]: ...
    def shown(self, item: Input) -> tuple[int, ...]: ...


class From:
    """The items of a FROM clause entered so far. ``outer`` are the frames of enclosing queries."""

    def __init__(
        self, sources: Sources, query: Query, outer: tuple[Frame, ...], scalar: Scalar
    ) -> None:
        self.sources = sources
        self.query = query
        self.outer = outer
        self.scalar = scalar
        self._entered: list[tuple[Input, int]] = []
        self._wide = 0
        self._positions: dict[int, dict[str, int]] = {}  # by identity: an item is one place

    @property
    def frame(self) -> Frame:
        """The items that expressions see now."""
        return tuple(self._entered)

    def rel(self) -> Rel:
        """The rows of the whole clause; one row of no columns when there is none."""
        rel: Rel | None = None
        for item in self.query.inputs:
            if item.group is not None:
                raise Unsupported("a join in parentheses")
            if isinstance(item.node, exp.Unnest):
                rel = self._unnested(rel, item)
                continue
            _check_item(item)
            if self._is_array(item):
                raise Unsupported("an array of a table in FROM by its name")
            right = self.sources.relation(item, self.outer)
            if rel is None:
                rel = right
                self._enter(item, width(right))
            else:
                rel = self._joined(rel, item, right)
        return rel if rel is not None else Values(((),), 0)

    def column(self, item: Input, column: str) -> Expr:
        """A column of an item of this clause or of an enclosing query's."""
        for level, frame in enumerate((self.frame, *self.outer)):
            for candidate, start in frame:
                if candidate is item:
                    at = start + self._position(item, column)
                    return Col(at) if level == 0 else Outer(level, at)
        raise Unsupported(f"column {column} of {item.alias or item.relation} is out of reach")

    def shown(self, item: Input) -> tuple[tuple[str, Expr], ...]:
        """The columns of an item of this clause that a star stands for."""
        start = next(start for candidate, start in self._entered if candidate is item)
        names = self.sources.columns(item)
        return tuple((names[i], Col(start + i)) for i in self.sources.shown(item))

    def _enter(self, item: Input, wide: int) -> None:
        self._entered.append((item, self._wide))
        self._wide += wide

    def _position(self, item: Input, column: str) -> int:
        known = self._positions.get(id(item))
        if known is None:
            known = self._positions[id(item)] = _unique(self.sources.columns(item))
        if column not in known:
            raise Unsupported(f"column {column} of {item.alias or item.relation} is not known")
        return known[column]

    # --- arrays

    def _is_array(self, item: Input) -> bool:
        """BigQuery: FROM t, t.items reads the items of each row of t."""
        node, dialect = item.node, self.query.dialect
        first = node.args.get("catalog") or node.args.get("db")
        if dialect != "bigquery" or not isinstance(first, exp.Identifier):
            return False
        return any(each.alias == folded(first, dialect) for each, _ in self._entered)

    def _unnested(self, left: Rel | None, item: Input) -> Rel:
        """The rows so far, once for each element of an array."""
        node, join = item.node, item.join
        only(node, _UNNEST)
        if self.query.dialect not in ("bigquery", "duckdb") or len(node.expressions) != 1:
            raise Unsupported(f"UNNEST of {self.query.dialect or 'no dialect'}")
        if left is not None and join is None:
            raise Unsupported("joins that are nested without parentheses")
        below: Rel = left if left is not None else Values(((),), 0)
        array = self.scalar(node.expressions[0], "from")
        if is_random(array):
            raise Unsupported("an array of random values")
        ordinal = node.args.get("offset") is not None
        on, outer = self._unnest_join(join) if join is not None else (None, False)
        rel = Unnest(below, array, outer, ordinal)
        self._enter(item, width(rel) - width(below))
        if on is None:
            return rel
        return Filter(rel, conjuncts(self.scalar(on, "on")))

    def _unnest_join(self, join: exp.Expr) -> tuple[exp.Expr | None, bool]:
        """The condition, and whether rows without elements stay."""
        only(join, _JOIN)
        side, kind = (str(join.args.get(k) or "").upper() for k in ("side", "kind"))
        on, always = join.args.get("on"), True
        if on is not None:
            always = isinstance(on.unnest(), exp.Boolean) and bool(on.unnest().this)
        if join.args.get("using") or kind not in ("", "INNER", "CROSS", "OUTER"):
            raise Unsupported(f"{side} {kind} join of an array".strip())
        if side == "LEFT" and always:
            return None, True
        if side:
            raise Unsupported(f"{side} JOIN UNNEST with a condition")
        return (None if always else on), False

    # --- joins

    def _joined(self, left: Rel, item: Input, right: Rel) -> Rel:
        start, wide = self._wide, width(right)
        self._enter(item, wide)
        join = item.join
        if join is None:
            raise Unsupported("joins that are nested without parentheses")
        only(join, _JOIN)
        side, kind = (str(join.args.get(k) or "").upper() for k in ("side", "kind"))
        if (side, kind) in (("RIGHT", ""), ("RIGHT", "OUTER")):
            return self._right_join(left, item, right)
        on = self._condition(join, item)
        match side, kind:
            case "", "" | "INNER" | "CROSS":
                return Join("inner", (left, right), on)
            case "LEFT", "" | "OUTER":
                return self._filled(Join("left", (left, right), on), range(start, self._wide))
            case "FULL", "" | "OUTER":
                self._no_comma_before(item)
                if join.args.get("using") and self._fills:
                    raise Unsupported("FULL JOIN USING that fills in defaults")
                return self._filled(Join("full", (left, right), on), range(self._wide))
            case "" | "LEFT", "SEMI" | "ANTI":
                self._entered.pop()  # its columns are seen in its own ON only
                self._wide = start
                return Join("semi" if kind == "SEMI" else "anti", (left, right), on)
            case _:
                raise Unsupported(f"{side} {kind} join".strip())

    def _right_join(self, left: Rel, item: Input, right: Rel) -> Rel:
        """The LEFT JOIN of its inputs in the other order, columns put back.

        Its condition is read while the right side stands first, as it does in that join."""
        self._no_comma_before(item)
        assert item.join is not None
        start, wide, entered = width(left), width(right), self._entered
        self._entered = [*((each, at + wide) for each, at in entered[:-1]), (item, 0)]
        on = self._condition(item.join, item)
        self._entered = entered
        back = (*range(wide, wide + start), *range(wide))
        turned = Project(Join("left", (right, left), on), tuple(map(Col, back)))
        return self._filled(turned, range(start))

    @property
    def _fills(self) -> bool:
        """ClickHouse: rows without a partner get 0, '' and the like in place of NULLs, unless a
        column is Nullable (its reference, "join_use_nulls")."""
        return self.query.dialect == "clickhouse"

    def _filled(self, rel: Rel, side: range) -> Rel:
        """The rows of an outer join whose columns of a side may have no partner."""
        if not self._fills:
            return rel
        cells = (or_default(Col(i)) if i in side else Col(i) for i in range(self._wide))
        return Project(rel, tuple(cells))

    def _no_comma_before(self, item: Input) -> None:
        """A comma binds looser than JOIN: `a, b RIGHT JOIN c` keeps the rows of c once each a."""
        for entered, _ in self._entered:
            if entered is not item and entered.join is not None and _is_comma(entered.join):
                raise Unsupported("a RIGHT or FULL join after a comma")

    def _condition(self, join: exp.Expr, item: Input) -> tuple[Expr, ...]:
        using = join.args.get("using") or []
        if using:
            names = (folded(each, self.query.dialect) for each in using)
            return tuple(self._using(name, item) for name in names)
        on = join.args.get("on")
        return conjuncts(self.scalar(on, "on")) if on is not None else ()

    def _using(self, name: str, item: Input) -> Expr:
        """The equality that USING means, where the left side is one column beyond doubt.

        A table whose columns nobody knows does not have a column that stands left of it and was
        merged before: where it had, engines refuse the query or read the leftmost (DuckDB,
        SQLite), which is the same one. BigQuery has no comma that binds looser and refuses two
        columns on the left, so that it does not have one there that another item is known to
        have, either."""
        before = [each for each, _ in self._entered[:-1]]
        merged = [each for each in self.query.merged.get(name, ()) if each in before]
        first = before.index(merged[0]) if len(merged) > 1 else len(before)
        known = len(merged) == 1 and merged[0].columns is not None
        if known and self.query.dialect == "bigquery":
            first = -1
        holders = [each for at, each in enumerate(before)
                   if name in each.index or (each.columns is None and at <= first)]  # fmt: skip
        if not merged or any(each not in merged for each in holders):
            raise Unsupported(f"USING {name} of more than one table")
        sides = {each.join.side for each in (*merged[1:], item) if each.join is not None}
        left = self.column(merged[0], name)
        if len(merged) > 1 and sides & {"RIGHT", "FULL"}:
            if sides != {"FULL"} or self.query.dialect not in _CHAINED:
                raise Unsupported("USING after an outer join of the same name")
            left = reduce(first_of, (self.column(each, name) for each in merged))
        return same(left, self.column(item, name))


def or_default(value: Expr) -> Expr:
    """The value, and for NULL what its type has in place of it: NULL in a Nullable type."""
    return Call("or_default", (value,), ("this",))


def same(left: Expr, right: Expr) -> Expr:
    """``left = right`` as the parser's own equality would be."""
    return encode(exp.EQ(this=exp.column("l"), expression=exp.column("r")), _either(left, right))


def first_of(left: Expr, right: Expr) -> Expr:
    """``COALESCE(left, right)``: the merged column of FULL JOIN USING."""
    merged = exp.Coalesce(this=exp.column("l"), expressions=[exp.column("r")])
    return encode(merged, _either(left, right))


def _either(left: Expr, right: Expr) -> Callable[[exp.Expr], Expr | None]:
    def leaf(node: exp.Expr) -> Expr | None:
        if isinstance(node, exp.Column):
            return left if node.name == "l" else right
        return None

    return leaf


def _unique(columns: tuple[str, ...]) -> dict[str, int]:
    """Where each column stands; names that occur twice say nothing."""
    places: dict[str, int] = {}
    twice: set[str] = set()
    for at, name in enumerate(columns):
        if places.setdefault(name, at) != at:
            twice.add(name)
    return {name: at for name, at in places.items() if name not in twice}


def _is_comma(join: exp.Expr) -> bool:
    return not any(join.args.get(k) for k in ("on", "using", "side", "kind", "method"))


def _check_item(item: Input) -> None:
    """Raises Unsupported where the item is more than a table or query with an alias. What its
    pivots say is read where their rows are made."""
    pivoted = item.query is not None and isinstance(item.query.node, exp.Pivot)
    pivots = frozenset({"pivots"} if pivoted else ())
    for node in _wrappers(item):
        match node:
            case exp.Table():
                only(node, _TABLE | pivots)
            case exp.Subquery():
                only(node, _SUBQUERY | pivots)
            case exp.Values():
                pass  # read by whoever makes its rows
            case _:
                raise Unsupported("rows in FROM that are not understood", node)


def _wrappers(item: Input) -> Iterator[exp.Expr]:
    """The item's node and, for a derived table, the parentheses around its query."""
    yield item.node
    inner = item.node.this if isinstance(item.node, exp.Subquery) else None
    while isinstance(inner, exp.Subquery) and item.query is not None:
        if inner is item.query.node:
            return
        yield inner
        inner = inner.this
