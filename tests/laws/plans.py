"""Random well-typed plans over four small tables, and random small databases for them.

Everything is drawn through one ``Pick``, a function that chooses a number below another: from
hypothesis, so that a failure shrinks, or from a seeded generator, so that thousands are cheap.

Left out on purpose, because their comparison belongs to the engine and not to SQL: floats (NaN,
rounding of sums), collations, timestamps with zones. Left out because their result is open: LIMIT
without a total order, row_number over ties.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    JoinKind,
    Lit,
    Outer,
    Over,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Subquery,
    Unnest,
    Values,
    Window,
    width,
)

Pick = Callable[[int], int]

TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "t": (("a", "int"), ("b", "int"), ("c", "text"), ("d", "bool")),
    "u": (("a", "int"), ("b", "int"), ("e", "date")),
    "v": (("k", "int"), ("c", "text")),
    "w": (("a", "int"), ("d", "bool")),
}
DOMAIN: dict[str, tuple[str, ...]] = {
    "int": ("NULL", "NULL", "0", "1", "2", "3"),
    "text": ("NULL", "''", "'a'", "'b'", "'ab'"),
    "bool": ("NULL", "true", "false"),
    "date": ("NULL", "DATE '2020-01-01'", "DATE '2020-02-29'"),
}
BINARY = ("this", "expression")
TYPES = ("int", "text", "bool", "date")
SQL_TYPES = {"int": "int", "text": "text", "bool": "boolean", "date": "date"}


def database(pick: Pick) -> list[str]:
    """Statements that make the four tables: NULL-rich, duplicate-rich, sometimes empty."""
    out: list[str] = []
    for name, columns in TABLES.items():
        kinds = [kind for _, kind in columns]
        out.append(f"CREATE TABLE {name} ({', '.join(f'{c} {_SQL[k]}' for c, k in columns)})")
        rows = [[DOMAIN[k][pick(len(DOMAIN[k]))] for k in kinds] for _ in range(pick(7))]
        rows += [rows[pick(len(rows))] for _ in range(pick(4)) if rows]
        if rows:
            values = ", ".join("(" + ", ".join(r) + ")" for r in rows)
            out.append(f"INSERT INTO {name} VALUES {values}")
    return out


_SQL = {"int": "INTEGER", "text": "VARCHAR", "bool": "BOOLEAN", "date": "DATE"}

Kinds = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The types of the columns an expression sees: its own node's, then enclosing rows'."""

    own: Kinds
    outer: tuple[Kinds, ...] = ()

    def over(self, kinds: Kinds) -> Scope:
        """The same place in the query, over other columns."""
        return Scope(kinds, self.outer)

    def inside(self) -> tuple[Kinds, ...]:
        """The rows that a subquery standing here can see."""
        return (self.own, *self.outer)


