"""What parsers note of functions for odd arguments, where the arguments are not odd.

    LEFT(x, -1)        empty in Snowflake; all but the last letter in PostgreSQL
    SUBSTRING(x, 0)    begins before the text, or at its first letter
    LENGTH(x)          counts bytes of binary values in BigQuery and Snowflake; of texts, too, in
                       MySQL and ClickHouse, which is no odd argument

sqlglot keeps such differences as flags of a call. With LEFT(x, 2) both dialects mean the same, so
that a call that goes to another dialect takes the flags which are noted there.

spoken(call, source, target) -> the call with the target's notes
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from unwet.rewrite.algebra import Call, Expr, Lit
from unwet.rewrite.known_apart import APART

_Test = Callable[[Call], bool]
_SET: Final = "=True"


def _number(call: Call, at: int, least: int) -> bool:
    """Whether an argument is a whole number of at least that."""
    arg = call.args[at] if at < len(call.args) else None
    return isinstance(arg, Lit) and arg.kind == "number" and arg.text.isdecimal() \
        and int(arg.text) >= least  # fmt: skip


def _text(expr: Expr) -> bool:
    return isinstance(expr, Lit) and expr.kind == "string" and bool(expr.text)


# by the function: a call that shows its flags, what they are, and when they say nothing
_MOOT: Final[dict[str, tuple[str, frozenset[str], _Test]]] = {
    "length": ("LENGTH(a)", frozenset({"binary"}), lambda call: True),
    "left": ("LEFT(a, 1)", frozenset({"negative_length_returns_empty"}),
             lambda call: _number(call, 1, 0)),
    "right": ("RIGHT(a, 1)", frozenset({"negative_length_returns_empty"}),
              lambda call: _number(call, 1, 0)),
    "substring": ("SUBSTRING(a, 1, 2)", frozenset({"zero_start"}),
                  lambda call: _number(call, 1, 1)),
    "strposition": ("STR_POSITION(a, 'b')", frozenset({"clamp_position"}),
                    lambda call: len(call.args) == 2),
    "round": ("ROUND(a, 1)", frozenset({"casts_non_integer_decimals"}),
              lambda call: len(call.args) == 1 or _number(call, 1, 0)),
    "splitpart": ("SPLIT_PART(a, 'b', 1)",
                  frozenset({"part_index_zero_as_one", "empty_delimiter_returns_whole"}),
                  lambda call: len(call.args) == 3 and _text(call.args[1])
                  and _number(call, 2, 1)),
    "timestamptrunc": ("TIMESTAMP_TRUNC(a, MONTH)", frozenset({"input_type_preserved"}),
                       lambda call: True),
}  # fmt: skip
# where LENGTH counts the bytes of texts ("String Functions" of the manuals)
_IN_BYTES: Final = frozenset({"mysql", "singlestore", "doris", "starrocks", "clickhouse"})
_OF_TYPES: Final = {
    "length": "what LENGTH is of are texts, not bytes",
    "timestamptrunc": "what DATE_TRUNC is of are timestamps, or days that are cut off as days",
}


def spoken(call: Call, source: str, target: str) -> tuple[Call, str]:
    """A call of a plan with the flags of the target, and what that takes for granted."""
    if call.op not in _MOOT or source == target:
        return call, ""
    if "binary=True" in call.shape and (source in _IN_BYTES) != (target in _IN_BYTES):
        return replace(call, shape=(*call.shape, APART)), ""
    _, moot, is_plain = _MOOT[call.op]
    if not is_plain(call):
        return call, ""
    kept = [s for s in call.shape if s.removesuffix(_SET) not in moot or not s.endswith(_SET)]
    shape = _in_order(call.op, [*kept, *(f"{flag}{_SET}" for flag in _noted(call.op, target))])
    if shape == call.shape:
        return call, ""
    return replace(call, shape=shape), _OF_TYPES.get(call.op, "")


@cache
def _noted(op: str, dialect: str) -> tuple[str, ...]:
    """The moot flags that a dialect's parser gives to a function."""
    sample, moot, _ = _MOOT[op]
    try:
        written = sqlglot.parse_one(sample).sql(dialect, unsupported_level=ErrorLevel.IGNORE)
        read = sqlglot.parse_one(written, dialect=dialect)
    except SqlglotError:
        return ()
    if read.key != op:
        return ()
    return tuple(sorted(flag for flag in moot if read.args.get(flag) is True))


def _in_order(op: str, shape: list[str]) -> tuple[str, ...]:
    """Slots in the order in which an expression declares them, as `scalars` has it."""
    kind = sqlglot.parse_one(_MOOT[op][0])
    assert isinstance(kind, exp.Func)
    declared = list(kind.arg_types)
    names = (slot.split("=")[0].split(":")[0].split("*")[0] for slot in shape)
    places = [declared.index(name) if name in declared else len(declared) for name in names]
    order = sorted(range(len(shape)), key=lambda at: places[at])
    return tuple(shape[at] for at in order)
