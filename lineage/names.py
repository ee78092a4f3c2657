"""How names compare: folding by dialect, relation names, and what an alias may be seen from."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from sqlglot import Dialect, exp

DEEP = 20_000  # Python frames; a query nested 300 levels deep needs some thousands


@contextmanager
def deep_stack(frames: int = DEEP) -> Iterator[None]:
    """Room for at least so many frames: nested queries are read recursively."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, frames))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def fold(name: str, quoted: bool, dialect: str) -> str:
    """The form in which two spellings of one name are equal: lower case, where case is noise."""
    mode = _folding(dialect)
    if mode == "lower" or (not quoted and mode != "exact"):
        return name.lower()
    if mode == "upper" and name == name.upper() and not is_never_bare(name):
        return name.lower()  # snowflake: "ID" is the unquoted id
    return name


def is_never_bare(name: str) -> bool:
    """Whether no engine takes the name without quotes: it has a hyphen, or a blank."""
    return _NEVER_BARE.search(name) is not None


_NEVER_BARE: Final = re.compile(r"[^\w$#@]")


# Reserved in standard SQL and in most engines (SQL:2016 part 2, 5.2; PostgreSQL's appendix C).
_RESERVED_WORDS: Final = """
all analyse analyze and any array as asc asymmetric authorization between both by case cast
check collate column constraint create cross current current_date current_role current_time
current_timestamp current_user default deferrable delete desc describe distinct do drop else
end except exists explain false fetch for foreign from full function grant group groups
having if ilike in index initially inner insert intersect interval into is isnull join key
lateral leading left like limit localtime localtimestamp merge natural not notnull null of
offset on only or order outer overlaps partition placing primary procedure qualify range
recursive references returning right row rows select session_user set show similar some
start symmetric system table tablesample then to top trailing true truncate union unique
unpivot update user using values variadic view when where window with
"""
_RESERVED: Final = frozenset(_RESERVED_WORDS.split())

# "Reserved Keywords (Transact-SQL)" of its manual; sqlglot's printer knows none of them
_TSQL_WORDS: Final = """
add all alter and any as asc authorization backup begin between break browse bulk by cascade
case check checkpoint close clustered coalesce collate column commit compute constraint contains
containstable continue convert create cross current current_date current_time current_timestamp
current_user cursor database dbcc deallocate declare default delete deny desc disk distinct
distributed double drop dump else end errlvl escape except exec execute exists exit external
fetch file fillfactor for foreign freetext freetexttable from full function goto grant group
having holdlock identity identity_insert identitycol if in index inner insert intersect into is
join key kill left like lineno load merge national nocheck nonclustered not null nullif of off
offsets on open opendatasource openquery openrowset openxml option or order outer over percent
pivot plan precision primary print proc procedure public raiserror read readtext reconfigure
references replication restore restrict return revert revoke right rollback rowcount rowguidcol
rule save schema securityaudit select session_user set setuser shutdown some statistics
system_user table tablesample textsize then to top tran transaction trigger truncate try_convert
tsequal union unique unpivot update updatetext use user values varying view waitfor when where
while with writetext
"""
_RESERVED_BY: Final = dict.fromkeys(("tsql", "fabric"), frozenset(_TSQL_WORDS.split()))


def is_reserved(name: str) -> bool:
    """Whether most engines take the word for one of SQL where it has no quotes."""
    return name.lower() in _RESERVED


def is_reserved_by(name: str, dialect: str) -> bool:
    """Whether an engine of which the printer does not know it takes the word for one of SQL."""
    return name.lower() in _RESERVED_BY.get(dialect, ())


# Bytes in a name, or letters; what is longer is refused or, worse, cut without a word.
_LONGEST: Final = {"postgres": 63, "redshift": 127, "mysql": 64, "tsql": 128, "fabric": 128,
                   "oracle": 128, "snowflake": 255, "databricks": 255, "bigquery": 1024,
                   "hive": 128, "teradata": 128}  # fmt: skip


# these count letters, as their manuals say of identifiers: SQL Server units of UTF-16
_BY_LETTERS: Final = frozenset({"mysql", "tsql", "fabric", "snowflake", "databricks", "hive",
                                "teradata"})  # fmt: skip
_TWO_UNITS: Final = 0x10000  # from here on a letter is a pair in UTF-16


def name_size(name: str, dialect: str) -> tuple[int, str]:
    """How long the engine takes a name to be, and in what it counts."""
    if dialect not in _BY_LETTERS:
        return len(name.encode()), "bytes"
    pairs = sum(ord(sign) >= _TWO_UNITS for sign in name) if dialect in ("tsql", "fabric") else 0
    return len(name) + pairs, "letters"


