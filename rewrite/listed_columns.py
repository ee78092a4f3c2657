"""The columns of a declared table as a query lists them.

They stand in the table's order, in the letters of who declares it, and with quotes where the name
would be another one without, or none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.names import fold, folded, folds_up, is_reserved
from unwet.lineage.tables import Column, Table

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Words that some engine reserves besides those that most do (the manuals of PostgreSQL, SQL Server,
# Oracle, Snowflake and BigQuery: "reserved keywords"): quotes never hurt there.
_SOMEWHERE_WORDS: Final = """
    add alter assert_rows_modified at backup begin binary break browse bulk cascade checkpoint
    close clustered coalesce collation commit compute connect connection contains containstable
    continue convert current_catalog current_schema cursor database dbcc deallocate declare
    define deny disk distributed double dump enum errlvl escape exclude exec execute exit
    external file fillfactor following freetext freetexttable freeze goto grouping hash holdlock
    identity identity_insert identitycol ignore increment issue kill level lineno load lookup
    main match_recognize materialize minus mode national new no nocheck nonclustered nulls
    number off offsets open opendatasource openquery openrowset openxml option organization over
    percent pivot plan preceding precision print prior proc proto public raiserror raw read
    readtext reconfigure regexp rename replication resource restore restrict revert revoke rlike
    rollback rollup rowcount rowguidcol rownum rule sample save schema securityaudit session
    setuser shutdown size smallint statistics struct successful synonym sysdate system_user
    textsize tran transaction treat trigger try_cast try_convert tsequal uid unbounded
    updatetext use validate varchar verbose waitfor whenever while within writetext"""
_SOMEWHERE: Final = frozenset(_SOMEWHERE_WORDS.split())
# Columns that engines add, which no star shows.
OF_TABLES: Final = frozenset({"_table_suffix", "_partitiontime", "_partitiondate", "_file_name",
                              "rowid", "_rowid_", "ora_rowscn", "ctid", "tableoid", "xmin",
                              "xmax", "cmin", "cmax"})  # fmt: skip
_NO_COLUMNS: Final = OF_TABLES | {"rownum", "oid"}


def why_not_listed(table: Table | None) -> str:
    """Why a star over a table is not written out; empty where its columns are certain."""
    if table is None or not table.closed or table.origin not in ("ddl", "schema"):
        return "nothing declares its columns"
    if not table.agreed:
        return "what declares its columns does not agree, or they are changed later"
    if "*" in table.name or any(name.lower() in _NO_COLUMNS for name in table.names):
        return "it has columns that no star shows"
    if len(table.index) < len(table.columns):
        return "it is declared with two columns of one name"
    return ""


def names_listed(table: Table, sure: bool, dialect: str) -> tuple[exp.Identifier, ...] | None:
    """The names of a table's columns; None where one cannot be said in the dialect. ``sure``:
    scripts of that dialect declare them."""
    sure = sure and table.origin == "ddl"
    found = tuple(_identifier(each, sure, dialect) for each in table.columns)
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else None


def may_be_staged(select: exp.Select, table: exp.Table) -> bool:
    """Whether a SELECT may read a model that has the columns of a table instead of the table: it
    says none that no star shows."""
    if {key for key, value in table.args.items() if value} - {"this", "alias"}:
        return False
    return not any(column.name.lower() in _NO_COLUMNS for column in select.find_all(exp.Column))


def items_listed(
    names: Sequence[exp.Identifier], star: exp.Star, table: str, dialect: str
) -> tuple[exp.Expr, ...] | None:
    """The items that a star over these columns stands for, qualified where a ``table`` is given;
    None where it leaves out or changes a column that is not among them."""
    known = {folded(name, dialect) for name in names}
    hidden = {folded(each.this if isinstance(each, exp.Column) else each, dialect)
              for each in star.args.get("except_") or ()}  # fmt: skip
    replaced = {folded(e.args.get("alias"), dialect): e for e in star.args.get("replace") or ()}
    renamed = {folded(e.this, dialect): e for e in star.args.get("rename") or ()}
    if not {*hidden, *replaced, *renamed} <= known:
        return None
    items = _items(names, hidden, {**renamed, **replaced}, table, dialect)
    return tuple(items) or None


def _items(
    names: Sequence[exp.Identifier],
    hidden: set[str],
    others: dict[str, exp.Expr],
    table: str,
    dialect: str,
) -> Iterator[exp.Expr]:
    for name in names:
        key = folded(name, dialect)
        if key in hidden:
            continue
        qualifier = exp.to_identifier(table) if table else None
        column = exp.Column(this=name.copy(), table=qualifier)
        other = others.get(key)
        if other is None:
            yield column
        elif folded(other.args.get("alias"), dialect) == key:
            yield exp.Alias(this=other.this.copy(), alias=name.copy())
        else:
            yield exp.Alias(this=column, alias=other.args["alias"].copy())


def _identifier(column: Column, sure: bool, dialect: str) -> exp.Identifier | None:
    """The name of a column, without quotes where that is the same name; ``sure``: the engine has
    taken it without."""
    said = column.spelled or column.name
    upper = folds_up(dialect)
    plain = bool(_WORD.fullmatch(said)) and fold(said, False, dialect) == column.name
    plain = plain and not (upper and not column.bare and said != said.upper())
    if plain and (not _is_reserved_somewhere(said) or (column.bare and sure)):
        return exp.Identifier(this=said, quoted=False)
    if upper and column.bare:
        said = said.upper()
    same = fold(said, True, dialect) == column.name
    return exp.Identifier(this=said, quoted=True) if same else None


def _is_reserved_somewhere(name: str) -> bool:
    return is_reserved(name) or name.lower() in _SOMEWHERE
