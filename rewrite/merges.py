"""MERGE, UPDATE ... FROM and DELETE ... USING as queries over the rows that the table held before.

DELETE FROM t USING s WHERE c      ->  the rows of t for which no row of s makes c true
UPDATE t SET a = e FROM s WHERE c  ->  t LEFT JOIN s ON c, a = CASE WHEN there is a row of s ...
MERGE INTO t USING s ON c          ->  the same for WHEN MATCHED, and UNION ALL the rows of s for
                                       which no row of t makes c true, for WHEN NOT MATCHED

A row of t that several rows of s change is an error of MERGE, and chance in an UPDATE: the joins
take for granted that there is none. WHEN NOT MATCHED BY SOURCE is not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.rewrite.scalars import column_type

MET: Final = "met_before"  # the column that says whether there is a row of the other side
_MERGE: Final = frozenset({"this", "using", "on", "whens"})
_WHEN: Final = frozenset({"matched", "condition", "then"})

Assigned = Callable[[exp.Expr], Mapping[str, exp.Expr] | str]  # what SET says, or why it cannot be


@dataclass(frozen=True, slots=True)
class Held:
    """The rows that a table held: what they are called, the table's name in the statement, its
    columns and their types, which may be unknown."""

    before: str
    alias: str
    columns: Sequence[str]
    types: Sequence[str]

    def table(self) -> exp.Table:
        """Them in a FROM clause."""
        alias = exp.TableAlias(this=exp.to_identifier(self.alias))
        return exp.Table(this=exp.to_identifier(self.before), alias=alias)

    def column(self, name: str) -> exp.Column:
        """One of their columns."""
        return exp.column(name, table=self.alias)


@dataclass(frozen=True, slots=True)
class _Change:
    """What happens to a row of the table: where `test` is true, it goes or gets new values."""

    test: exp.Expr | None
    values: Mapping[str, exp.Expr] | None  # None: it goes


def deleted_using(tree: exp.Expr, held: Held) -> exp.Query | str:
    """The rows that DELETE ... USING leaves."""
    first, *more = (each.copy() for each in tree.args["using"])
    where = tree.args.get("where")
    if where is None or not _are_qualified(where.this):
        return "DELETE with using and names without their table is not followed"
    joins = [*(first.args.get("joins") or ()), *(exp.Join(this=each) for each in more)]
    first.set("joins", None)
    found = exp.Select(
        expressions=[exp.Literal.number(1)],
        from_=exp.From(this=first),
        joins=joins,
        where=exp.Where(this=where.this.copy()),
    )
    return exp.Select(
        expressions=[held.column(name) for name in held.columns],
        from_=exp.From(this=held.table()),
        where=exp.Where(this=exp.Not(this=exp.Exists(this=found))),
    )


def updated_from(tree: exp.Expr, held: Held, assigned: Assigned) -> exp.Query | str:
    """The rows that UPDATE ... FROM one relation leaves."""
    source, where = tree.args["from_"].this, tree.args.get("where")
    new = assigned(tree)
    if isinstance(new, str):
        return new
    if where is None or not _is_one(source):
        return "UPDATE with from of several relations is not followed"
    return _changed(held, source, where.this, [_Change(None, new)])


def merged(tree: exp.Expr, held: Held, assigned: Assigned) -> exp.Query | str:
    """The rows that a MERGE leaves."""
    source, on = tree.args.get("using"), tree.args.get("on")
    odd = sorted(name for name, value in tree.args.items() if value and name not in _MERGE)
    if odd or on is None or source is None or not _is_one(source):
        return f"MERGE with {odd[0].strip('_') if odd else 'another source'} is not followed"
    changes: list[_Change] = []
    inserts: list[exp.Expr] = []
    for when in tree.args["whens"].expressions:
        if any(value and name not in _WHEN for name, value in when.args.items()):
            return "MERGE with rows that are not matched by source is not followed"
        if not when.args.get("matched"):
            inserts.append(when)
            continue
        change = _change(when, assigned)
        if isinstance(change, str):
            return change
        changes.append(change)
    if len(inserts) > 1 or (inserts and not _are_qualified(on)):
        return "MERGE with several INSERTs, or names without their table, is not followed"
    kept = _changed(held, source, on, changes)
    if isinstance(kept, str) or not inserts:
        return kept
    added = _inserted(held, source, on, inserts[0])
    return (
        added if isinstance(added, str) else exp.Union(this=kept, expression=added, distinct=False)
    )


def _change(when: exp.Expr, assigned: Assigned) -> _Change | str:
    test, then = when.args.get("condition"), when.args.get("then")
    if isinstance(then, exp.Var) and then.name.upper() == "DELETE":
        return _Change(test, None)
    if not isinstance(then, exp.Update) or _says_more(then, "expressions"):
        return "MERGE with another action is not followed"
    new = assigned(then)
    return new if isinstance(new, str) else _Change(test, new)


def as_column(value: exp.Expr, kind: str) -> exp.Expr:
    """A copy of a value as a column of that type has it."""
    new = value.copy()
    return exp.cast(new, column_type(kind)) if kind else new


# --- rows that were there -----------------------------------------------------------------------


def _changed(
    held: Held, source: exp.Expr, on: exp.Expr, changes: Sequence[_Change]
) -> exp.Select | str:
    """The old rows as the changes leave them. Only rows of the source that change one are joined,
    so that one that is met by others, too, stands once."""
    select = exp.Select(from_=exp.From(this=held.table()))
    if not changes:
        select.set("expressions", [held.column(name) for name in held.columns])
        return select
    name = source.alias or source.name
    met = exp.EQ(this=exp.column(MET, table=name), expression=exp.Literal.number(1))
    tests = [_all_of(met, change.test) for change in changes]
    acting = [change.test for change in changes]
    only = None if None in acting else exp.or_(*(t.copy() for t in acting if t is not None))
    join = exp.Join(this=_marked(source, name), side="LEFT", on=_all_of(on, only))
    select.set("joins", [join])
    items: list[exp.Expr] = []
    for column, kind in zip(held.columns, held.types or [""] * len(held.columns), strict=True):
        old = held.column(column)
        pairs = [(test, change.values.get(column, old)) for test, change in zip(tests, changes,
                 strict=True) if change.values is not None]  # fmt: skip
        if all(value is old for _, value in pairs):
            items.append(old)
            continue
        ifs = [exp.If(this=test.copy(), true=old.copy() if value is old else as_column(value, kind))
               for test, value in pairs]  # fmt: skip
        items.append(exp.alias_(exp.Case(ifs=ifs, default=old), column))
    select.set("expressions", items)
    if any(change.values is None for change in changes):
        said = [exp.Literal.number(int(change.values is None)) for change in changes]
        ifs = [exp.If(this=t.copy(), true=one) for t, one in zip(tests, said, strict=True)]
        gone = exp.Case(ifs=ifs, default=exp.Literal.number(0))
        select.set("where", exp.Where(this=exp.EQ(this=gone, expression=exp.Literal.number(0))))
    return select


def _marked(source: exp.Expr, name: str) -> exp.Subquery:
    """The rows of the other side with a column that is NULL where there is none."""
    inner = source.copy()
    rows = exp.Select(
        expressions=[exp.Star(), exp.alias_(exp.Literal.number(1), MET)],
        from_=exp.From(this=inner),
    )
    return exp.Subquery(this=rows, alias=exp.TableAlias(this=exp.to_identifier(name)))


# --- new rows -----------------------------------------------------------------------------------


def is_default(value: exp.Expr) -> bool:
    """The word DEFAULT, which is read as a column, and in VALUES as a word of its own."""
    return isinstance(value, exp.Column | exp.Var) and value.sql().upper() == "DEFAULT"


def _inserted(held: Held, source: exp.Expr, on: exp.Expr, when: exp.Expr) -> exp.Select | str:
    """The rows of the other side that no old row meets."""
    then, test = when.args.get("then"), when.args.get("condition")
    given = then.args.get("expression") if isinstance(then, exp.Insert) else None
    if (
        not isinstance(then, exp.Insert)
        or not isinstance(given, exp.Tuple)
        or _says_more(then, "this", "expression")
    ):
        return "MERGE with another action is not followed"
    named = [each.name.lower() for each in then.this.expressions] if then.this else held.columns
    values = dict(zip(named, given.expressions, strict=False))
    if len(named) != len(given.expressions) or set(values) != {c.lower() for c in held.columns}:
        return "MERGE that inserts some of the columns only is not followed"
    if any(map(is_default, values.values())):
        return "MERGE that inserts a DEFAULT is not followed"
    if not held.types or not all(held.types):
        return "MERGE casts to the types of the table, which are not known"
    found = exp.Select(
        expressions=[exp.Literal.number(1)],
        from_=exp.From(this=held.table()),
        where=exp.Where(this=on.copy()),
    )
    items = [
        exp.alias_(exp.cast(values[column.lower()].copy(), column_type(kind)), column)
        for column, kind in zip(held.columns, held.types, strict=True)
    ]
    return exp.Select(
        expressions=items,
        from_=exp.From(this=source.copy()),
        where=exp.Where(this=_all_of(exp.Not(this=exp.Exists(this=found)), test)),
    )


# --- small parts --------------------------------------------------------------------------------


def _says_more(then: exp.Expr, *known: str) -> bool:
    """Whether an action has more than these parts: a WHERE of its own, in Oracle."""
    return any(value and name not in known for name, value in then.args.items())


def _is_one(source: exp.Expr) -> bool:
    """Whether it is one relation or query with a name."""
    if source.args.get("joins") or source.args.get("laterals") or source.args.get("pivots"):
        return False
    return isinstance(source, exp.Table | exp.Subquery) and bool(source.alias or source.name)


def _are_qualified(test: exp.Expr) -> bool:
    """Whether each column says whose it is: in a subquery a bare name may be another one."""
    return all(column.table for column in test.find_all(exp.Column)) and not test.find(exp.Query)


def _all_of(first: exp.Expr, second: exp.Expr | None) -> exp.Expr:
    return exp.and_(first.copy(), second.copy()) if second is not None else first.copy()
