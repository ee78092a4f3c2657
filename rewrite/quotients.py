"""Quotients whose type their operands decide, from one dialect to another.

7 / 2 is 3 and 7.0 / 2 is 3.5 in PostgreSQL, SQL Server and others; 7 // 2 and 7.0 // 2 are that in
DuckDB (`divisions`). What is an integer the two may not agree on: SUM(x) / 2 is a fraction in
PostgreSQL where x is BIGINT, and in DuckDB it is none (`number_types`). With the types that are
known:

    of integers in both                  ->  a // b
    a fraction in the old dialect        ->  a / b
    an integer there, a fraction here    ->  no proof
    not known in one of the two          ->  a // b, and that they agree is assumed

In DuckDB's own plans a // b of fractions is a / b, so that it does not matter which is written.

ROUND and AVG need the types, too: of floats PostgreSQL rounds a half to the even integer, DuckDB
away from zero; AVG of integers is an integer in T-SQL and Redshift.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from unwet.lineage.parse import SIGNED
from unwet.rewrite.algebra import (
    Agg,
    Call,
    Col,
    Expr,
    Lit,
    Over,
    Plan,
    Rel,
    expressions,
    inputs,
    parts,
    walk,
)
from unwet.rewrite.algebra import Subquery as Query
from unwet.rewrite.divisions import as_typed, is_typed
from unwet.rewrite.known_apart import APART
from unwet.rewrite.number_types import FRACTIONS, WHOLE, Number, Numbers, joined
from unwet.rewrite.plan_types import Declared
from unwet.rewrite.rules.refs import rebuild, with_expressions, with_inputs
from unwet.rewrite.scalars import Unsupported, encode, is_decimal

_TYPED = "typed=True"
_INTEGERS = "integers=True"  # an average that may be one
_PLAIN = ("this", "expression")
# A quotient of decimals has the digits of its operands: 1.0 / 3 is 0.3 ("Decimal functions and
# operators" in Trino's manual, "Decimal arithmetic" in Teradata's)
_FEW_DIGITS = frozenset({"trino", "presto", "athena", "dune", "teradata"})
# How many digits a quotient or an average of decimals has behind the point: 16 and more, as a
# float; six or a few more by its operands, in as many ways as there are other engines ("Arithmetic
# operators" in Snowflake's manual, "Precision, scale, and Length" in Transact-SQL's, "Decimal type
# rules" in Databricks', div_precision_increment in MySQL's)
_DIGITS = {
    **dict.fromkeys(
        ("postgres", "materialize", "risingwave", "duckdb", "oracle", "sqlite"), "many"
    ),
    **dict.fromkeys(_FEW_DIGITS, "few"),
    **dict.fromkeys(("spark", "spark2", "databricks", "hive"), "spark"),
    **dict.fromkeys(("tsql", "fabric"), "tsql"),
}
# Where n / k and AVG(n) of integers are decimals of few digits, and no floats
_AS_DECIMALS = frozenset({"snowflake", "mysql"})

_TOUCHED = frozenset({"div", "intdiv", "round", "lag", "lead", "avg"})
_WHOLE_AVERAGES = frozenset({"tsql", "fabric", "redshift"})  # AVG of integers is an integer there
# "round to nearest even" for double precision (its manual, 9.3)
_TO_EVEN = frozenset({"postgres", "materialize", "risingwave"})

C = TypeVar("C", Call, Agg)
Visit = Callable[[Expr, Rel], Expr]  # an expression of a node, built anew


def as_quotients_of(
    plan: Plan, source: str, target: str, declared: Declared
) -> tuple[Plan, frozenset[str]]:
    """A legacy plan with its quotients as the project's dialect has to say them, and what that
    takes for granted."""
    if not any(isinstance(p, Call | Agg) and p.op in _TOUCHED for p in _parts(plan)):
        return plan, frozenset()
    step = _Step(source, target, declared)
    return _mapped(plan, step.visit), frozenset(step.needed)


def without_idle_cuts(plan: Plan, declared: Declared) -> Plan:
    """DuckDB's a // b as a / b where one side is surely a fraction."""
    if not any(isinstance(p, Call) and p.op == "intdiv" for p in _parts(plan)):
        return plan
    numbers = Numbers(declared, "duckdb")

    def visit(expr: Expr, rel: Rel) -> Expr:
        seen = numbers.seen(rel)

        def one(part: Expr) -> Expr:
            if not isinstance(part, Call) or part.op != "intdiv":
                return part
            if numbers.quotient(part, seen) not in FRACTIONS:
                return part
            shape = (
                (*_PLAIN, _TYPED) if is_decimal(part.args[-1]) else _PLAIN
            )  # as `scalars` has it
            return Call("div", part.args, shape)

        return rebuild(expr, one)

    return _mapped(plan, visit)


