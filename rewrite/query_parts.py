"""A query's parts, whatever the order in which it says them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp


def has_inner_with(dialect: str) -> bool:
    """Whether a query inside of another one may begin with WITH."""
    return dialect != "tsql"


def sources(query: exp.Select) -> Iterator[tuple[exp.Expr, str]]:
    """What it reads, and how that is joined."""
    source = query.args.get("from_")
    if source is not None:
        yield source.this, ""
    for join in query.args.get("joins") or ():
        yield join.this, side(join)


def side(join: exp.Join) -> str:
    """Empty for inner joins of all kinds."""
    words = (join.side, "" if join.kind in ("INNER", "CROSS", "OUTER") else join.kind, join.method)
    using = "USING" if join.args.get("using") else ""
    return " ".join(filter(None, (*words, using)))


def name_of(source: exp.Expr) -> str:
    """The name of a table; all other queries have one."""
    return source.name.lower() if isinstance(source, exp.Table) else "("


def conjuncts(query: exp.Select, outer: bool) -> list[exp.Expr]:
    """The conditions of outer joins, or those of inner joins and the WHERE."""
    clauses = [j.args["on"] for j in query.args.get("joins") or ()
               if j.args.get("on") is not None and bool(side(j)) == outer]  # fmt: skip
    where = query.args.get("where")
    if where is not None and not outer:
        clauses.append(where.this)
    every = (c for clause in clauses for c in (clause.flatten() if isinstance(clause, exp.And)
                                               else (clause,)))  # fmt: skip
    return [c for c in every if not _is_always(c)]


def _is_always(test: exp.Expr) -> bool:
    """Whether it is the condition that is none, in either spelling."""
    if isinstance(test, exp.EQ):  # long ones are not printed to find that out
        if not (isinstance(test.this, exp.Literal) and isinstance(test.expression, exp.Literal)):
            return False
    elif not isinstance(test, exp.Boolean | exp.Var | exp.Column):
        return False
    return test.sql() in ("1 = 1", "TRUE")


def keys(query: exp.Select) -> list[exp.Expr] | None:
    """What it groups by; None where that is not a plain list."""
    group = query.args["group"]
    if {name for name, value in group.args.items() if value} != {"expressions"}:
        return None
    found: list[exp.Expr] = []
    for key in group.expressions:
        if isinstance(key, exp.Literal) and key.is_int:
            at = int(key.name)
            items = query.expressions[:at]
            if not 0 < at <= len(items) or any(isinstance(item, exp.Var) for item in items):
                return None  # a call among the items may be several columns
            found.append(items[-1].unalias())
        else:
            found.append(key)
    return found


def says(node: exp.Expr) -> tuple[object, ...]:
    """What a node says apart from its children's contents."""
    words: list[object] = [type(node)]
    for name in sorted(node.args):
        value = node.args[name]
        if isinstance(value, list):
            words += [(name, len(value))] if value else []
        elif isinstance(value, exp.Expr):
            words.append(name)
        elif value not in (None, False):
            words.append((name, value))
    return tuple(words)


def is_quoted_in_text(node: exp.Expr) -> bool:
    """Whether it is a part of a path into JSON that has quotes of its own, such as `['a.b']`: these
    are written with signs before them in the text that the path is."""
    if not isinstance(node, exp.JSONPathPart):
        return False
    return not isinstance(node.this, int) and not exp.SAFE_IDENTIFIER_RE.match(str(node.this))
