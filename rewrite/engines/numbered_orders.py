"""The number of a column in ORDER BY, for an engine that has no NULLS FIRST and NULLS LAST.

    SELECT a.country, b FROM a ORDER BY 1 NULLS LAST
 -> SELECT a.country, b FROM a ORDER BY a.country NULLS LAST

where the printer says `CASE WHEN a.country IS NULL THEN 1 ELSE 0 END` in front of it: of a number
it cannot. ORDER BY n = ORDER BY what the n-th output is, also where rows are grouped; not with
DISTINCT, where only outputs may stand there, not where a name would mean another output, and not in
a star.
"""

from __future__ import annotations

from functools import lru_cache

from sqlglot import Dialect, exp

from unwet.lineage.trees import copied


def spelled(tree: exp.Query, source: str, target: str) -> None:
    """In place, for a query that is written for another engine."""
    if source == target or _has_words(target):
        return
    for order in tree.find_all(exp.Order):
        query = order.parent
        single = isinstance(query, exp.Select) and not query.args.get("distinct")
        if isinstance(query, exp.Query) and (single or isinstance(query, exp.SetOperation)):
            for item in order.expressions:
                _spell(item, query, target)


@lru_cache(maxsize=64)
def _has_words(dialect: str) -> bool:
    printer = Dialect.get_or_raise(dialect or None).generator()
    return printer.NULL_ORDERING_SUPPORTED is not None


def _spell(item: exp.Expr, query: exp.Query, target: str) -> None:
    number = item.this
    if not (isinstance(item, exp.Ordered) and isinstance(number, exp.Literal) and number.is_int):
        return
    outputs, at = query.selects, int(number.this) - 1
    if not _is_said(item, target) or not 0 <= at < len(outputs):
        return
    if any(output.is_star for output in outputs):
        return
    if isinstance(query, exp.SetOperation):
        names = [output.alias_or_name.lower() for output in outputs]
        if names[at] and names.count(names[at]) == 1:
            item.set("this", _named(outputs[at]))
        return
    meant = outputs[at].unalias()
    other = {o.alias.lower() for o in outputs if isinstance(o, exp.Alias)} - {""}
    taken = isinstance(meant, exp.Column) and not meant.table and meant.name.lower() in other
    if not taken and not isinstance(meant, exp.Literal):
        item.set("this", copied(meant))


def _is_said(item: exp.Ordered, target: str) -> bool:
    """Whether NULLs stand elsewhere than the engine puts them by itself."""
    first, down = bool(item.args.get("nulls_first")), bool(item.args.get("desc"))
    match Dialect.get_or_raise(target or None).NULL_ORDERING:
        case "nulls_are_small":
            return first == down
        case "nulls_are_large":
            return first != down
        case _:
            return first


def _named(output: exp.Expr) -> exp.Column:
    given = output.args.get("alias") if isinstance(output, exp.Alias) else output.this
    quoted = isinstance(given, exp.Identifier) and bool(given.args.get("quoted"))
    return exp.column(exp.to_identifier(output.alias_or_name, quoted=quoted))
