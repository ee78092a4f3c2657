"""The laws for rules that rest on what is declared: over data that keeps it, they keep the rows.

Random plans as for the other laws, with joins to parents, NOT IN and tests for NULL drawn more
often, over the same four tables, whose rows keep the keys, foreign keys and NOT NULLs below.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace

import duckdb
import pytest

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Join,
    JoinKind,
    Lit,
    Over,
    Project,
    Rel,
    Scan,
    Sort,
    SortKey,
    Subquery,
    Values,
    Window,
    width,
)
from unwet.rewrite.normal import STEP_LIMIT, ruled
from unwet.rewrite.plan_sql import to_sql
from unwet.rewrite.rules import promised_rollup
from unwet.rewrite.rules.nulls import NOT_NULL_SHAPE
from unwet.rewrite.rules.promised import PROMISED_RULES, Promised
from unwet.rewrite.rules.promises import Foreign, Promise, Promises
from unwet.rewrite.rules.shapes import NULL
from unwet.tests.laws.plans import BINARY, TABLES, Kinds, Plans, Scope, number

RULES = [r for r in PROMISED_RULES if r.__module__ != promised_rollup.__name__]
"""Those of roll-up, which need types of columns, are in test_rolled_up.py."""
DEEPER = int(os.environ.get("UNWET_LAW_EXAMPLES", "1"))
PLANS = 900 * DEEPER
DATABASES = 10

PROMISES = Promises(
    {
        "t": Promise(frozenset({"a"}), (), (Foreign(("b",), "u", ("a",)),),
                     {"a": "integer", "b": "integer", "c": "text"}),
        "u": Promise(frozenset({"a"}), (frozenset({"a"}),), (),
                     {"a": "integer", "b": "integer"}),
        "v": Promise(frozenset({"k"}), (frozenset({"c"}),), (Foreign(("k",), "u", ("a",)),),
                     {"k": "integer", "c": "text"}),
        "w": Promise(frozenset(), (frozenset({"a", "d"}),), (Foreign(("a",), "u", ("a",)),),
                     {"a": "integer", "d": "boolean"}),
    }
)  # fmt: skip
SPEAKING = [frozenset({"bigquery"}), frozenset({"postgres"})]
"""What some of the rules want to know; what they do holds in DuckDB, too, but for types."""
DDL = """
CREATE TABLE u (a INTEGER PRIMARY KEY, b INTEGER, e DATE);
CREATE TABLE t (a INTEGER NOT NULL, b INTEGER REFERENCES u (a), c VARCHAR, d BOOLEAN);
CREATE TABLE v (k INTEGER NOT NULL REFERENCES u (a), c VARCHAR UNIQUE);
CREATE TABLE w (a INTEGER REFERENCES u (a), d BOOLEAN, UNIQUE (a, d));
"""


def fill(connection: duckdb.DuckDBPyConnection, rng: random.Random) -> None:
    """Rows that the constraints of DuckDB itself let in; what they refuse is left out."""
    values = {
        "int": ["NULL", "0", "1", "2", "3"],
        "text": ["NULL", "''", "'a'", "'b'"],
        "bool": ["NULL", "true", "false"],
        "date": ["NULL", "DATE '2020-01-01'"],
    }
    for table in ("u", "t", "v", "w"):
        for _ in range(rng.randrange(9)):
            row = ", ".join(rng.choice(values[kind]) for _, kind in TABLES[table])
            try:
                connection.execute(f"INSERT INTO {table} VALUES ({row})")
            except duckdb.ConstraintException:
                continue  # this row is not one that the promises allow


CASES = ("parent", "parent", "key", "nested", "not_in", "nulls", "safe", "values", "words", "words",
         "order")  # fmt: skip
_OF: dict[str, Kinds] = {"u": ("int", "int"), "w": ("int", "bool")}


class Drawn(Plans):
    """Plans in which the promises matter."""

    def rel(self, depth: int, outer: tuple[Kinds, ...] = ()) -> tuple[Rel, Kinds]:
        if depth > 0 and self.chance(2):
            make = self.choose(CASES)
            made: tuple[Rel, Kinds] = getattr(self, f"_{make}_case")(depth - 1)
            return made
        return super().rel(depth, outer)

    def _child(self) -> tuple[Rel, Kinds, list[int]]:
        """A child table, perhaps filtered or joined, and its columns that refer to a parent."""
        table, at = (("t", 1), ("v", 0), ("w", 0))[self.pick(3)]
        columns = TABLES[table]
        rel: Rel = Scan(table, tuple(n for n, _ in columns))
        kinds = tuple(k for _, k in columns)
        if self.chance(3):
            rel = Filter(rel, (self.test(Scope(kinds), 1, plain=True),))
        if self.chance(4):
            rel = Join("left", (self.scan()[0], rel), (self.literal("bool"),))
            more = width(rel) - len(kinds)
            own = self._kinds_of(rel.inputs[0])
            return rel, (*own, *kinds), [at + more]
        return rel, kinds, [at]

    def _kinds_of(self, rel: Rel) -> Kinds:
        assert isinstance(rel, Scan)
        return tuple(dict(TABLES[rel.table])[c] for c in rel.columns)

    def _parent_case(self, depth: int) -> tuple[Rel, Kinds]:
        child, kinds, at = self._child()
        parent = Scan("u", ("a", "b") if self.chance(2) else ("a",))
        kind: JoinKind = ("inner", "left", "left", "semi", "anti")[self.pick(5)]
        on: list[Expr] = [Call("eq", (Col(at[0]), Col(len(kinds))), BINARY)]
        if self.chance(4):
            on.append(self.test(Scope(kinds), 1, plain=True))
        made: Rel = Join(kind, (child, parent), tuple(on))
        if self.chance(3):
            return made, kinds if kind in ("semi", "anti") else (
                *kinds, *("int",) * width(parent))  # fmt: skip
        return self._read(made, kinds)

    def _read(self, rel: Rel, kinds: Kinds) -> tuple[Rel, Kinds]:
        """A reader of the first columns only, of one kind or another."""
        kept = [self.pick(len(kinds)) for _ in range(1 + self.pick(2))]
        out = tuple(kinds[i] for i in kept)
        match self.pick(3):
            case 0:
                return Project(rel, tuple(map(Col, kept))), out
            case 1:
                return Aggregate(rel, tuple(map(Col, kept)), ()), out
            case _:
                counted = Agg("count", (Col(kept[0]),), ("this",))
                return Aggregate(rel, tuple(map(Col, kept)), (counted,)), (*out, "int")

    def _key_case(self, depth: int) -> tuple[Rel, Kinds]:
        """A join, or a left join, to something with a key."""
        left, kinds = self.scan()
        keyed: list[tuple[Rel, Kinds]] = [
            (Scan("u", ("a", "b")), ("int", "int")),
            (Scan("v", ("c", "k")), ("text", "int")),
            (Scan("w", ("a", "d")), ("int", "bool")),
        ]
        right, own = keyed[self.pick(3)]
        if self.chance(3):
            inner, more = self.scan()
            at = self.pick(len(more))
            right, own = Aggregate(inner, (Col(at),), ()), (more[at],)
        same = [i for i, k in enumerate(kinds) if k == own[0]]
        partner: Expr = Col(same[self.pick(len(same))]) if same else self.literal(own[0])
        on: list[Expr] = [Call("eq", (partner, Col(len(kinds))), BINARY)]
        if self.chance(2):
            on.append(self.test(Scope((*kinds, *own)), 1, plain=True))
        if len(own) > 1 and self.chance(2):
            on.append(Call("eq", (Col(len(kinds) + 1), self.literal(own[1])), BINARY))
        kind: JoinKind = "left" if self.chance(2) else "inner"
        return self._read(Join(kind, (left, right), tuple(on)), kinds)

    def _nested_case(self, depth: int) -> tuple[Rel, Kinds]:
        """A join to a parent, or to something with a key, below another join."""
        child, kinds, at = self._child()
        keyed, own = (Scan("u", ("a", "b")), 2) if self.chance(2) else (Scan("w", ("a", "d")), 2)
        on: list[Expr] = [Call("eq", (Col(at[0]), Col(len(kinds))), BINARY)]
        if self.chance(4):
            on.append(self.test(Scope(kinds), 1, plain=True))
        below: Rel = Join("left" if self.chance(2) else "inner", (child, keyed), tuple(on))
        beside, more = self.scan()
        partner = Col(self.pick(len(kinds) + own * (not self.pick(4))))
        test: Expr = Call(self.choose(("eq", "lte")), (partner, Col(len(kinds) + own)), BINARY)
        both = (*kinds, *_OF[keyed.table], *more)
        if both[partner.index] != more[0]:
            test = self.literal("bool")
        above = Join("left" if self.chance(2) else "inner", (below, beside), (test,))
        return self._read(above, kinds)

    def _not_in_case(self, depth: int) -> tuple[Rel, Kinds]:
        left, kinds = self.rel(depth)
        inner, own = self.rel(depth)
        ints = [i for i, k in enumerate(own) if k == "int"]
        column: Expr = Col(ints[self.pick(len(ints))]) if ints else number(1)
        if ints and self.chance(2):
            inner = Filter(inner, (Call("is", (column, NULL), NOT_NULL_SHAPE),))
        x = self.column("int", Scope(kinds))
        if self.chance(2):
            left = Filter(left, (Call("gte", (x, number(0)), BINARY),))
        test = Subquery("in", Project(inner, (column,)), (x,))
        return Filter(left, (Call("not", (test,), ("this",)),)), kinds

    def _nulls_case(self, depth: int) -> tuple[Rel, Kinds]:
        """Tests for NULL above a left join, of either side, read by who needs the left only."""
        left, kinds = self.scan()
        right, own = self.scan()
        same = [i for i, k in enumerate(kinds) if k == own[0]]
        partner: Expr = Col(same[0]) if same else self.literal(own[0])
        on = (Call(self.choose(("eq", "lt")), (partner, Col(len(kinds))), BINARY),)
        tested = Col(self.pick(len(kinds) + len(own)))
        shape = BINARY if self.pick(3) else NOT_NULL_SHAPE
        rel = Filter(Join("left", (left, right), on), (Call("is", (tested, NULL), shape),))
        return self._read(rel, kinds)

    def _order_case(self, depth: int) -> tuple[Rel, Kinds]:
        """NULLs at one end or the other, of rows below a limit, of a window and of a list."""
        inner, kinds = self.scan()
        if self.chance(3):
            beside, more = self.scan()
            inner = Join("left", (inner, beside), (self.literal("bool"),))
            kinds = (*kinds, *more)
        nulls = (True, False, None)
        keys = tuple(
            SortKey(Col(self.pick(len(kinds))), self.chance(2), nulls[self.pick(3)])
            for _ in range(1 + self.pick(2))
        )
        every = tuple(SortKey(Col(i)) for i in range(len(kinds)))  # no two rows are apart and equal
        match self.pick(3):
            case 0:
                return Sort(inner, (*keys, *every), number(self.pick(4))), kinds
            case 1:
                over = Over(Agg("rank", (), ()), (Col(0),) * self.pick(2), keys)
                return Window(inner, (over,)), (*kinds, "int")
            case _:
                text = Call("cast", (Col(self.pick(len(kinds))),), ("this", "to:text"))
                args, shape = (text, Lit("string", ",")), ("this", "separator")
                listed = Agg("groupconcat", args, shape, order=(*keys, *every))
                return Aggregate(inner, (), (listed,)), ("text",)

    def _safe_case(self, depth: int) -> tuple[Rel, Kinds]:
        left, kinds = self.scan()
        right, own = self.scan()
        both = (*kinds, *own)
        a, b = self.pick(len(kinds)), len(kinds) + self.pick(len(own))
        if both[a] != both[b]:
            b = a
        nulls = tuple(Call("is", (Col(i), NULL), BINARY) for i in (a, b))
        test = Call("or", (Call("eq", (Col(a), Col(b)), BINARY), Call("and", nulls)))
        kind: JoinKind = "left" if self.chance(2) else "inner"
        return Join(kind, (left, right), (test,)), both

    def _values_case(self, depth: int) -> tuple[Rel, Kinds]:
        left, kinds = self.rel(depth)
        x = self.column("int", Scope(kinds))
        rows = tuple((number(self.pick(4)),) for _ in range(self.pick(4)))
        if self.chance(4):
            rows = (*rows, (NULL,))
        test: Expr = Subquery("in", Values(rows, 1), (x,))
        return Filter(left, (test,)), kinds

    def _words_case(self, depth: int) -> tuple[Rel, Kinds]:
        inner, kinds = self.rel(depth)
        scope = Scope(kinds)
        test = self.test(scope, 1, plain=True)
        kind = self.choose(("int", "text"))
        x = self.column(kind, scope)
        arm = Call("if", (test, number(1)), ("this", "true"))
        # DuckDB's COUNT_IF is NULL over nothing and over NULLs, elsewhere it is 0
        no = Lit("boolean", "false")
        sure = Call("coalesce", (test, no), ("this", "expressions*1"))
        tested = Call("if", (Call("is", (x, NULL), BINARY), number(0)), ("this", "true"))
        told = Call("if", (Call("is", (x, NULL), NOT_NULL_SHAPE), number(1)), ("this", "true"))
        aggs = (
            Agg("countif", (sure,), ("this",)),
            Agg("sum", (Call("case", (arm, number(0)), ("ifs*1", "default")),), ("this",)),
            Agg("sum", (Call("case", (tested, number(1)), ("ifs*1", "default")),), ("this",)),
            Agg("count", (Call("case", (told,), ("ifs*1",)),), ("this",)),
        )
        if self.chance(2):
            keys = (x,) if self.pick(4) else ()
            known = aggs if keys else aggs[1:]
            some = (known[self.pick(len(known))], known[self.pick(len(known))])
            return Aggregate(inner, keys, some), (*((kind,) if keys else ()), "int", "int")
        day = Call("cast", (Lit("string", self.choose(("2020-02-29", "2020-01-01"))),),
                   ("this", "to:date"))  # fmt: skip
        unit = self.choose(("DAY", "WEEK", "MONTH", "YEAR"))
        moved = Call(self.choose(("dateadd", "datesub")), (day, number(self.pick(3))),
                     ("this", "expression", f"unit:var {unit}"))  # fmt: skip
        told_apart = (Lit("string", "a"), number(1), Lit("string", "b"), number(2))
        last = (number(3),) if self.chance(2) else ()
        args = (Col(2), *told_apart, *last)
        decoded = Call("decodecase", args, (f"expressions*{len(args)}",))
        t = Scan("t", tuple(n for n, _ in TABLES["t"]))
        same = Call("eq", (moved, self.literal("date")), BINARY)
        return Project(t, (decoded, same, Col(2))), ("int", "bool", "text")


def drawn(seed: int) -> Rel:
    rng = random.Random(seed)
    return Drawn(rng.randrange).rel(1 + rng.randrange(3))[0]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect(config={"threads": 1})
    made.execute("SET error_on_division_by_zero = false; PRAGMA disable_optimizer")
    for seed in range(DATABASES):
        made.execute(f"CREATE SCHEMA s{seed}; USE memory.s{seed}; {DDL}")
        fill(made, random.Random(seed))
    return made


def rows(connection: duckdb.DuckDBPyConnection, rel: Rel, seed: int) -> Counter[tuple[object, ...]]:
    connection.execute(f"USE memory.s{seed}")
    found = connection.execute(to_sql(rel)).fetchall()
    return Counter(found if width(rel) else [() for _ in found])


def test_promised_rules_keep_the_bag_of_rows(connection: duckdb.DuckDBPyConnection) -> None:
    fired, run = Counter[str](), Counter[str]()
    start = 0 if DEEPER == 1 else random.SystemRandom().randrange(10**9)
    for seed in range(start, start + PLANS):
        rel = drawn(seed)
        known = replace(PROMISES, dialects=SPEAKING[seed % 2])
        normal, steps = ruled(Promised(known)).run(rel)
        told = {step.rule for step in steps}
        assert STEP_LIMIT not in told
        used = told & {rule.__name__ for rule in RULES}
        fired.update(used)
        if not used:
            continue
        for database in range(seed % DATABASES, DATABASES, 3):
            try:
                old, new = rows(connection, rel, database), rows(connection, normal, database)
            except (duckdb.BinderException, duckdb.NotImplementedException):
                continue  # it limits correlated subqueries
            assert old == new, f"seed {seed}\n{to_sql(rel)}\n{to_sql(normal)}\n{sorted(told)}"
            run.update(used)
    assert {r.__name__: run[r.__name__] >= 5 for r in RULES} == {r.__name__: True for r in RULES}, (
        fired
    )


def test_without_promises_they_do_less() -> None:
    """Nothing that rests on a promise is done without it."""
    for seed in range(300):
        promised = Promised(Promises())
        ruled(promised).run(drawn(seed))
        assert promised.used == set()