class Plans:
    """Draws relations (``rel``) and expressions (``expr``)."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick

    def choose(self, options: Sequence[str]) -> str:
        return options[self.pick(len(options))]

    def chance(self, one_in: int) -> bool:
        return self.pick(one_in) == one_in - 1

    # --- relations ---------------------------------------------------------------------------

    def rel(self, depth: int, outer: tuple[Kinds, ...] = ()) -> tuple[Rel, Kinds]:
        """A relation at most ``depth`` nodes deep and the types of its columns."""
        if depth <= 0:
            return self.scan()
        kind = self.choose(
            ("scan", "filter", "filter", "filter", "project", "project", "join", "join", "join",
             "left", "left", "full", "semi", "anti", "aggregate", "aggregate", "window", "union",
             "union", "setop", "distinct", "limit", "sort", "values", "stacked", "tested", "unnest",
             "unmatched")
        )  # fmt: skip
        make = getattr(self, f"_{kind}")
        made: tuple[Rel, Kinds] = make(depth - 1, outer)
        return made

    def scan(self) -> tuple[Rel, Kinds]:
        table = self.choose(tuple(TABLES))
        columns = list(TABLES[table])
        start = self.pick(len(columns))
        some = (columns[start:] + columns[:start])[: 1 + self.pick(len(columns))]
        return Scan(table, tuple(n for n, _ in some)), tuple(k for _, k in some)

    def _scan(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        return self.scan()

    def _values(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        kinds = tuple(self.choose(TYPES) for _ in range(self.pick(3)))
        size = self.pick(3) if kinds else 1
        if self.chance(3):  # integers only, and a test of them
            rows = tuple((number(self.pick(4)), number(self.pick(4))) for _ in range(2))
            test = Call(self.choose(("lt", "eq")), (Col(0), number(self.pick(4))), BINARY)
            if self.pick(2):
                return Project(Values(rows, 2), (Call("add", (Col(0), Col(1)), BINARY),)), ("int",)
            return Filter(Values(rows, 2), (test,)), ("int", "int")
        return Values(
            tuple(tuple(map(self.literal, kinds)) for _ in range(size)), len(kinds)
        ), kinds

    def _filter(self, depth: int, outer: tuple[Kinds, ...] = ()) -> tuple[Rel, Kinds]:
        inner, kinds = self.rel(depth, outer)
        scope = Scope(kinds, outer)
        tests = tuple(self.test(scope, 2) for _ in range(1 + self.pick(3)))
        return Filter(inner, tests), kinds

    def _project(self, depth: int, outer: tuple[Kinds, ...] = ()) -> tuple[Rel, Kinds]:
        inner, kinds = self.rel(depth, outer)
        if not kinds:
            return inner, kinds
        if self.chance(3):  # a permutation, perhaps with repeats
            order = [self.pick(len(kinds)) for _ in kinds]
            return Project(inner, tuple(map(Col, order))), tuple(kinds[i] for i in order)
        out = tuple(self.choose(TYPES) for _ in range(1 + self.pick(3)))
        scope = Scope(kinds, outer)
        return Project(inner, tuple(self.expr(k, scope, 2) for k in out)), out

    def _join(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        many = [
            self.rel(depth - self.pick(2), outer) for _ in range(1 + self.pick(2) + self.pick(2))
        ]
        if self.chance(5):
            many.append(self._test_on_join(depth, outer))
        if self.chance(16):
            many.append((Values(((),), 0), ()))  # one row of no columns
        kinds = tuple(k for _, ks in many for k in ks)
        scope = Scope(kinds, outer)
        on = tuple(self.condition(scope) for _ in range(self.pick(4)))
        return Join("inner", tuple(r for r, _ in many), on), kinds

    def _pair(
        self, depth: int, outer: tuple[Kinds, ...]
    ) -> tuple[tuple[Rel, Rel], Kinds, Kinds, tuple[Expr, ...]]:
        left, own = self.rel(depth, outer)
        right, others = (self._project if self.chance(4) else self.rel)(depth - 1, outer)
        scope = Scope(own + others, outer)
        on = tuple(self.condition(scope, plain=True) for _ in range(1 + self.pick(2)))
        return (left, right), own, others, on

    def _test_on_join(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        """A semi or anti join that reads two inputs of the join below it."""
        (one, kinds), (two, more) = self.scan(), self.rel(depth - 1, outer)
        right, others = self.scan()
        scope = Scope(kinds + more + others, outer)
        on = tuple(self.condition(scope, plain=True) for _ in range(2))
        across = Call("is", (Call("eq", (Col(0), Col(0)), BINARY), Lit("null", "")), BINARY)
        if more:
            shared = [i for i, k in enumerate(more) if k == kinds[0]]
            other = Col(len(kinds) + shared[0]) if shared else Col(0)
            across = Call("nullsafeneq", (Col(0), other), BINARY)
        both = (Join("inner", (one, two)), right)
        kind: JoinKind = "semi" if self.chance(2) else "anti"
        made = Join(kind, both, (*on, across))
        return made, kinds + more

    def _left(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        both, own, others, on = self._pair(depth, outer)
        return Join("left", both, on), own + others

    def _full(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        both, own, others, on = self._pair(depth, outer)
        return Join("full", both, on), own + others

    def _semi(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        both, own, _, on = self._pair(depth, outer)
        return Join("semi", both, on), own

    def _anti(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        both, own, _, on = self._pair(depth, outer)
        return Join("anti", both, on), own

    def _aggregate(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        inner, kinds = self.rel(depth, outer)
        scope = Scope(kinds)  # SQL lifts max(an outer column) into the outer query
        key_kinds = tuple(self.choose(TYPES) for _ in range(self.pick(4)))
        keys = tuple(self.expr(k, scope, 1) for k in key_kinds)
        if keys and self.chance(4):
            keys, key_kinds = (*keys, keys[0]), (*key_kinds, key_kinds[0])
        aggs = [self.agg(scope) for _ in range(self.pick(3) + (not keys))]
        if aggs and self.chance(4):
            aggs.append(aggs[0])
        out = (*key_kinds, *(k for _, k in aggs))
        return Aggregate(inner, keys, tuple(a for a, _ in aggs)), out

    def _stacked(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        """Aggregates of aggregates, over one grouping or a union of two; COALESCE around a sum of
        counts."""
        size = 1 + self.pick(2)
        parts = [self._groups(depth, size) for _ in range(1 + self.pick(2))]
        inner: Rel = parts[0] if len(parts) == 1 else SetOp("union_all", tuple(parts))
        if len(parts) == 1 and self.chance(4):
            inner = Aggregate(parts[0].input, parts[0].keys, ())
        keys = tuple(map(Col, range(self.pick(size + 1))))
        first = self.choose(("min", "max", "sum", "count"))
        aggs = [Agg(first, (Col(0),), ("this",), first != "sum" and self.chance(2))]
        if width(inner) > size:
            aggs += [Agg("sum", (Col(size),), ("this",)), Agg("max", (Col(size + 1),), ("this",))]
        made = Aggregate(inner, keys, tuple(aggs))
        kinds = ("int",) * (len(keys) + len(aggs))
        if len(aggs) > 1:
            zero = Call("coalesce", (Col(len(keys) + 1), number(0)), ("this", "expressions*1"))
            if self.chance(3):
                counted = Call("coalesce", (Col(size), number(0)), ("this", "expressions*1"))
                return Project(parts[0], (counted,)), ("int",)
            return Project(made, (*map(Col, range(len(keys))), zero)), kinds[: len(keys) + 1]
        return made, kinds

    def _groups(self, depth: int, size: int) -> Aggregate:
        """Grouped integers with a count and a maximum; no aggregate reads an outer row."""
        inner, kinds = self.rel(depth - 1)
        scope = Scope(kinds)
        keys = tuple(self.column("int", scope) for _ in range(size))
        counted = Agg("count", (self.column("int", scope),), ("this",))
        count = counted if self.chance(3) else Agg("count", (), ("this:*",))
        return Aggregate(inner, keys, (count, Agg("max", (self.column("int", scope),), ("this",))))

    def _tested(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        """A join over a column that is tested for NULL below it, and unequal to several things."""
        (left, own), (right, others) = self.scan(), self.scan()
        test = Call("is", (Col(0), Lit("null", "")), (*BINARY, "negate=True"))
        unequal = [Call("neq", (Col(0), self.literal(others[0])), BINARY) for _ in range(2)]
        right = Filter(right, (test,) if self.pick(2) else tuple(unequal))
        same = [i for i, kind in enumerate(own) if kind == others[0]]
        partner = Col(same[0]) if same else self.literal(others[0])
        on = (Call(self.choose(("eq", "lt")), (partner, Col(len(own))), BINARY),)
        kind: JoinKind = "left" if self.chance(2) else "inner"
        return Join(kind, (left, right), on), own + others

    def _unmatched(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        """Rows of a left join that have no partner, asked for by a column of it."""
        (left, own), (right, others) = self.rel(depth - 1, outer), self.scan()
        same = [i for i, kind in enumerate(own) if kind == others[0]]
        partner = Col(same[0]) if same else self.literal(others[0])
        on = (Call("eq", (partner, Col(len(own))), BINARY),)
        tests: list[Expr] = [Call("is", (Col(len(own)), Lit("null", "")), BINARY)]
        if self.chance(2):
            tests.append(self.test(Scope(own, outer), 1, plain=True))
        kept = tuple(map(Col, range(len(own))))
        return Project(Filter(Join("left", (left, right), on), tuple(tests)), kept), own

    def _window(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        inner, kinds = self._window(depth - 1, outer) if self.chance(4) else self.rel(depth, outer)
        functions = [self.over(Scope(kinds, outer)) for _ in range(1 + self.pick(2))]
        if self.chance(4):
            functions.append(functions[0])
        out = (*kinds, *(k for _, k in functions))
        return Window(inner, tuple(f for f, _ in functions)), out

    def _unnest(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        """Two elements, or none for some rows; not in a subquery, as DuckDB 2.0 reads no row of
        an enclosing query in a lateral join there."""
        inner, kinds = (self._project if self.chance(2) else self.rel)(depth)
        kind, scope = self.choose(TYPES), Scope(kinds)
        both = tuple(self.expr(kind, scope, 1, plain=True) for _ in range(2))
        typed = tuple(Call("cast", (e,), ("this", f"to:{SQL_TYPES[kind]}")) for e in both)
        array: Expr = Call("array", typed, ("expressions*2",))
        if self.chance(2):
            branch = Call("if", (self.test(scope, 1, plain=True), array), ("this", "true"))
            array = Call("case", (branch,), ("ifs*1",))
        ordinal = self.chance(4)
        made = Unnest(inner, array, self.chance(3), ordinal)
        return made, (*kinds, kind, *(("int",) if ordinal else ()))

    def _branches(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[list[Rel], Kinds]:
        kinds = tuple(self.choose(TYPES) for _ in range(1 + self.pick(2)))
        rels: list[Rel] = []
        for _ in range(2 + self.pick(2)):
            inner, own = self.rel(depth - 1, outer)
            rels.append(Project(inner, tuple(self.expr(k, Scope(own, outer), 1) for k in kinds)))
        return rels, kinds

    def _union(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        rels, kinds = self._branches(depth, outer)
        if self.chance(3):
            rels = [SetOp("union_all", tuple(rels)), rels[self.pick(len(rels))]]
        if self.chance(4):
            rels.append(Values((), len(kinds)))
        return SetOp("union_all", tuple(rels)), kinds

    def _setop(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        rels, kinds = self._branches(depth, outer)
        both = tuple(rels[:2])
        match self.pick(4):
            case 0:
                return SetOp("intersect", both), kinds
            case 1:
                return SetOp("intersect_all", both), kinds
            case 2:
                return SetOp("except", both), kinds
            case _:
                return SetOp("except_all", both), kinds

    def _distinct(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        inner, kinds = self.rel(depth, outer)
        return Distinct(inner), kinds

    def _sort(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        inner, kinds = self.rel(depth, outer)
        return Sort(inner, self.keys(Scope(kinds, outer))), kinds

    def _limit(self, depth: int, outer: tuple[Kinds, ...]) -> tuple[Rel, Kinds]:
        """The order is total up to equal rows, so the bag of the first n is determined."""
        inner, kinds = self.rel(depth, outer)
        keys = (*self.keys(Scope(kinds, outer)), *(SortKey(Col(i)) for i in range(len(kinds))))
        offset = number(self.pick(3)) if self.chance(3) else None
        return Sort(inner, keys, number(self.pick(5)), offset), kinds

    # --- expressions -------------------------------------------------------------------------

    def keys(self, scope: Scope) -> tuple[SortKey, ...]:
        made = [
            SortKey(self.expr(self.choose(TYPES), scope, 1), self.chance(2), None)
            for _ in range(self.pick(3))
        ]
        return tuple(made + made[:1] if self.chance(3) else made)

    def condition(self, scope: Scope, plain: bool = False) -> Expr:
        """A join condition: mostly two columns of one type compared."""
        if self.chance(3):
            return self.test(scope, 1, plain)
        kind = self.choose(TYPES)
        left, right = self.column(kind, scope), self.column(kind, scope)
        op = self.choose(("eq", "eq", "eq", "lt", "gte", "neq"))
        return Call(op, (left, right), BINARY)

    def column(self, kind: str, scope: Scope) -> Expr:
        """A column of the type, of an enclosing row now and then, else a literal."""
        own = [Col(i) for i, k in enumerate(scope.own) if k == kind]
        outer = [
            Outer(level, i)
            for level, kinds in enumerate(scope.outer, 1)
            for i, k in enumerate(kinds)
            if k == kind
        ]
        if outer and (not own or self.chance(3)):
            return outer[self.pick(len(outer))]
        return own[self.pick(len(own))] if own else self.literal(kind)

    def literal(self, kind: str) -> Expr:
        if self.chance(8):
            sql = (
                "boolean"
                if kind == "bool"
                else {"int": "int", "text": "text", "date": "date"}[kind]
            )
            return Call("cast", (Lit("null", ""),), ("this", f"to:{sql}"))
        match kind:
            case "int":
                return number(self.pick(4))
            case "text":
                return Lit("string", self.choose(("", "a", "b", "ab")))
            case "bool":
                return Lit("boolean", self.choose(("true", "false")))
            case _:
                day = self.choose(("2020-01-01", "2020-02-29"))
                return Call("cast", (Lit("string", day),), ("this", "to:date"))

    def expr(self, kind: str, scope: Scope, depth: int, plain: bool = False) -> Expr:
        """An expression of the type; ``plain``: without subqueries."""
        if depth <= 0 or self.chance(3):
            return self.column(kind, scope) if self.pick(4) else self.literal(kind)
        if self.chance(12):
            return self.spelled(kind, scope, depth - 1, plain)
        match self.pick(9):
            case 0:
                return self.case(kind, scope, depth - 1, plain)
            case 1:
                return self.coalesce(kind, scope, depth - 1, plain)
            case 2 if not plain:
                return self.scalar(kind, scope, depth - 1)
            case 3:
                return self.cast(kind, scope, depth - 1, plain)
        match kind:
            case "int":
                return self.arithmetic(scope, depth - 1, plain)
            case "bool":
                return self.test(scope, depth - 1, plain)
            case "text":
                parts = [self.expr("text", scope, depth - 1, plain) for _ in range(2)]
                return Call("dpipe", tuple(parts), (*BINARY, "safe=True"))
            case _:
                return self.column(kind, scope)

    def arithmetic(self, scope: Scope, depth: int, plain: bool) -> Expr:
        op = self.choose(("add", "sub", "mul", "intdiv", "neg", "abs"))
        left = self.expr("int", scope, depth, plain)
        if op in ("neg", "abs"):
            return Call(op, (left,), ("this",))
        # small numbers: overflow is an error whose place SQL leaves open
        right = number(self.pick(3)) if op == "mul" else self.expr("int", scope, depth, plain)
        both = (right, left) if self.chance(2) and op != "intdiv" else (left, right)
        return Call(op, both, BINARY)

    def case(self, kind: str, scope: Scope, depth: int, plain: bool) -> Expr:
        if self.chance(5):  # NULLIF and COALESCE in other words
            value, other = self.column(kind, scope), self.expr(kind, scope, depth, plain)
            if self.chance(2):
                return Call("nullif", (value, other), BINARY)
            test = Call("is", (value, Lit("null", "")), BINARY)
            arm = Call("if", (test, other), ("this", "true"))
            return Call("case", (arm, value), ("ifs*1", "default"))
        if self.chance(6):
            return self.ladder(kind, scope)
        if self.chance(3):
            args = (
                self.test(scope, depth, plain),
                self.expr(kind, scope, depth, plain),
                self.expr(kind, scope, depth, plain),
            )
            return Call("if", args, ("this", "true", "false"))
        simple = self.chance(2)
        tested = self.choose(TYPES)
        arms = [
            Call(
                "if",
                (
                    self.literal(tested) if simple else self.test(scope, depth, plain),
                    self.expr(kind, scope, depth, plain),
                ),
                ("this", "true"),
            )
            for _ in range(1 + self.pick(2))
        ]
        head = (self.expr(tested, scope, depth, plain),) if simple else ()
        shape = (*(("this",) if simple else ()), f"ifs*{len(arms)}")
        if self.chance(3):
            return Call("case", (*head, *arms), shape)
        last = Lit("null", "") if self.chance(3) else self.expr(kind, scope, depth, plain)
        return Call("case", (*head, *arms, last), (*shape, "default"))

    def ladder(self, kind: str, scope: Scope) -> Expr:
        """Steps of one number, each with both bounds or one, and a step for NULL."""
        x = self.column("int", scope)
        top, low = Call("lte", (number(2), x), BINARY), Call("lte", (number(1), x), BINARY)
        below = Call("lt", (x, number(2)), BINARY)
        null = Call("is", (x, Lit("null", "")), BINARY)
        tests = [top, Call("and", (low, below)) if self.chance(2) else low]
        tests.insert(self.pick(3), null)
        arms = [Call("if", (test, self.literal(kind)), ("this", "true")) for test in tests]
        return Call("case", (*arms, self.literal(kind)), (f"ifs*{len(arms)}", "default"))

    def coalesce(self, kind: str, scope: Scope, depth: int, plain: bool) -> Expr:
        args = [self.expr(kind, scope, depth, plain) for _ in range(1 + self.pick(3))]
        if self.chance(2):
            inner = (self.column(kind, scope), self.literal(kind))
            args[0] = Call("coalesce", inner, ("this", "expressions*1"))
        rest = (f"expressions*{len(args) - 1}",) if len(args) > 1 else ()
        mark = ("is_nvl=True",) if len(args) == 2 and self.chance(2) else ()
        return Call("coalesce", tuple(args), ("this", *rest, *mark))

    def spelled(self, kind: str, scope: Scope, depth: int, plain: bool) -> Expr:
        """What one dialect has a word of its own for."""
        value = self.expr(kind, scope, depth, plain)
        match self.pick(4):
            case 0:
                args = (self.column(kind, scope), Lit("null", ""), value)
                return Call("coalesce", args, ("this", "expressions*2"))
            case 1:
                return Call("convert", (value,), (f"this:{SQL_TYPES[kind]}", "expression"))
            case 2 if kind == "bool":
                other = self.choose(TYPES)
                both = (self.column(other, scope), self.column(other, scope))
                return Call("equalnull", both, BINARY)
            case _:
                pairs = (number(1), self.literal(kind), number(2), value)
                last = (self.literal(kind),) if self.chance(2) else ()
                args = (self.column("int", scope), *pairs, *last)
                return Call("decodecase", args, (f"expressions*{len(args)}",))

    def cast(self, kind: str, scope: Scope, depth: int, plain: bool) -> Expr:
        sql = {"int": "to:int", "text": "to:text", "bool": "to:boolean", "date": "to:date"}[kind]
        inner = Call("cast", (self.expr(kind, scope, depth, plain),), ("this", sql))
        return Call("cast", (inner,), ("this", sql)) if self.chance(2) else inner

    def scalar(self, kind: str, scope: Scope, depth: int) -> Expr:
        """A subquery with one row: an aggregate without keys."""
        inner, kinds = self.rel(depth, scope.inside())
        below = Scope(kinds)
        agg = Agg(self.choose(("min", "max")), (self.expr(kind, below, 1, True),), ("this",))
        return Subquery("scalar", Aggregate(inner, (), (agg,)))

    def test(self, scope: Scope, depth: int, plain: bool = False) -> Expr:
        """A predicate."""
        kind = self.choose(TYPES)
        match self.pick(16 if depth > 0 else 9):
            case 0 | 1:
                op = self.choose(("eq", "neq", "lt", "lte", "gt", "gte"))
                return Call(
                    op, (self.column(kind, scope), self.expr(kind, scope, depth - 1, plain)), BINARY
                )
            case 2:
                op = self.choose(("eq", "neq", "lt", "gte", "nullsafeeq", "nullsafeneq"))
                return Call(op, (self.literal(kind), self.column(kind, scope)), BINARY)
            case 3:
                shape = (*BINARY, "negate=True") if self.chance(2) else BINARY
                return Call(
                    "is", (self.expr(kind, scope, depth - 1, plain), Lit("null", "")), shape
                )
            case 4:
                values = [self.literal(kind) for _ in range(1 + self.pick(3))]
                args = (self.column(kind, scope), *values)
                return Call("in", args, ("this", f"expressions*{len(values)}"))
            case 5:
                column = self.expr("text", scope, depth - 1, plain)
                shape = (*BINARY, "negate=True") if self.chance(2) else BINARY
                return Call("like", (column, Lit("string", self.choose(("a%", "%b", "_")))), shape)
            case 6:
                args = (self.column(kind, scope), self.literal(kind), self.column(kind, scope))
                return Call("between", args, ("this", "low", "high"))
            case 7 if self.chance(4):
                shape = (*BINARY, "unit:var DAY")
                op = self.choose(("datetimeadd", "datetimesub"))
                later = Call(op, (self.column("date", scope), number(self.pick(3))), shape)
                return Call("lt", (self.column("date", scope), later), BINARY)
            case 7:
                return self.column("bool", scope)
            case 8:
                both = (number(self.pick(3)), number(self.pick(3)))
                return Call(self.choose(("eq", "lt", "gte", "neq")), both, BINARY)
            case 9 | 10:
                many = tuple(self.test(scope, depth - 1, plain) for _ in range(2 + self.pick(2)))
                if self.chance(4):  # what all of them share
                    shared = self.test(scope, 0, plain)
                    return Call("or", tuple(Call("and", (shared, each)) for each in many))
                return Call(self.choose(("and", "or")), many)
            case 11:
                tested = self.column(kind, scope)
                op, word = ("eq", "or") if self.pick(2) else ("neq", "and")
                some = [Call(op, (tested, self.literal(kind)), BINARY) for _ in range(2)]
                return Call(word, (*some, self.test(scope, depth - 1, plain)))
            case 12:
                inner = self.test(scope, depth - 1, plain)
                return Call(
                    "not",
                    (Call("not", (inner,), ("this",)) if self.chance(4) else inner,),
                    ("this",),
                )
            case 13:
                sides = (
                    self.test(scope, depth - 1, plain),
                    Lit("boolean", self.choose(("true", "false"))),
                )
                return Call(self.choose(("eq", "neq")), sides, BINARY)
            case _ if plain:
                return self.column("bool", scope)
            case 14:
                return self.exists(scope, depth)
            case _:
                return self.membership(kind, scope, depth)

    def exists(self, scope: Scope, depth: int) -> Expr:
        inner, kinds = self.rel(depth, scope.inside())
        below = Scope(kinds, scope.inside())
        rel: Rel = Filter(inner, (self.condition(below, plain=True),))
        match self.pick(5):
            case 0:
                rel = Project(rel, (number(1),))
            case 1 if kinds:
                rel = Distinct(rel)
            case 2:
                rel = Sort(rel, (), number(self.pick(3)))
        found = Subquery("exists", rel)
        return Call("not", (found,), ("this",)) if self.chance(3) else found

    def membership(self, kind: str, scope: Scope, depth: int) -> Expr:
        inner, kinds = self.rel(depth, scope.inside())
        below = Scope(kinds, scope.inside())
        rel: Rel = Filter(inner, (self.condition(below, plain=True),)) if self.chance(2) else inner
        rel = Project(rel, (self.expr(kind, below, 1, True),))
        if self.chance(4):
            rel = Sort(rel, (SortKey(Col(0)),))
        found = Subquery("in", rel, (self.column(kind, scope),))
        return Call("not", (found,), ("this",)) if self.chance(3) else found

    def agg(self, scope: Scope) -> tuple[Agg, str]:
        where = self.test(scope, 1, True) if self.chance(4) else None
        if where is not None and self.chance(6):
            where = Lit("boolean", "true")
        distinct = self.chance(3)
        if self.chance(12):
            arm = Call("if", (self.test(scope, 1, True), Lit("string", "yes")), ("this", "true"))
            return Agg("count", (Call("case", (arm,), ("ifs*1",)),), ("this",), where=where), "int"
        match self.pick(5):
            case 0:
                return Agg("count", (), ("this:*",), where=where), "int"
            case 1:
                return Agg("count", (self.literal("int"),), ("this",), where=where), "int"
            case 2:
                kind = self.choose(TYPES)
                arg = self.expr(kind, scope, 1, True)
                return Agg("count", (arg,), ("this",), distinct, where), "int"
            case 3:
                kind = self.choose(TYPES)
                op = self.choose(("min", "max"))
                arg = self.expr(kind, scope, 1, True)
                if kind == "bool" and not distinct and self.chance(2):
                    op = "logicalor" if op == "max" else "logicaland"
                    arg = Call("cast", (arg,), ("this", "to:boolean"))
                return Agg(op, (arg,), ("this",), distinct, where), kind
            case _:
                return Agg(
                    "sum", (self.expr("int", scope, 1, True),), ("this",), distinct, where
                ), "int"

    def over(self, scope: Scope) -> tuple[Over, str]:
        partition = tuple(self.column(self.choose(TYPES), scope) for _ in range(self.pick(3)))
        if partition and self.chance(4):
            partition = (*partition, partition[0])
        keys = tuple(
            SortKey(self.column(self.choose(TYPES), scope), self.chance(2))
            for _ in range(self.pick(3))
        )
        if keys and self.chance(3):
            keys = (*keys, keys[0])
        if self.chance(8) and scope.own:  # the order is total up to equal rows
            at = self.pick(len(scope.own))
            every = tuple(SortKey(Col(i)) for i in range(len(scope.own)))
            lag = Agg(self.choose(("lag", "lead")), (Col(at), number(1)), ("this", "offset"))
            return Over(lag, partition, every), scope.own[at]
        if self.chance(2) and keys:
            return Over(Agg("rank", (), ()), partition, keys), "int"
        call, kind = self.agg(scope)
        if call.distinct or call.where is not None:
            call = Agg(call.op, call.args, call.shape)
        return Over(call, partition, keys), kind


def number(value: int) -> Lit:
    """An integer literal."""
    return Lit("number", str(value))
