"""Expressions that tell values apart which are equal.

discerning(exprs) -> whether one of them may be different for rows that GROUP BY puts together

Equal is not the same: 'a' = 'A' in SQL Server and MySQL, 1.0 = 1.00 in PostgreSQL, 0.0 = -0.0
everywhere. A group stands for all of them and shows one, so ASCII(name), a cast to binary, another
collation or the text of a number says something of the one that is shown. Asked of the rows below
it says something else:

    SELECT name, COUNT(*) FROM t GROUP BY name HAVING ASCII(name) = 97     -- 'a' or 'A' is shown
    SELECT name, COUNT(*) FROM t WHERE ASCII(name) = 97 GROUP BY name      -- counts 'a' only

Only what is known to give equal results for equal values is not discerning, so a function that
nobody knows is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from unwet.rewrite.algebra import Agg, Call, Expr, Lit, Over, Subquery, expressions, parts, walk
from unwet.rewrite.plan_types import cast_type, words
from unwet.rewrite.references import free_outers

_STEADY: Final = words(
    "and or not xor is coalesce nullif case if distinct "
    "eq neq lt lte gt gte between in nullsafeeq nullsafeneq any all "
    "add sub mul mod neg abs floor ceil round max min "
    "upper lower substring left startswith "
    "year month day quarter week hour minute second extract dayofweek dayofmonth dayofyear "
    "dayofweekiso weekofyear yearofweek date timestamp datetime time lastday makeinterval interval "
    "datetrunc timestamptrunc datetimetrunc dateadd datesub datediff timestampadd timestampsub "
    "timestampdiff datetimeadd datetimesub datetimediff tsordsadd tsordsdiff tsordstodate "
    "tsordstodatestr tsordstotimestamp datestrtodate timestrtotime datefromparts monthsbetween "
    "currentdate currenttimestamp currentdatetime attimezone unixtotime timetounix "
    "timetostr strtodate strtotime strtounix parsedate parsetimestamp "
    "tuple array struct dot bracket propertyeq slice paren boolean var"
)
"""Of two equal values they make equal ones, in any collation and of any number of digits. Not so
GREATEST, whose value DuckDB compares in no collation, REPLACE, which takes letters as they are in
MySQL and DuckDB, and what finds blanks at the end, which do not count in SQL Server and MySQL
('a' = 'a '): RIGHT, CHARINDEX, and LIKE unless its pattern ends with anything (`_is_open`)."""

_QUOTIENTS: Final = words("div intdiv")

_ALIKE: Final = words(
    "int integer bigint smallint tinyint int64 float double real decimal numeric bigdecimal "
    "bignumeric boolean bool date datetime datetime2 timestamp timestamptz timestampntz time "
    "smalldatetime timestampltz ubigint uint hugeint int128 money bit"
)
"""Types to which equal values are cast as equal ones; texts and bytes are not among them."""


def discerning(exprs: Iterable[Expr]) -> bool:
    """Whether one of the expressions may have two values for values that are equal."""
    return any(map(_is_discerning, exprs))


@lru_cache(maxsize=1 << 16)
def _is_discerning(expr: Expr) -> bool:
    return any(map(_tells_apart, parts(expr)))


def _tells_apart(part: Expr) -> bool:
    match part:
        case Call(op="cast" | "trycast" | "tryconvert"):
            known = cast_type(part).partition("(")[0].strip() in _ALIKE
            return not (known or _is_constant(part.args[0]))
        case Call(op=op, args=(_, by)) if op in _QUOTIENTS:
            return not _is_constant(by)  # 1 / 0.0 and 1 / -0.0 are the two infinities
        case Call(op="like" | "ilike", args=(of, pattern)):
            return not (_is_open(pattern) or (_is_constant(of) and _is_constant(pattern)))
        case Call(op="trim", args=(_,)):
            return False  # of blanks; other letters are taken as they are, whatever the collation
        case Call(op=op, args=args):
            return op not in _STEADY and not all(map(_is_constant, args))
        case Subquery(rel=rel):
            return bool(free_outers(rel)) and any(discerning(expressions(n)) for n in walk(rel))
        case Agg() | Over() | _:
            return False  # their operands are parts, too


def _is_open(pattern: Expr) -> bool:
    """Whether blanks at the end of a text make no difference to LIKE: 'a%', but not 'a', '%a' or
    'a_%', as 'a ' = 'a' and LIKE counts them (manuals of MySQL, "String Comparison Functions", and
    of SQL Server, "LIKE", of Unicode)."""
    match pattern:
        case Lit(kind="string", text=text) if text.endswith("%"):
            return text.rstrip("%")[-1:] not in (" ", "_", "]", "\\")
        case _:
            return False


def _is_constant(expr: Expr) -> bool:
    return all(isinstance(each, Lit | Call) for each in parts(expr))
