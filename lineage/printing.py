"""Trees as SQL again: what the parser read as another thing is said as it was written.

render(tree, dialect) -> a statement, with its comments
as_said(tree, dialect) -> a part of one in a line, as an argument of a call says it
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from unwet.lineage.bits import with_bits
from unwet.lineage.days_between import with_two_arguments
from unwet.lineage.dialects import TSQL
from unwet.lineage.errors import RenderError
from unwet.lineage.own_names import with_own_names, without_marks
from unwet.lineage.parser_notes import parser_notes
from unwet.lineage.parser_words import unwritten
from unwet.lineage.taken_for_others import as_written
from unwet.lineage.trees import copied, in_line

# Seen on odd trees, where an error of the printer was due.
_PRINTER_BUGS: Final = (AssertionError, AttributeError, LookupError, TypeError)


def render(
    tree: exp.Expr,
    dialect: str,
    pretty: bool = True,
    comments: bool = True,
    spent: bool = False,
) -> str:
    """The tree as SQL, comments kept; raises RenderError rather than drop what has no words.

    Printing changes a tree, so a copy is printed, unless ``spent`` says nobody needs it again."""
    try:
        with parser_notes():
            printed = as_written(tree if spent else copied(tree))
            text = _corrected(printed, dialect).sql(
                dialect=dialect,
                pretty=pretty,
                copy=False,
                comments=comments,
                unsupported_level=ErrorLevel.RAISE,
            )
            return without_marks(text) if dialect in TSQL else text
    except (SqlglotError, *_PRINTER_BUGS) as error:
        said = unwritten(str(error))
        raise RenderError(f"cannot be written in {dialect or 'standard SQL'}: {said}") from error


def as_said(tree: exp.Expr, dialect: str) -> str:
    """An expression in one line, without comments, as ``render`` writes it within a query."""
    copy = copied(tree)
    if dialect in TSQL and isinstance(copy, exp.TimeStrToTime) and not copy.args.get("zone"):
        copy = copy.this  # it has been in a DATEDIFF, and goes there again
    try:
        printed = _corrected(as_written(copy), dialect)
    except RenderError:  # nothing tells what it was: no text that has it is a model
        return in_line(copy, dialect, spent=True)
    text = in_line(printed, dialect, spent=True)
    return without_marks(text) if dialect in TSQL else text


def _corrected(tree: exp.Expr, dialect: str) -> exp.Expr:
    """What the printer of a dialect would say otherwise; changes the tree."""
    if dialect in TSQL:
        return with_own_names(with_bits(_unconverted(tree)))
    if dialect == "databricks":
        return with_two_arguments(tree)
    return _as_grouped(tree) if dialect == "bigquery" else tree


def _unconverted(tree: exp.Expr) -> exp.Expr:
    """DATEDIFF and EOMONTH as they were written: the parser puts a conversion around what they are
    of, which the printer would write out as a cast, though the server makes it anyway."""
    for node in list(tree.find_all(exp.TimeStrToTime)):
        if isinstance(node.parent, exp.DateDiff) and not node.args.get("zone"):
            node.replace(node.this)
    for last in list(tree.find_all(exp.LastDay)):
        if (said := _month_end(last)) is not None:
            last.replace(said)
            tree = said if last is tree else tree
    return tree


def _month_end(node: exp.LastDay) -> exp.Expr | None:
    """EOMONTH(x) or EOMONTH(x, months), where the parser has read that."""
    match node.this:
        case exp.TsOrDsToDate(this=date):
            return exp.Anonymous(this="EOMONTH", expressions=[date])
        case exp.DateAdd(this=exp.TsOrDsToDate(this=date), expression=months) as added:
            if added.unit is not None and added.unit.name == "MONTH":
                return exp.Anonymous(this="EOMONTH", expressions=[date, months])
    return None


def _as_grouped(tree: exp.Expr) -> exp.Expr:
    """GROUP BY as it was written: where there is an ORDER BY, too, the printer of BigQuery says
    another name for a column that is selected under one."""
    for select in list(tree.find_all(exp.Select)):
        group = select.args.get("group")
        for key in group.expressions if group is not None and select.args.get("order") else ():
            if isinstance(key, exp.Column):
                name, *more = (part.copy() for part in key.parts)
                key.replace(exp.Dot.build([name, *more]) if more else name)
    return tree
