"""What is true of which values: asked of the engine, never guessed here.

Oracle(engine, clock).truths(atom, pools) -> for each choice of values true, false or null
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import prod
from typing import Final

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.rewrite.algebra import Col, Expr, Outer, Rel
from unwet.rewrite.decoding import decode
from unwet.rewrite.prove.adapt import to_duckdb
from unwet.rewrite.prove.engines import Engine, text
from unwet.rewrite.prove.synthetic.database import Cell
from unwet.rewrite.prove.synthetic.symbols import Truth, column_name

MOST: Final = 6000  # choices that are tried for one atom
Pool = tuple[str, tuple[Cell, ...]]
"""A DuckDB type, and values of it."""
Choices = Mapping[tuple[int, ...], Truth]
"""Positions in the pools of an atom's variables, by their numbers -> what the atom is then."""

Adapt = Callable[[exp.Expr], exp.Expr]


class Oracle:
    """Remembers what it was told. `adapt`: what is done to trees before they are printed."""

    def __init__(self, engine: Engine, clock: datetime, adapt: Adapt = lambda tree: tree) -> None:
        self._engine, self._clock, self._adapt = engine, clock, adapt
        self._known: dict[tuple[bytes, tuple[Pool, ...]], Choices] = {}
        self._printed: dict[bytes, str] = {}
        self._constants: dict[bytes, tuple[str, str] | None] = {}

    def printed(self, expr: Expr) -> str:
        """The expression as DuckDB SQL over `column_name` columns; empty when it has no words."""
        known = self._printed.get(expr.digest)
        if known is None:
            try:
                tree = self._adapt(decode(expr, _no_column, _no_query))
                known = to_duckdb(tree, self._clock, lambda _: None)
            except (UnwetError, _NoWords):
                known = ""
            self._printed[expr.digest] = known
        return known

    def constants(self, exprs: Sequence[Expr]) -> list[tuple[str, str] | None]:
        """Type and text of expressions without variables; None where they have no value."""
        new = [e for e in dict.fromkeys(exprs) if e.digest not in self._constants]
        if new and not self._ask_together(new):
            for each in new:
                if not self._ask_together([each]):
                    self._constants[each.digest] = None
        return [self._constants[e.digest] for e in exprs]

    def _ask_together(self, exprs: Sequence[Expr]) -> bool:
        shown = [self.printed(e) for e in exprs]
        items = [f"typeof({s}), CAST(TRY({s}) AS VARCHAR)" for s in shown]
        try:
            (row,) = self._engine.rows(f"SELECT {', '.join(items)}") if all(shown) else (None,)
        except UnwetError:
            return False
        if row is None:
            return False
        for at, each in enumerate(exprs):
            kind, value = row[2 * at : 2 * at + 2]
            self._constants[each.digest] = None if value is None else (str(kind), str(value))
        return True

    def values(self, expr: Expr, pools: Mapping[int, Pool], kind: str) -> list[str]:
        """What an expression is as a value of DuckDB type `kind`, by the order of the choices of
        `pools`, each value once; nothing where the engine cannot say."""
        shown = self.printed(expr)
        if not shown or not self.is_whole(pools):
            return []
        ordered = sorted(pools)
        test = f"TRY_CAST(CAST(TRY({shown}) AS {kind}) AS VARCHAR)"
        order = ", ".join(f"i{n}" for n in ordered)
        try:
            rows = self._engine.rows(f"SELECT {test}{_all(ordered, pools)} ORDER BY {order}")
        except UnwetError:
            return []
        return list(dict.fromkeys(str(value) for (value,) in rows if value is not None))

    def truths(self, atom: Expr, pools: Mapping[int, Pool]) -> Choices:
        """`pools` by the number of each variable of the atom. Nothing where the engine cannot say:
        such a choice is missing. Of too many choices only some are tried, always the same."""
        shown = self.printed(atom)
        if not shown:
            return {}
        ordered = sorted(pools)
        key = (atom.digest, tuple(pools[n] for n in ordered))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._ask(shown, ordered, pools)
        return known

    def is_whole(self, pools: Mapping[int, Pool]) -> bool:
        """Whether all choices are tried."""
        return prod(len(values) for _, values in pools.values()) <= MOST

    def _ask(self, shown: str, ordered: Sequence[int], pools: Mapping[int, Pool]) -> Choices:
        source = _all(ordered, pools) if self.is_whole(pools) else _some(ordered, pools)
        positions = "".join(f"i{n}, " for n in ordered)
        test = f"TRY(CAST(({shown}) AS BOOLEAN))"
        try:
            rows = self._engine.rows(f"SELECT {positions}{test}{source}")
        except UnwetError:
            return {}
        return {_positions(row[:-1]): _TRUTHS[row[-1]] for row in rows}


def _positions(values: Sequence[object]) -> tuple[int, ...]:
    return tuple(value for value in values if isinstance(value, int))


_TRUTHS: Final[Mapping[object, Truth]] = {True: "true", False: "false", None: "null"}


def _all(ordered: Sequence[int], pools: Mapping[int, Pool]) -> str:
    tables = []
    for n in ordered:
        kind, values = pools[n]
        rows = ", ".join(f"({i}, {cell(value, kind)})" for i, value in enumerate(values))
        tables.append(f"(VALUES {rows}) AS t{n}(i{n}, {column_name(n)})")
    return f" FROM {' CROSS JOIN '.join(tables)}" if tables else ""


def _some(ordered: Sequence[int], pools: Mapping[int, Pool]) -> str:
    drawn = [f"CAST(hash(r, {n}) % {len(pools[n][1])} AS INTEGER) AS i{n}" for n in ordered]
    picked = []
    for n in ordered:
        kind, values = pools[n]
        cells = ", ".join(cell(value, kind) for value in values)
        picked.append(f"list_extract([{cells}], i{n} + 1) AS {column_name(n)}")
    inner = f"SELECT {', '.join(drawn)} FROM range({MOST}) AS s(r)"
    return f" FROM (SELECT *, {', '.join(picked)} FROM ({inner}))"


def cell(value: Cell, kind: str) -> str:
    """A value as SQL of its type."""
    return f"CAST({'NULL' if value is None else text(value)} AS {kind})"


class _NoWords(Exception):
    """An expression that is more than a value of its variables."""


def _no_column(ref: Col | Outer) -> exp.Expr:
    raise _NoWords


def _no_query(rel: Rel) -> exp.Expr:
    raise _NoWords