class _Step:
    """One plan's quotients, from the leaves up."""

    def __init__(self, source: str, target: str, declared: Declared) -> None:
        self._source, self._target = source, target
        self._there, self._here = Numbers(declared, source), Numbers(declared, target)
        self.needed: set[str] = set()

    def visit(self, expr: Expr, rel: Rel) -> Expr:
        """An expression of a node, with its quotients as they have to be."""
        there, here = self._there.seen(rel), self._here.seen(rel)

        def one(part: Expr) -> Expr:
            match part:
                case Call(op="div" | "intdiv", shape=shape) if APART not in shape:
                    return self._quotient(part, there, here)
                case Call(op="round", args=(_,)):
                    return self._rounded(part, there)
                case Over(call=Agg(op="lag" | "lead") as call):
                    return replace(part, call=self._shifted(call, there, here))
                case Agg(op="avg", args=(of,)):
                    return self._average(part, self._there.of(of, there))
                case _:
                    return part

        return rebuild(expr, one)

    def _average(self, part: Agg, of: Number | None) -> Agg:
        """No proof where integers may be averaged, and only one of the two has integers then, or
        where the average of decimals is cut off at their last digit in only one."""
        same = (self._source in _WHOLE_AVERAGES) == (self._target in _WHOLE_AVERAGES)
        if not same and of not in FRACTIONS:
            return replace(part, shape=(*part.shape, _INTEGERS))
        few = (self._source in _FEW_DIGITS) != (self._target in _FEW_DIGITS)
        if few and of in ("decimal", "fraction"):
            return _apart(part)
        if self._is_split(part, {of}):
            self._need_digits()
        return part

    def _is_split(self, part: Call | Agg, of: set[Number | None]) -> bool:
        """Whether a quotient or an average of such numbers may be a decimal in one of the two."""
        if of == {"float"}:
            return False
        if _TYPED in part.shape and of <= WHOLE:
            return False  # an integer
        both = (self._source in _AS_DECIMALS) != (self._target in _AS_DECIMALS)
        return both or not of <= WHOLE

    def _need_digits(self) -> None:
        source, target = (_DIGITS.get(each, each) for each in (self._source, self._target))
        if source != target:
            self.needed.add(
                f"quotients and averages of decimals have digits enough ({self._source} and "
                f"{self._target} give them more or fewer behind the point)"
            )

    def _quotient(
        self, part: Call, there: Sequence[Number | None], here: Sequence[Number | None]
    ) -> Call:
        old, new = self._there.quotient(part, there), self._here.quotient(part, here)
        few = (self._source in _FEW_DIGITS) != (self._target in _FEW_DIGITS)
        if few and part.op == "div" and old in ("decimal", "fraction"):
            return _apart(part)
        if part.op == "div" and self._is_split(part, {old, new}):
            self._need_digits()
        if part.op == "intdiv":
            return self._cut_off(part, old, new)
        if _TYPED not in part.shape or is_decimal(part.args[-1]):
            return part
        return self._typed(part, old, new)

    def _shifted(self, call: C, there: Sequence[Number | None], here: Sequence[Number | None]) -> C:
        """DuckDB casts what stands for a row that is not there to the type of the column."""
        odd = self._there.of(call, there) in FRACTIONS and self._here.of(call, here) in WHOLE
        return _apart(call) if odd else call

    def _rounded(self, part: Call, there: Sequence[Number | None]) -> Call:
        of = self._there.of(part.args[0], there)
        same = (self._source in _TO_EVEN) == (self._target in _TO_EVEN)
        if same or of == "decimal" or of in WHOLE:
            return part
        if of == "float":
            return _apart(part)
        self.needed.add("no float that is rounded lies halfway between two integers")
        return part

    def _cut_off(self, part: Call, old: Number | None, new: Number | None) -> Call:
        """DIV and its like cut off fractions, too; DuckDB's // integers only."""
        if self._target != "duckdb" or (old in WHOLE and new in WHOLE):
            return part
        if old in FRACTIONS or new in FRACTIONS:
            return _apart(part)
        self.needed.add(f"what {self._source} divides without a remainder are integers")
        return part

    def _typed(self, part: Call, old: Number | None, new: Number | None) -> Call:
        if old in FRACTIONS:
            if not _is_typed_in(self._target) or self._target == "duckdb":
                return replace(part, shape=tuple(s for s in part.shape if s != _TYPED))
            if new in WHOLE:
                return _apart(part)
        elif old in WHOLE and new in FRACTIONS:
            return _apart(part)
        if "doubt" in (old, new) or (old in WHOLE) != (new in WHOLE) or new in FRACTIONS:
            self.needed.add(
                f"where {self._source} divides integers {self._target} has integers, too "
                "(sums of BIGINT are none in PostgreSQL)"
            )
        if self._target == "duckdb" and part.shape == (*_PLAIN, _TYPED):
            return Call("div" if new in FRACTIONS else "intdiv", part.args, _PLAIN)
        return part


