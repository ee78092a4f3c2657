"""Whether numbers are integers, by the rules of one dialect.

7 / 2 is 3 in PostgreSQL and 7.0 / 2 is 3.5, and on what is a fraction the dialects do not agree:
SUM of BIGINT is NUMERIC in PostgreSQL and an integer elsewhere, EXTRACT(YEAR ...) is NUMERIC there,
FLOOR of an integer is one in SQL Server and a DOUBLE in DuckDB. The sources are the manuals
(PostgreSQL 9.3, 9.9, 9.21; SQL Server, "Mathematical functions", "Constants"; Trino, "Mathematical
functions", "Decimal functions"); PostgreSQL and DuckDB are executed in test_quotients.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Lit, Outer, Over, Param, Subquery, operands
from unwet.rewrite.plan_types import Declared, PlanTypes, cast_type, values_of, words

Number = Literal["small", "big", "decimal", "float", "fraction", "doubt"]
"""small: an integer of at most 32 bits; big: a longer one; fraction: a decimal or a float; doubt:
an integer or not, as columns are that nobody describes."""

WHOLE: Final = frozenset({"small", "big"})
FRACTIONS: Final = frozenset({"decimal", "float", "fraction"})

_LIKE_POSTGRES: Final = words("postgres materialize risingwave")
_SUM_OF_BIG_IS_DECIMAL: Final = _LIKE_POSTGRES | {"redshift"}
_TSQL: Final = words("tsql fabric")
_TRINO: Final = words("trino presto athena dune")
_AS_GIVEN: Final = _TSQL | _TRINO  # FLOOR and the like have the type of their argument

_OF_TYPE: Final[tuple[tuple[Number, str], ...]] = (
    ("big", r"u?bigint|u?hugeint|int8\b|int64|bigserial|serial8|long\b"),
    ("small", r"u?(?:small|tiny|medium)?int(?!erval)|serial|smallserial|byteint"),
    ("float", r"float|double|real"),
    ("decimal", r"decimal|numeric|number|dec\b|money|smallmoney|bignumeric"),
)
_FLOATS: Final = words("sqrt cbrt exp ln log stddev stddevsamp stddevpop variance variancepop corr")
_COUNTS: Final = words(
    "count countif approxdistinct rownumber rank denserank ntile length strposition datediff "
    "year month day week quarter dayofweek dayofmonth dayofyear hour minute ascii unicode"
)
_JOINING: Final = words("add sub mul mod neg abs intdiv coalesce case if greatest least")
_OF_FIRST: Final = words("min max anyvalue first last firstvalue lastvalue nthvalue ignorenulls")
_SHIFTS: Final = words("lag lead")
_LONG: Final = 30  # letters of a constant that no integer has


class Numbers(PlanTypes[Number]):
    """Of the columns of plans in a dialect; None: no number, or not known and the same in all."""

    def __init__(self, declared: Declared, dialect: str) -> None:
        super().__init__(declared)
        self._dialect = dialect

    def of(self, expr: Expr, seen: Sequence[Number | None]) -> Number | None:
        """Of an expression over such columns."""
        return self.once(expr, seen, self._of)

    def _of(self, expr: Expr, seen: Sequence[Number | None]) -> Number | None:
        match expr:
            case Col(index=index):
                return seen[index] if index < len(seen) else None
            case Lit(kind="number", text=text):
                return self._constant(text)
            case Over(call=call):
                return self.of(call, seen)
            case Subquery(kind="scalar", rel=rel):
                return next(iter(self.outputs(rel)), None)
            case Lit() | Outer() | Param() | Subquery():
                return None
            case Call() | Agg():
                return self._called(expr, [self.of(each, seen) for each in operands(expr)], seen)

    def of_type(self, name: str) -> Number | None:
        """Of a type's name."""
        said = name.strip().lower()
        found = (number for number, pattern in _OF_TYPE if re.match(pattern, said))
        return next(found, None)

    def position(self) -> Number:
        """Of a position in an array."""
        return "big"

    def of_branches(self, branches: Sequence[Number | None]) -> Number | None:
        """Of a column of a set operation."""
        return joined(branches)

    def quotient(self, expr: Call, seen: Sequence[Number | None]) -> Number | None:
        """Of a quotient that the types of its operands decide."""
        return joined(self.of(each, seen) for each in expr.args)

    def _constant(self, text: str) -> Number:
        if not text.isdecimal():
            return "float" if "e" in text.lower() else "decimal"
        value = int(text) if len(text) < _LONG else 1 << 64
        if value < 1 << 31:
            return "small"
        if self._dialect in _TSQL or (value >= 1 << 63 and self._dialect in _LIKE_POSTGRES):
            return "decimal"
        return "big"

    def _called(
        self, expr: Call | Agg, args: list[Number | None], seen: Sequence[Number | None]
    ) -> Number | None:
        first = args[0] if args else None
        match expr.op:
            case "cast" | "trycast":
                return self.of_type(cast_type(expr))
            case "sum":
                return self._sum(first)
            case "div":
                return joined(args) if "typed=True" in expr.shape else "fraction"
            case "avg":
                return self._average(first)
            case "extract":
                return self._part(expr)
            case "floor" | "ceil":
                return self._rounded(first, "float" if self._dialect == "duckdb" else first)
            case "round" | "trunc":
                return self._rounded(first, first)
            case "sign":
                return self._rounded(first, "small" if self._dialect == "duckdb" else first)
            case "pow":
                return first if self._dialect in _TSQL else "float"
            case "nullif":
                return joined(args) if self._dialect in _LIKE_POSTGRES else first
            case op if op in _SHIFTS:
                several = self._dialect in _LIKE_POSTGRES and len(args) > 2
                return joined((args[0], args[2])) if several else first
            case op if op in _FLOATS:
                return "float"
            case op if op in _COUNTS:
                return "big"
            case op if op in _JOINING:
                return joined(self.of(e, seen) for e in values_of(op, operands(expr)))
            case op if op in _OF_FIRST:
                return first
            case _:
                return None

    def _sum(self, of: Number | None) -> Number | None:
        if self._dialect in _SUM_OF_BIG_IS_DECIMAL:
            if of == "big":
                return "decimal"
            return "doubt" if of is None else ("big" if of == "small" else of)
        return "big" if of == "small" else of

    def _average(self, of: Number | None) -> Number | None:
        if self._dialect in _TSQL:
            return of
        if self._dialect == "duckdb" or of == "float":
            return "float"
        return "decimal" if self._dialect in _LIKE_POSTGRES and of is not None else "fraction"

    def _part(self, expr: Call | Agg) -> Number | None:
        """EXTRACT and DATE_PART."""
        if self._dialect in _LIKE_POSTGRES:
            return "decimal"
        if self._dialect == "redshift":
            return "doubt"  # EXTRACT is an integer, DATE_PART a float; the parser makes them one
        return "float" if "this:var EPOCH" in expr.shape else "big"

    def _rounded(self, first: Number | None, here: Number | None) -> Number | None:
        """What is an integer by its value: in PostgreSQL the type is none even so."""
        if self._dialect in _LIKE_POSTGRES:
            return "decimal" if first == "decimal" else "float"
        if self._dialect == "duckdb":
            return first if first in FRACTIONS and here != "small" else here
        return here if self._dialect in _AS_GIVEN else ("doubt" if first in WHOLE else first)


def joined(numbers: Iterable[Number | None]) -> Number | None:
    """The type of a sum: what the wider of its operands is."""
    found = {*numbers}
    if "float" in found:
        return "float"
    if found & FRACTIONS:
        return "decimal" if found <= WHOLE | {"decimal"} else "fraction"
    if "doubt" in found:
        return "doubt"
    if not found or None in found:
        return None
    return "big" if "big" in found else "small"
