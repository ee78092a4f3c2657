"""Trees of any dialect as SQL that DuckDB runs: names placed, clock pinned, misprints mended.

Old and new SQL take the same way through here, so where DuckDB means something else than the
original engine (T-SQL's FLOAT becomes 32 bits, a division by zero is NULL), both sides are off in
the same way. Nothing here changes which rows a query means relative to another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlglot import exp

from unwet.lineage.errors import RenderError
from unwet.lineage.printing import render
from unwet.lineage.trees import copied
from unwet.rewrite.prove.limits import unspoken
from unwet.rewrite.prove.mends import EVERYWHERE, mend
from unwet.rewrite.quotients import as_surely

Finder = Callable[[Sequence[str]], tuple[str, ...] | None]
UNTYPED: Mapping[str, Iterable[str]] = MappingProxyType({})

_TIMESTAMPS = (
    exp.CurrentTimestamp, exp.CurrentDatetime, exp.CurrentTimestampLTZ, exp.Localtimestamp,
    exp.Systimestamp,
)  # fmt: skip
_DATES = (exp.CurrentDate,)
_TIMES = (exp.CurrentTime, exp.Localtime)
_UTC = {exp.UtcTimestamp: "TIMESTAMP", exp.UtcDate: "DATE", exp.UtcTime: "TIME"}
_NAMED_TIMESTAMPS = frozenset(
    {"now", "sysdate", "statement_timestamp", "transaction_timestamp"}
    | {"sysdatetimeoffset", "get_current_timestamp"}
)
_NAMED_DATES = frozenset({"curdate", "today"})
_NAMED_TIMES = frozenset({"curtime"})

_VOLATILE = (exp.Rand, exp.Randn, exp.Uuid, exp.Uniform, exp.NextValueFor, exp.TableSample,
             exp.Seq1, exp.Seq2, exp.Seq4, exp.Seq8)  # fmt: skip
_NAMED_VOLATILE = frozenset(
    {"random", "rand", "newid", "newsequentialid", "gen_random_uuid", "uuid", "sys_guid"}
    | {"nextval", "monotonically_increasing_id", "randstr", "uuid_string", "generate_uuid"}
    | {"gen_random_bytes", "crypt_gen_random", "dbms_random", "uuidv4", "uuidv7", "zipf"}
)

# Results of these can depend on the order in which rows come in. Unknown functions may, too.
_ORDER_SENSITIVE = (
    exp.Window, exp.Limit, exp.Fetch, exp.Offset, exp.AnyValue, exp.First, exp.Last, exp.ArrayAgg,
    exp.GroupConcat, exp.ArgMax, exp.ArgMin, exp.Qualify, exp.ApproxDistinct, exp.ApproxQuantile,
    exp.Mode, exp.JSONArrayAgg, exp.JSONObjectAgg, exp.Anonymous,
)  # fmt: skip


def to_duckdb(
    tree: exp.Expr, clock: datetime, find: Finder, types: Mapping[str, Iterable[str]] = UNTYPED
) -> str:
    """A query or statement as DuckDB SQL, from a copy of `tree`.

    `find` says where a relation is: name parts in; (catalog, schema, table), less for temporary
    ones, or None when unknown, out. `types`: how columns are declared, by their names. Raises
    RenderError for what DuckDB has no words for.
    """
    if why := _unlike(tree):
        raise RenderError(f"{why}: DuckDB would return other rows")
    copy = copied(tree)
    as_surely(copy, types)
    copy = pin_clock(mend(copy), clock)
    place_tables(copy, find)
    return render(copy, "duckdb", pretty=False, spent=True)


# those of DuckDB's own; "C" is what it does without any, which another engine may not
_COLLATIONS = frozenset({"nocase", "noaccent", "nfc"})


def _unlike(tree: exp.Expr) -> str:
    """What DuckDB takes for something else, and so for the same on both sides."""
    for node in tree.find_all(exp.BitString, exp.HexString, exp.Collate, exp.Query):
        match node:
            case exp.Query():
                if why := unspoken(node):
                    return why
            case exp.BitString():
                return "a string of bits"
            case exp.HexString() if node.args.get("bits"):
                return "a string of bits"
            case exp.Collate():
                name = node.expression.name.lower()
                if not set(name.split(".")) <= _COLLATIONS:
                    return f"the collation {name}"
    return ""


def to_server(tree: exp.Expr, clock: datetime | None, find: Finder, dialect: str) -> str:
    """The same for another engine, by the name of its dialect; `find` may leave parts away.
    Without a `clock` the engine's own is read."""
    copy = mend(copied(tree), EVERYWHERE)
    if clock is not None:
        copy = pin_clock(copy, clock)
    place_tables(copy, find)
    return render(copy, dialect, pretty=True, spent=True)


def pin_clock(tree: exp.Expr, clock: datetime) -> exp.Expr:
    """Every reading of the clock becomes the same moment, a TIMESTAMP without zone.

    Also functions that sqlglot knows by name only (SYSDATE, CLOCK_TIMESTAMP), and the casts of
    'now', 'today'. One-argument AGE counts from midnight of that day.
    """
    moments = {
        f"{kind}{name}": (clock + shift).strftime(form)
        for kind, form in _FORMS.items()
        for name, shift in _SHIFTS.items()
    }

    def pinned(node: exp.Expr) -> exp.Expr:
        kind = _reads_clock(node)
        if kind:
            return exp.cast(exp.Literal.string(moments[kind]), kind.partition(" ")[0])
        if (
            isinstance(node, exp.Anonymous)
            and _called(node) == "age"
            and len(node.expressions) == 1
        ):
            today = exp.cast(exp.Literal.string(moments["DATE"]), "TIMESTAMP")
            return exp.Anonymous(this="age", expressions=[today, *node.expressions])
        return node

    return mend(tree, (pinned,))