def within_bytes(name: str, size: int) -> str:
    """As much of the name's beginning as so many bytes hold."""
    return name.encode()[:size].decode(errors="ignore")


def marked_within(name: str, size: int, mark_bytes: int) -> str:
    """A name cut to so many bytes, and told from others that begin alike by a digest of all of it,
    of ``mark_bytes``."""
    mark = blake2b(name.encode(), digest_size=mark_bytes).hexdigest()
    return f"{within_bytes(name, size - len(mark) - 1).rstrip('_')}_{mark}"


def longest_name(dialect: str) -> int:
    """How many bytes or letters (`name_size`) of a name the engine keeps; 0 where nothing is known
    to be too long."""
    return _LONGEST.get(dialect, 0)


def is_other_in_quotes(name: str, dialect: str) -> bool:
    """Whether the name with quotes is another one than without."""
    return fold(name, False, dialect) != fold(name, True, dialect)


def upper_case(name: str, dialect: str) -> str:
    """A folded name as a warehouse keeps it that folds to upper case; others as it is."""
    bare = name == name.lower() and not is_never_bare(name)
    return name.upper() if bare and _folding(dialect) == "upper" else name


def folds_up(dialect: str) -> bool:
    """Whether a warehouse keeps names without quotes in capitals."""
    return _folding(dialect) == "upper"


@lru_cache(maxsize=64)
def _folding(dialect: str) -> str:
    if dialect == "clickhouse":
        return "exact"
    strategy = Dialect.get_or_raise(dialect or None).NORMALIZATION_STRATEGY.name
    return {"LOWERCASE": "quoted", "UPPERCASE": "upper"}.get(strategy, "lower")


def folded(node: object, dialect: str) -> str:
    """Folded name of an identifier, or of whatever node carries one; "" when it has none."""
    if isinstance(node, exp.Identifier):
        args, mode = node.args, _folding(dialect)
        if mode == "lower" or (mode != "exact" and not args.get("quoted")):
            return args["this"].lower()  # type: ignore[no-any-return]
        return fold(args["this"], bool(args.get("quoted")), dialect)
    if isinstance(node, exp.Expression):
        inner = node.args.get("alias") or node.args.get("this")
        return folded(inner, dialect) if inner is not node else ""
    return node.lower() if isinstance(node, str) else ""


def relation_name(table: exp.Table, dialect: str) -> str:
    """`db.schema.table`, folded; a T-SQL temp table keeps its `#`, a table variable its `@`."""
    last = table.args.get("this")
    if isinstance(last, exp.Identifier):
        name = folded(last, dialect)
        if sign := temporary_sign(last):
            return sign + name
        above = [folded(each, dialect) for key in _ABOVE if (each := table.args.get(key))]
        if above == _OF_SESSIONS.get(dialect):
            return name
        name = ".".join(part for part in (*above, name) if part) if above else name
    elif isinstance(last, exp.Dot):
        parts = (folded(part, dialect) for part in _parts(table))
        name = ".".join(part for part in parts if part)
    elif isinstance(last, exp.Parameter):
        return "@" + folded(last.this, dialect)
    else:
        return str(last.this) if isinstance(last, exp.Var) else ""  # a stage: its name is a path
    # BigQuery: `t$20200101` is a partition of t
    return name.partition("$")[0] if dialect == "bigquery" and "$" in name else name


_ABOVE = ("catalog", "db")
# the schema of temporary tables, which need not be said
_OF_SESSIONS: Final = {"bigquery": ["_session"], "postgres": ["pg_temp"], "duckdb": ["temp"]}


def temporary_sign(name: exp.Expr) -> str:
    """`#` or `##` of a T-SQL name of a temporary table, which the parser keeps apart."""
    if name.args.get("global_"):
        return "##"
    return "#" if name.args.get("temporary") else ""


def qualifiers(column: exp.Expr, dialect: str) -> list[str]:
    """The names before a column's own, folded: `s.t` of s.t.a."""
    args = column.args
    if args.get("table") is None:
        return []
    given = ("catalog", "db", "table") if args.get("db") is not None else ("table",)
    parts = (args.get(key) for key in given)
    return [
        temporary_sign(part) + name
        for part in parts
        if part is not None and (name := folded(part, dialect))
    ]


def alias_of(item: exp.Expr, dialect: str) -> str:
    """The alias of a FROM item, folded; "" when it has none."""
    alias = item.args.get("alias")
    if isinstance(alias, exp.TableAlias):
        alias = alias.args.get("this")
    return folded(alias, dialect) if alias is not None else ""


def alias_columns(item: exp.Expr, dialect: str) -> list[str]:
    """The names in an alias's column list, which may carry types (`AS t(a int)`)."""
    alias = item.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return []
    columns = alias.args.get("columns") or ()
    return [folded(c.this if isinstance(c, exp.ColumnDef) else c, dialect) for c in columns]


