"""Values that become texts, which engines write in ways of their own.

    CAST(b AS TEXT), b || s     'true' or '1' where b is a truth; 't' in PostgreSQL's CONCAT
    CAST(f AS TEXT)             1e10 is 10000000000 in one and 10000000000.0 in another
    CAST(m AS TEXT)             1.50 is 1.5 in BigQuery; AVG(n) has 16 digits behind the point in
                                PostgreSQL, and is a float in DuckDB
    CAST(d AS TEXT)             as NLS_DATE_FORMAT has it in Oracle
    CAST(a - a AS TEXT)         1 mon, 1 month, 0-1 0 0:0:0
    CAST(u AS TEXT)             in capitals in T-SQL, where u is a UUID
    CAST(y AS TEXT)             of two digits behind the point in T-SQL, where y is MONEY of four

From the manuals, "CAST" or "Type conversion" of each. That a project of another dialect writes
floats, decimals and moments alike is an assumption; the others are no proof.

judged(call, of, numbers, source, target) -> whether the two differ, and what is taken for granted
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from unwet.lineage.dialects import TSQL
from unwet.rewrite.algebra import Agg, Call
from unwet.rewrite.number_types import WHOLE, Number
from unwet.rewrite.plan_types import cast_type
from unwet.rewrite.unsized import OF_THIRTY

Sort = Literal[
    "day", "moment", "moved", "zoned", "span", "truth", "text", "filled", "number", "float", "uuid",
    "money",
]  # fmt: skip
"""moved: a day and an interval, which is a day or a moment; zoned: a moment with a zone of its own;
filled: a text with blanks behind."""

TEXTS: Final = ("varchar", "text", "string", "nvarchar", "char varying", "character varying")
JOINED: Final = frozenset({"dpipe", "concat", "concatws", "groupconcat"})
_TRUTHS_IN_WORDS: Final = frozenset(
    {"postgres", "redshift", "duckdb", "snowflake", "bigquery", "spark", "databricks", "trino",
     "presto", "athena", "clickhouse"}
)  # fmt: skip
_MOMENTS_ALIKE: Final = frozenset({"postgres", "redshift", "duckdb", "spark", "databricks"})
# a day moved by an interval is a day there, and a moment elsewhere
_DAYS_STAY: Final = frozenset(
    {"tsql", "fabric", "snowflake", "spark", "databricks", "trino", "presto", "athena", "mysql",
     "oracle"}
)  # fmt: skip
_SHORT_TRUTHS: Final = frozenset({"postgres", "redshift", "materialize", "risingwave"})
_WHOLE_BY_VALUE: Final = frozenset({"this:var YEAR", "this:var MONTH", "this:var DAY",
                                    "this:var QUARTER", "this:var HOUR", "this:var MINUTE",
                                    "this:var DOW", "this:var DOY", "this:var WEEK"})  # fmt: skip
_ROOM: Final = 11  # letters of any integer of 32 bits
_CUT_OFF: Final = 30  # letters of T-SQL's VARCHAR
_DECIMAL_AND_FLOAT: Final = frozenset({"decimal", "float"})  # here the one, there the other

Numbers = Sequence[tuple[Number | None, Number | None]]
"""By arguments: the number that each is in the old dialect, and in the new one."""


def is_text_of(call: Call | Agg) -> bool:
    """Whether what a call takes becomes a text."""
    cast = call.op in ("cast", "trycast") and cast_type(call).split("(")[0] in TEXTS
    return cast or call.op in JOINED


def judged(
    call: Call | Agg, of: Sequence[Sort | None], numbers: Numbers, source: str, target: str
) -> tuple[bool, frozenset[str]]:
    """Whether the texts of the arguments are known to differ, and what is assumed of them."""
    if not is_text_of(call):
        return False, frozenset()
    parts = [*zip(call.args, of, numbers, strict=False)]  # an aggregate has more operands
    for arg, sort, number in parts:
        if _differs(call.op, sort, number, {source, target}):
            return True, frozenset()
        if OF_THIRTY in call.shape and sort == "text" and not _is_short(arg):
            return True, frozenset()
    assumed = {said for arg, sort, number in parts
               for said in _assumed(call, arg, sort, number, source, target)}  # fmt: skip
    return False, frozenset(assumed)


def _differs(
    op: str, sort: Sort | None, number: tuple[Number | None, Number | None], pair: set[str]
) -> bool:
    match sort:
        case "truth":
            short = op in ("concat", "concatws") and _only_one(_SHORT_TRUTHS, pair)
            return short or _only_one(_TRUTHS_IN_WORDS, pair)
        case "span":
            return True
        case "day":
            return "oracle" in pair
        case "uuid" | "money":
            return _only_one(TSQL, pair)
        case "moved":
            return "oracle" in pair or _only_one(_DAYS_STAY, pair)
        case "number":
            in_bigquery = "bigquery" in pair and "decimal" in number
            return in_bigquery or {*number} >= _DECIMAL_AND_FLOAT
        case _:
            return False


def _assumed(
    call: Call | Agg,
    arg: object,
    sort: Sort | None,
    number: tuple[Number | None, Number | None],
    source: str,
    target: str,
) -> Iterator[str]:
    pair = {source, target}
    fraction = sort == "number" and not {*number} <= WHOLE and not _is_whole_part(arg)
    moment = sort in ("moment", "moved") and not pair <= _MOMENTS_ALIKE
    if sort == "float" or fraction or moment:
        yield (
            f"{source} and {target} write floats and timestamps as the same texts, decimals, too "
            "(CAST(.. AS VARCHAR))"
        )
    if sort == "number" and _only_one(TSQL, pair) and _size(call) < _ROOM:
        yield "numbers fit into the texts that they are cast to (tsql has * for those that do not)"
    if OF_THIRTY in call.shape and sort is None:
        yield "what is CAST AS VARCHAR has 30 letters at most (tsql cuts off the rest)"


def _is_whole_part(arg: object) -> bool:
    """EXTRACT(YEAR ..), which is no integer in PostgreSQL by its type alone."""
    return (
        isinstance(arg, Call) and arg.op == "extract" and not _WHOLE_BY_VALUE.isdisjoint(arg.shape)
    )


def _is_short(arg: object) -> bool:
    """Whether a text is cut off already: CAST(x AS VARCHAR(10))."""
    return isinstance(arg, Call) and arg.op in ("cast", "trycast") and _size(arg) <= _CUT_OFF


def _size(call: Call | Agg) -> int:
    """The letters of a type; very many where it says none."""
    said = cast_type(call).partition("(")[2].rstrip(")")
    return int(said) if said.isdecimal() else 1 << 31


def _only_one(some: frozenset[str], pair: set[str]) -> bool:
    return len(pair & some) == 1 and len(pair) > 1