_FORMS = {"TIMESTAMP": "%Y-%m-%d %H:%M:%S", "DATE": "%Y-%m-%d", "TIME": "%H:%M:%S"}
# One query sees them differ: in the zone of a session from UTC, by a day at times; and what goes on
# within a transaction from what does not
_SHIFTS = {"": timedelta(), " utc": timedelta(hours=-9), " running": timedelta(seconds=1)}


def _reads_clock(node: exp.Expr) -> str:
    """TIMESTAMP, DATE or TIME where it does, behind it which clock; else nothing."""
    if isinstance(node, (exp.UtcTimestamp, exp.UtcDate, exp.UtcTime)):
        return f"{_UTC[type(node)]} utc"
    if isinstance(node, _TIMESTAMPS):
        return "TIMESTAMP"
    if isinstance(node, _DATES):
        return "DATE"
    if isinstance(node, _TIMES):
        return "TIME"
    if isinstance(node, exp.Anonymous):
        return _named_clock(_called(node), bool(node.expressions))
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        word = str(node.this.this).lower()
        return "TIMESTAMP" if word == "now" else "DATE" if word == "today" else ""
    return ""


def _named_clock(name: str, has_arguments: bool) -> str:
    if has_arguments:
        return ""
    if name in ("getutcdate", "sysutcdatetime"):
        return "TIMESTAMP utc"
    if name == "clock_timestamp":
        return "TIMESTAMP running"
    if name in _NAMED_TIMESTAMPS:
        return "TIMESTAMP"
    return "DATE" if name in _NAMED_DATES else "TIME" if name in _NAMED_TIMES else ""


def volatile(tree: exp.Expr) -> tuple[str, ...]:
    """What in the tree returns something else each time: random numbers, new ids, samples."""
    return tuple(sorted({name for node in tree.walk() if (name := _volatile_name(node))}))


def _volatile_name(node: exp.Expr) -> str:
    if isinstance(node, _VOLATILE):
        return node.key
    called = _called(node) if isinstance(node, exp.Anonymous) else ""
    return called if called in _NAMED_VOLATILE else ""


def order_sensitive(tree: exp.Expr) -> bool:
    """Whether the result may depend on the order in which the input rows come."""
    return any(
        isinstance(node, _ORDER_SENSITIVE)
        or (isinstance(node, exp.Distinct) and node.args.get("on") is not None)
        for node in tree.walk()
    )


def _called(node: exp.Anonymous) -> str:
    return str(node.this).lower()


# --- names ------------------------------------------------------------------------------------


def name_parts(table: exp.Table) -> tuple[str, ...]:
    """(catalog, schema, table) as far as written; a T-SQL temp table keeps its `#`.

    Empty for what is no plain name (table functions, subqueries).
    """
    last = table.this
    tail: list[exp.Expr] = []
    while isinstance(last, exp.Dot):
        tail.append(last.expression)
        last = last.this
    if not isinstance(last, exp.Identifier):
        return ()
    if last.args.get("temporary") or last.args.get("global_"):
        return (("##" if last.args.get("global_") else "#") + last.name,)
    parts = (table.catalog, table.db, last.name, *(part.name for part in reversed(tail)))
    return tuple(part for part in parts if part)


def relations(tree: exp.Expr) -> Iterator[exp.Table]:
    """Tables of a tree that are no names of its CTEs."""
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        parts = name_parts(table)
        if parts and not (len(parts) == 1 and parts[0].lower() in ctes):
            yield table


def place_tables(tree: exp.Expr, find: Finder) -> None:
    """Write every known relation with its full name, aliased as it was called before.

    With the catalog, since a view is bound when it is used, whichever world is current then.
    """
    called_parts = set[tuple[str, ...]]()
    for table in list(relations(tree)):
        parts = name_parts(table)
        called_parts.add(tuple(part.lower() for part in parts))
        place = find(parts)
        if place is None:
            continue
        called = table.alias or table.name
        table.set("this", exp.to_identifier(place[-1], quoted=True))
        table.set("db", exp.to_identifier(place[-2], quoted=True) if len(place) > 1 else None)
        table.set("catalog", exp.to_identifier(place[0], quoted=True) if len(place) > 2 else None)
        changed = isinstance(table.parent, exp.Update | exp.Delete | exp.Merge)
        renamed = changed and called.lower() != place[-1].lower()
        if not table.alias and (renamed or isinstance(table.parent, exp.From | exp.Join)):
            table.set("alias", exp.TableAlias(this=exp.to_identifier(called, quoted=True)))
    _shorten(tree, called_parts)


def _shorten(tree: exp.Expr, relations: Iterable[tuple[str, ...]]) -> None:
    """schema.table.column -> table.column: the table has a new schema. But a.b.c may be a field of
    a struct, which stays."""
    names = {relation[-n:] for relation in relations for n in range(2, len(relation) + 1)}
    for column in tree.find_all(exp.Column):
        slots = (column.args.get(slot) for slot in ("catalog", "db", "table"))
        qualifiers = tuple(each.name.lower() for each in slots if isinstance(each, exp.Expr))
        if qualifiers in names:
            column.set("db", None)
            column.set("catalog", None)
