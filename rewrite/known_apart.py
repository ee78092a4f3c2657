"""Calls of one name that two dialects are known to understand differently: no proof between them.

Proofs across dialects assume that functions of one name mean the same, and say so; what the manuals
say is otherwise is not left to that. Each step marks such a call in the old plan, so that the two
plans do not meet. It looks at constants only: what a column may hold is part of the assumption.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit
from unwet.rewrite.formats_apart import is_odd_format
from unwet.rewrite.plan_types import cast_type
from unwet.rewrite.scalars import ONE_TRUNCATION

APART: Final = "apart=True"

# LIKE 'a\_b' means a_b, as backslash escapes without an ESCAPE clause ("LIKE" in the manuals)
_BACKSLASH: Final = frozenset(
    {"postgres", "redshift", "mysql", "bigquery", "spark", "databricks", "hive", "clickhouse"}
)
# SUBSTRING(x, 0, n) and SUBSTRING(x, -1, n): where the text is thought to begin
_FROM_ZERO: Final = {
    **dict.fromkeys(("postgres", "redshift", "tsql", "duckdb"), "before the text"),
    **dict.fromkeys(("bigquery", "snowflake", "spark", "databricks", "hive", "oracle"), "as 1"),
    **dict.fromkeys(("mysql", "trino", "presto", "athena"), "nothing"),
}
_FROM_END: Final = {
    **dict.fromkeys(("postgres", "redshift", "tsql"), "before the text"),
    **dict.fromkeys(
        ("bigquery", "snowflake", "spark", "databricks", "hive", "oracle", "mysql", "trino",
         "presto", "athena", "duckdb", "sqlite"), "from its end"),
}  # fmt: skip
# EXTRACT(DOW ..), EXTRACT(DAYOFWEEK ..), DAYOFWEEK(..): the number of Sunday
_DAYS_OF_WEEK: Final = frozenset({"this:var DOW", "this:var DAYOFWEEK"})
_SUNDAY: Final = {
    **dict.fromkeys(("postgres", "redshift", "duckdb", "snowflake"), 0),
    **dict.fromkeys(("spark", "databricks", "hive", "mysql", "bigquery"), 1),
    **dict.fromkeys(("trino", "presto", "athena"), 7),
}
# EXTRACT(WEEK ..): ISO 8601, but there
_WEEKS: Final = {"bigquery": "Sundays", "mysql": "Sundays, from 0", "tsql": "from January 1"}
# DATE_TRUNC of a day is a day there, and a moment elsewhere
_DAYS_STAY: Final = ONE_TRUNCATION | {"bigquery", "clickhouse", "tsql", "fabric"}
_TEXTS: Final = frozenset({"to:varchar", "to:text", "to:char", "to:nvarchar", "to:nchar"})
# DATEDIFF(WEEK, ..): T-SQL and BigQuery count Sundays, Databricks spans of seven days
_WEEKS_FROM_MONDAY: Final = frozenset({"duckdb", "snowflake"})
_LONG_UNITS: Final = frozenset(f"unit:var {unit}" for unit in ("WEEK", "MONTH", "QUARTER", "YEAR"))
_WHOLE_UNITS: Final = frozenset({"databricks", "trino", "presto", "athena"})  # DATEDIFF
# LEFT(x, -1): all but the last letter; elsewhere nothing, or an error
_ALL_BUT: Final = frozenset({"postgres", "materialize", "risingwave", "duckdb"})
_SPARK: Final = frozenset({"spark", "spark2", "databricks", "hive"})
# SECOND with its fraction; elsewhere an integer
_SPLIT_SECONDS: Final = frozenset(
    {"postgres", "redshift", "materialize", "risingwave", "oracle", "spark", "databricks"}
)
_SPLIT_EPOCHS: Final = frozenset({"postgres", "materialize", "risingwave", "duckdb"})
# what the first group of REGEXP_REPLACE is called
_GROUPS: Final = {
    **dict.fromkeys(("spark", "spark2", "databricks", "hive", "trino", "presto", "athena"), "$1"),
    "redshift": "$1, or \\1 with p",
}
_GROUP: Final = re.compile(r"[$\\]\d")
_OF_BITS: Final = frozenset(
    {"duckdb", "postgres", "materialize", "risingwave", "mysql", "snowflake", "redshift", "oracle",
     "trino", "presto", "athena", "sqlite"}
)  # fmt: skip
# X'1F', B'11': bits, a number, or a text; elsewhere bytes
_BITS: Final = {
    **dict.fromkeys(("postgres", "redshift", "materialize", "risingwave"), "bits"),
    **dict.fromkeys(("mysql", "singlestore", "doris", "starrocks"), "bytes or a number"),
}
_TRIMMING: Final = frozenset({"tsql", "fabric"})
_BYTES_OF_DIGESTS: Final = frozenset({"tsql", "fabric", "bigquery", "trino", "presto", "athena",
                                      "clickhouse"})  # fmt: skip
_SHORT_NAMES: Final = frozenset({"snowflake", "spark", "databricks"})  # DAYNAME: 'Sun'
# what FORMAT takes, and the days of weeks of DATE_PART('dow', ..), each engine has its idea of
_UNLIKE: Final = frozenset({"this='printf'", "this='format'", "this='date_part'"})
_TESTS: Final = frozenset({"eq", "neq", "lt", "lte", "gt", "gte", "and", "or", "not", "is"})
_HASHES: Final = frozenset({"hash", "checksum", "binary_checksum", "ora_hash"})


def known_apart(call: Call, source: str, target: str) -> tuple[Call, str]:
    """The call, marked where the two dialects differ in it."""
    differs = (
        _like(call, source, target)
        or _substring(call, source, target)
        or _ends(call, source, target)
        or _of_null(call, source, target)
        or _of_dates(call, source, target)
        or _written_days(call, source, target)
        or _length(call, source, target)
        or _hash(call)
        or _bits(call, source, target)
        or _of_one_engine(call, source, target)
        or _digest(call, source, target)
        or _of_tsql(call, source, target)
        or _of_oracle(call, source, target)
    )
    return (replace(call, shape=(*call.shape, APART)) if differs else call), ""


def _like(call: Call, source: str, target: str) -> bool:
    """Backslashes, T-SQL's sets of characters in brackets, and the case of letters, which SQLite
    does not look at (its manual, "The LIKE ... operators")."""
    if call.op not in ("like", "ilike"):
        return False
    patterns = [a.text for a in call.args[1:] if isinstance(a, Lit) and a.kind == "string"]
    escapes = (source in _BACKSLASH) != (target in _BACKSLASH)
    brackets = (source == "tsql") != (target == "tsql")
    letters = call.op == "like" and "sqlite" in (source, target)
    return any(
        (escapes and "\\" in p) or (brackets and "[" in p) or (letters and p.lower() != p.upper())
        for p in patterns
    )


def _substring(call: Call, source: str, target: str) -> bool:
    if call.op != "substring" or len(call.args) < 2:
        return False
    if call.args[1] == Lit("number", "0"):
        return _FROM_ZERO.get(source, source) != _FROM_ZERO.get(target, target)
    negative = _is_negative(call.args[1])
    return negative and _FROM_END.get(source, source) != _FROM_END.get(target, target)


def _ends(call: Call, source: str, target: str) -> bool:
    """LEFT and RIGHT of fewer than no letters ("String Functions" of the manuals)."""
    negative = call.op in ("left", "right") and any(map(_is_negative, call.args[1:]))
    return negative and (source in _ALL_BUT) != (target in _ALL_BUT)


def _is_negative(expr: Expr) -> bool:
    match expr:
        case Lit(kind="number", text=text):
            return text.startswith("-")
        case Call(op="neg", args=(Lit(),)):
            return True
        case _:
            return False


def _of_null(call: Call, source: str, target: str) -> bool:
    """Oracle joins NULL as an empty text, and has no greatest of it; Redshift's CONCAT of NULL is
    NULL (the manuals, "Concatenation Operator", "GREATEST", "CONCAT")."""
    match call.op:
        case "dpipe":
            return "oracle" in (source, target) and not all(map(_is_text, call.args))
        case "concat":
            return bool({"oracle", "redshift"} & {source, target})
        case "greatest" | "least":
            return "oracle" in (source, target)
        case _:
            return False


def _length(call: Call, source: str, target: str) -> bool:
    """LEN does not count blanks at the end ("LEN (Transact-SQL)")."""
    return call.op == "length" and (source in _TRIMMING) != (target in _TRIMMING)


def _is_text(expr: Expr) -> bool:
    return isinstance(expr, Lit) and expr.kind == "string"


def _of_dates(call: Call, source: str, target: str) -> bool:
    match call.op:
        case "extract" if _DAYS_OF_WEEK & {*call.shape}:
            return _SUNDAY.get(source, source) != _SUNDAY.get(target, target)
        case "dayofweek":
            return _SUNDAY.get(source, source) != _SUNDAY.get(target, target)
        case "extract" if "this:var WEEK" in call.shape:
            return _WEEKS.get(source, "") != _WEEKS.get(target, "")
        case "week":
            return _WEEKS.get(source, "") != _WEEKS.get(target, "")
        case "extract" if "this:var EPOCH" in call.shape:
            return (source in _SPLIT_EPOCHS) != (target in _SPLIT_EPOCHS)
        case "extract" if "this:var SECOND" in call.shape:
            return (source in _SPLIT_SECONDS) != (target in _SPLIT_SECONDS)
        case "timestampdiff" if not _LONG_UNITS.isdisjoint(call.shape):  # whole ones, or borders
            return (source == "bigquery") != (target == "bigquery")
        case "datediff" | "tsordsdiff" if "unit:var WEEK" in call.shape:
            return not {source, target} <= _WEEKS_FROM_MONDAY
        case "datediff" if "unit:var DAY" not in call.shape and "this" in call.shape:
            has_unit = any(slot.startswith("unit:") for slot in call.shape)
            return has_unit and (source in _WHOLE_UNITS) != (target in _WHOLE_UNITS)
        case _:
            return False


def _written_days(call: Call, source: str, target: str) -> bool:
    """The first day of a month as a text: with the time of day where it is a moment. Whether a
    column is a day its name does not say."""
    is_text = call.op in ("dpipe", "concat", "concatws") or (
        call.op in ("cast", "trycast") and not _TEXTS.isdisjoint(call.shape)
    )
    truncated = any(isinstance(a, Call) and a.op == "timestamptrunc" for a in call.args)
    return is_text and truncated and moments(source, target)


def moments(source: str, target: str) -> bool:
    """Whether DATE_TRUNC of a day is a day in one of two dialects, and a moment in the other."""
    return (source in _DAYS_STAY) != (target in _DAYS_STAY)


def is_truncated_day(expr: Expr) -> bool:
    """DATE_TRUNC(.., CAST(x AS DATE))"""
    match expr:
        case Call(op="timestamptrunc", args=(Call(op="cast" | "trycast", shape=shape), *_)):
            return "to:date" in shape
        case _:
            return False


def _bits(call: Call, source: str, target: str) -> bool:
    """Strings of bits and bytes (the manuals, "Bit-String Constants", "Hexadecimal Literals")."""
    if call.op not in ("bitstring", "hexstring"):
        return False
    return _BITS.get(source, "bytes") != _BITS.get(target, "bytes")


def _of_one_engine(call: Call, source: str, target: str) -> bool:
    """DuckDB takes the pattern of SIMILAR TO for a regular expression, writes a negative number as
    64 bits in hex, and splits at an empty text; SQLite's random numbers are integers, its CHAR of
    nothing is none; what FORMAT and PRINTF take and BIT is, each has its own idea of (the manuals
    of the three; executed on PostgreSQL, DuckDB and SQLite)."""
    both = (source, target)
    match call.op:
        case "similarto" | "hex" | "lowerhex":
            return "duckdb" in both or "sqlite" in both
        case "rand" | "unicode":
            return "sqlite" in both
        case "format" | "typeof":
            return True
        case "dayname" | "monthname":
            return (source in _SHORT_NAMES) != (target in _SHORT_NAMES)
        case "anonymous" if "this='weekday'" in call.shape:  # Monday is 0, or Sunday
            return (source == "duckdb") != (target == "duckdb")
        case "anonymous":
            return not _UNLIKE.isdisjoint(call.shape)
        case "tobase64" | "frombase64":  # of texts, or of bytes
            return True
        case "arraysize":  # of NULL it is -1 in Spark ("size")
            return bool({"spark", "spark2", "hive"} & {*both})
        case "regexpreplace" if "redshift" in both:  # all that is found; in PostgreSQL the first
            return True
        case "regexpreplace":
            texts = (each.text for each in call.args[2:] if isinstance(each, Lit))
            named = any(map(_GROUP.search, texts))
            return named and _GROUPS.get(source, "\\1") != _GROUPS.get(target, "\\1")
        case "collate":  # what collations are called
            return True
        case "monthsbetween":  # Spark rounds it, Snowflake does not look at the time of day
            return not {*both} <= _SPARK
        case "splitpart":
            return call.args[1:2] == (Lit("string", ""),)
        case "cast" | "trycast" if "to:boolean" in call.shape and "sqlite" in both:
            return not (isinstance(call.args[0], Call) and call.args[0].op in _TESTS)
        case "cast" | "trycast":  # BIT: texts of bits, or 0 and 1; MONEY: 2 or 4 digits
            of_bits = "to:bit" in call.shape and not _OF_BITS.isdisjoint(both)
            return of_bits or cast_type(call) == "money"
        case "timetostr" | "tochar" | "strtotime" | "strtodate":
            return any(is_odd_format(each, source, target) for each in call.args[1:])
        case _:
            return False


def _digest(call: Call, source: str, target: str) -> bool:
    """MD5 and its like are texts in hex, or bytes ("MD5" and "HASHBYTES" in the manuals)."""
    if call.op not in ("md5", "sha", "sha2"):
        return False
    bytes_of = _BYTES_OF_DIGESTS - ({"bigquery"} if call.op == "md5" else set())  # TO_HEX(MD5(x))
    return (source in bytes_of) != (target in bytes_of)


def _of_tsql(call: Call, source: str, target: str) -> bool:
    """POWER of an integer is an integer there, RAND() one number for all rows, and time zones have
    the names of Windows ("POWER (Transact-SQL)", "RAND (Transact-SQL)", "AT TIME ZONE"); + of a
    NULL text is as elsewhere."""
    if (source in _TRIMMING) == (target in _TRIMMING):
        return False
    match call:
        case Call(op="rand"):
            return True
        case Call(op="attimezone", args=(_, zone)):
            return zone != Lit("string", "UTC")
        case Call(op="pow", args=(_, Lit(kind="number", text=text))):
            return not text.isdigit()
        case Call(op="pow", args=(Call(op="cast", shape=shape), _)):
            return not {"to:float", "to:double", "to:real"} & {*shape}
        case Call(op="pow"):
            return True
        case _:
            return False


def _of_oracle(call: Call, source: str, target: str) -> bool:
    """A DATE has the time of day ("DATE Data Type"), which a constant has not."""
    if call.op not in ("cast", "trycast") or "oracle" not in (source, target):
        return False
    return "to:date" in call.shape and not isinstance(call.args[0], Lit)


def _hash(call: Call) -> bool:
    """Each engine has a hash of its own."""
    names = (slot.removeprefix("this=").strip("'") for slot in call.shape[:1])
    return call.op == "anonymous" and any(name in _HASHES for name in names)