def _is_typed_in(dialect: str) -> bool:
    return bool(Dialect.get_or_raise(dialect or None).TYPED_DIVISION)


def _apart(part: C) -> C:
    return replace(part, shape=(*part.shape, APART))


def _parts(plan: Plan) -> Sequence[Expr]:
    return [p for node in walk(plan.rel) for e in expressions(node) for p in parts(e)]


def with_visited(plan: Plan, visit: Visit, ops: Collection[str]) -> Plan:
    """The plan as `visit` has it, if it calls one of these."""
    called = any(isinstance(p, Call | Agg) and p.op in ops for p in _parts(plan))
    return _mapped(plan, visit) if called else plan


def _mapped(plan: Plan, visit: Visit) -> Plan:
    """The plan with every expression of every node, also those of subqueries, as `visit` has it."""
    done: dict[bytes, Rel] = {}

    def inside(part: Expr) -> Expr:
        return replace(part, rel=done[part.rel.digest]) if isinstance(part, Query) else part

    for node in walk(plan.rel):  # inputs and subqueries first
        made = with_inputs(node, tuple(done[each.digest] for each in inputs(node)))
        new = [visit(rebuild(each, inside), made) for each in expressions(made)]
        done[node.digest] = with_expressions(made, new) if new else made
    return replace(plan, rel=done[plan.rel.digest])


# --- as text ------------------------------------------------------------------------------------


def write_quotients(
    tree: exp.Query, source: str, target: str, types: Mapping[str, Iterable[str]]
) -> None:
    """In place: // in a query that is going to be DuckDB's where its quotients may be of integers.
    `types`: those of the columns that it reads, by their names."""
    if target != "duckdb" or source == target or tree.find(exp.Div) is None:
        return
    named = _Named(source, types)
    named.learn(tree)
    as_typed(tree, target, named.is_fraction)


def as_surely(tree: exp.Expr, types: Mapping[str, Iterable[str]]) -> None:
    """In place, in a tree of any dialect: quotients that are surely fractions are so by themselves,
    as DuckDB's sums of big integers are integers. `types` as above."""
    signed = {str(d): None for node in tree.find_all(exp.Div) if (d := node.meta.get(SIGNED))}
    if not signed:
        return
    names = {each.name.lower() for each in tree.find_all(exp.Column)}
    read = {name: types[name] for name in names if name in types}
    for dialect in signed:
        named = _Named(dialect, read)
        named.learn(tree)
        for node in tree.find_all(exp.Div):
            if is_typed(node) and node.meta.get(SIGNED) == dialect and named.is_fraction(node):
                node.set("typed", False)


class _Named:
    """The types of numbers by the names of columns: where several of one name differ, none. This
    decides what is written only; whether it means the same, the proof tells from the plans."""

    def __init__(self, source: str, types: Mapping[str, Iterable[str]]) -> None:
        self._numbers, self._dialect = Numbers(lambda *_: "", source), source
        self._known = {
            name.lower(): _alike(map(self._numbers.of_type, said)) for name, said in types.items()
        }

    def learn(self, tree: exp.Expr) -> None:
        """From the inner queries outwards, what their columns are."""
        found: dict[str, list[Number | None]] = {}
        for each in reversed(list(tree.find_all(exp.Alias))):
            found.setdefault(each.alias.lower(), []).append(self._number(each.this))
            self._known[each.alias.lower()] = _alike(found[each.alias.lower()])

    def is_fraction(self, node: exp.Div) -> bool:
        """Whether a quotient is surely a fraction."""
        return joined(map(self._number, (node.this, node.expression))) in FRACTIONS

    def _number(self, node: exp.Expr) -> Number | None:
        seen: list[Number | None] = []

        def leaf(part: exp.Expr) -> Expr | None:
            if isinstance(part, exp.Query | exp.Subquery):
                return Lit("query", "")
            if not isinstance(part, exp.Column):
                return None
            seen.append(self._known.get(part.name.lower()))
            return Col(len(seen) - 1)

        try:
            return self._numbers.of(encode(node, leaf, self._dialect), seen)
        except Unsupported:
            return None


def _alike(numbers: Iterable[Number | None]) -> Number | None:
    """The type that all are; a fraction where all are some."""
    found = {*numbers}
    if len(found) == 1:
        return found.pop()
    return "fraction" if found and found <= FRACTIONS else None
