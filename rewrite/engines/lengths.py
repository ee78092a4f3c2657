"""Names that are longer than another engine keeps them.

    WITH a_name_of_ninety_bytes AS (..)   ->  WITH the_first_50_of_it_3f9a2b1c AS (..)

PostgreSQL cuts them without an error, so that two that begin alike become one. What only the query
itself sees (a CTE, a column of a subquery) is called otherwise there; the columns of the report and
what it reads are not the query's to name.

cut(tree, source, target) in place; too_long(tree, outside, target) -> why it cannot be such a query
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from unwet.lineage.names import longest_name, marked_within, name_size, within_bytes
from unwet.rewrite.compose import NotComposable, Outside
from unwet.rewrite.targets.tokens import TOKEN


def cut(tree: exp.Query, source: str, target: str) -> None:
    """In place: names that only the query sees, cut for the engine that it is written for, each
    told from all others by a digest of what it was. Raises NotComposable where two would be one."""
    longest = longest_name(target)
    if not longest or source == target:
        return
    names = [each for each in tree.find_all(exp.Identifier) if not TOKEN.search(each.name)]
    long = [each for each in names if name_size(each.name, target)[0] > longest]
    if not long or any(select.is_star for select in _outputs(tree)):
        return
    own = {name.lower() for name in _given(tree)}
    own -= {output.alias_or_name.lower() for output in _outputs(tree)}
    short = {
        _said(each): marked_within(_said(each), longest, _MARK)
        for each in long
        if each.name.lower() in own
    }
    there = {_said(each) for each in names}
    if len({*short.values()}) < len(short) or there & {*short.values()}:
        raise NotComposable(f"names that are longer than {target} takes cannot be told apart")
    for each in long:
        each.set("this", short.get(_said(each), each.name))


def too_long(tree: exp.Query, outside: Iterable[Outside], target: str) -> str:
    """The first name that the engine would cut, or refuse; empty where there is none."""
    longest = longest_name(target)
    if not longest:
        return ""
    own = (each.name for each in tree.find_all(exp.Identifier) if not TOKEN.search(each.name))
    read = (part for each in outside for part in (*each.schema.split("."), each.table))
    found = next((name for name in (*own, *read) if name_size(name, target)[0] > longest), "")
    if not found:
        return ""
    start = within_bytes(found, _SHOWN)
    size, what = name_size(found, target)
    return f"the name {start}... has {size} {what}, more than the {longest} of {target}"


_SHOWN = 40  # bytes of a name that is told of
_MARK = 4  # of the digest in one that is cut


def _outputs(tree: exp.Query) -> Iterator[exp.Expr]:
    """What a query returns, and each branch of a union."""
    query: exp.Expr = tree.unnest()
    if isinstance(query, exp.SetOperation):
        for side in (query.this, query.expression):
            yield from _outputs(side)
    elif isinstance(query, exp.Query):
        yield from query.selects


def _given(tree: exp.Expr) -> Iterator[str]:
    """The names that a query gives: to its CTEs, subqueries and tables, and to columns."""
    for node in tree.find_all(exp.Alias, exp.TableAlias):
        yield node.alias if isinstance(node, exp.Alias) else node.name
        if isinstance(node, exp.TableAlias):
            yield from (column.name for column in node.columns)


def _said(name: exp.Identifier) -> str:
    return name.name if name.args.get("quoted") else name.name.lower()