def table_part(target: exp.Expression) -> exp.Expression:
    """The table of a statement's target, without the column list it may carry."""
    return target.this if isinstance(target, exp.Schema) else target


def place_name(node: object) -> str:
    """The name of a place outside of the database: a file, an address, a stage; else ""."""
    if isinstance(node, exp.Directory | exp.Table):
        node = node.this
    if isinstance(node, exp.Var) or (isinstance(node, exp.Literal) and node.is_string):
        return str(node.this)
    return ""


def _parts(table: exp.Table) -> list[object]:
    last = table.args.get("this")
    tail: list[object] = []
    while isinstance(last, exp.Dot):
        tail.append(last.expression)
        last = last.this
    return [table.args.get("catalog"), table.args.get("db"), last, *reversed(tail)]


def is_token(name: str) -> bool:
    """Whether the whole name is a masked placeholder (`p__region__p`)."""
    return len(name) > 6 and name[:3].lower() == "p__" and name[-3:].lower() == "__p"


def is_parameter(column: exp.Column) -> bool:
    """Whether this "column" is a placeholder standing alone: a parameter, not a column."""
    return column.args.get("table") is None and is_token(column.name)


def position(column: exp.Column | exp.Parameter) -> int:
    """The number in `$1` or `t.$1` (Snowflake), counted from 1; 0 for a column with a name."""
    node = column.this if isinstance(column, exp.Column) else column
    number = node.this if isinstance(node, exp.Parameter) else None
    if isinstance(number, exp.Literal) and not number.is_string and number.this.isdigit():
        return int(number.this)
    return 0


# Names without a table, wherever no column is certainly meant.
_ORACLE = frozenset(
    {"level", "rownum", "sysdate", "user", "uid", "nextval", "currval"}
    | {"connect_by_isleaf", "connect_by_iscycle", "sqlerrm", "sqlcode", "sql", "rowcount"}
)
PSEUDO_COLUMNS: dict[str, frozenset[str]] = {
    "oracle": _ORACLE,
    "snowflake": frozenset({"level", "nextval", "sqlrowcount", "sqlerrm", "sqlcode", "sqlstate"}),
    "postgres": frozenset({"tg_op", "found"}),
}


# Which clauses see the select list's aliases; joins and WHERE do not unless a dialect says so.
_USUAL = frozenset({"group", "having", "order", "qualify"})
_EVERYWHERE = _USUAL | {"select", "where"}
ALIAS_CLAUSES: dict[str, frozenset[str]] = {
    "": _USUAL | {"select"},
    "tsql": frozenset({"order"}),
    "oracle": frozenset({"order"}),
    "trino": frozenset({"order"}),
    "presto": frozenset({"order"}),
    "athena": frozenset({"order"}),
    "postgres": frozenset({"group", "order"}),
    "hive": frozenset({"having", "order"}),
    "snowflake": _EVERYWHERE,
    "duckdb": _EVERYWHERE,
    "teradata": _EVERYWHERE,
    "clickhouse": _EVERYWHERE | {"on"},
    "redshift": _USUAL | {"select"},
    "spark": _USUAL | {"select"},
    "databricks": _USUAL | {"select"},
    "sqlite": _USUAL | {"where"},
}
# Where an alias hides a column of the same name; everywhere else the column wins.
_ALIAS_WINS: dict[str, frozenset[str]] = {
    "clickhouse": _EVERYWHERE,
    "bigquery": frozenset({"group", "having", "order"}),
    "mysql": frozenset({"having", "order"}),
}
_ORDER = frozenset({"order"})


def sees_aliases(dialect: str, clause: str) -> bool:
    """Whether a name in `clause` may mean an item of the select list."""
    return clause in ALIAS_CLAUSES.get(dialect, _USUAL)


def alias_wins(dialect: str, clause: str) -> bool:
    """Whether the alias is meant when a column has the same name."""
    return clause in _ALIAS_WINS.get(dialect, _ORDER)


# Dialects where `a.b` may be field b of column a, and where a table name is its row.
STRUCTS = frozenset(
    {
        "",
        "bigquery",
        "spark",
        "databricks",
        "hive",
        "duckdb",
        "clickhouse",
        "trino",
        "presto",
        "athena",
        "snowflake",
    }
)
ROWS = frozenset({"", "bigquery", "postgres", "redshift", "duckdb"})
INTO_VARIABLES = frozenset({"oracle", "mysql", "bigquery"})  # where SELECT INTO makes no table
# Dialects whose recursive CTEs do without the word RECURSIVE.
SELF_REFERENCE = frozenset({"tsql", "oracle", "snowflake", "teradata", ""})
