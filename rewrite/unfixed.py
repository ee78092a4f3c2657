"""Rows that hang on an order which nothing fixes.

    SELECT id FROM t LIMIT 10               any ten of them
    SELECT k, ARRAY_AGG(v) FROM t GROUP BY k

A model that says the same may return other rows than the old query, as that itself may the next
time. What says an order is taken at its word: whether rows tie in it only data can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Over,
    Plan,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Subquery,
    Unnest,
    Values,
    Window,
    expressions,
    inputs,
    operands,
    parts,
    walk,
    width,
)
from unwet.rewrite.determined import agreeing, determined, says
from unwet.rewrite.references import columns_of, free_refs, used
from unwet.rewrite.volatile import is_random

_ANY: Final[Mapping[str, str]] = {  # one of several values
    "anyvalue": "ANY_VALUE", "first": "FIRST", "last": "LAST", "firstvalue": "FIRST_VALUE",
    "lastvalue": "LAST_VALUE",
}  # fmt: skip
_LISTS: Final[Mapping[str, str]] = {  # all of them, one behind the other
    "arrayagg": "ARRAY_AGG", "arrayuniqueagg": "ARRAY_UNIQUE_AGG", "groupconcat": "a list of texts",
    "arrayconcatagg": "ARRAY_CONCAT_AGG", "jsonarrayagg": "JSON_ARRAYAGG",
}  # fmt: skip
_PLACED: Final[Mapping[str, str]] = {
    **_ANY, **_LISTS, "rownumber": "ROW_NUMBER", "lag": "LAG", "lead": "LEAD",
    "nthvalue": "NTH_VALUE", "ntile": "NTILE",
}  # fmt: skip
# Where the values of an aggregate are put in order, or one of them is chosen.
_SAID: Final = frozenset({"order", "havingmax", "havingmin"})
# What is the same for a list in any order.
_BLIND: Final = frozenset({"arraysize", "sortarray", "arraysort", "length"})
_OF_PARTITION: Final = frozenset({"firstvalue", "lastvalue"})  # where that has one value, it is it
_LIMIT: Final = "LIMIT or OFFSET without an ORDER BY"
_ONE_OF: Final = "DISTINCT ON without an ORDER BY"
_LISTED: Final = "ARRAY of a query without an ORDER BY"
_FRAMED: Final = "a frame of ROWS without an ORDER BY"
_CHANCE: Final = "a random value"
_RANDOM: Final = re.compile(
    r"\b(?:TABLESAMPLE|(?:RANDN?|RANDOM|RANDSTR|NEWID|(?:GENERATE_|GEN_RANDOM_)?UUID(?:_STRING)?)\()"
)
# of a query of which only the text is known: PIVOT (FIRST(a) FOR ...)
_TAKES: Final = re.compile(rf"\b({'|'.join(_ANY.values())})\(")
_LISTING: Final = re.compile(
    r"\b(ARRAY_AGG|ARRAY_UNIQUE_AGG|ARRAY_CONCAT_AGG|GROUP_CONCAT|STRING_AGG|JSON_ARRAYAGG)\("
)
# an order elsewhere in the text is none of its rows
_PIVOTED: Final = re.compile(r"\bPIVOT\s*\((.*?)\bFOR\b", re.DOTALL)
_LIMITED: Final = re.compile(r"\b(?:LIMIT|OFFSET|TOP|FETCH)\b")
_NOTHING: Final[Mapping[int, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Loose:
    """Of a relation: why its rows, and why single columns of them, are in the engine's choice.
    ``lists``: columns of which only the order is; ``numbers``: those that are the same values in
    any order, and only beside other columns in the engine's choice."""

    rows: str = ""
    columns: Mapping[int, str] = field(default_factory=lambda: _NOTHING)
    lists: frozenset[int] = frozenset()
    numbers: frozenset[int] = frozenset()

    def why(self, expr: Expr) -> str:
        """Why the value of an expression over such a row is."""
        if isinstance(expr, Col):
            return self.columns.get(expr.index, "")
        if is_random(expr):
            return _CHANCE
        if isinstance(expr, Subquery):
            own = unfixed(_without_limit(expr.rel) if expr.kind == "exists" else expr.rel)
            own = own or (_LISTED if expr.kind == "array" and _is_any_order(expr.rel) else "")
            return own or _first(self.columns.get(i, "") for i in columns_of(expr))
        if isinstance(expr, Call) and expr.op in _BLIND and _is_list(expr.args, self.lists):
            return ""
        return _first(map(self.why, operands(expr)))


def unfixed(rel: Rel) -> str:
    """Why nothing fixes the rows of a plan; empty where that is not known. The plan is one that has
    gone through the rules: these drop what nobody reads."""
    loose: dict[bytes, _Loose] = {}
    for node in walk(rel):
        loose[node.digest] = _loose(node, [loose[each.digest] for each in inputs(node)])
    found = loose[rel.digest]
    alone = width(rel) == 1 and found.numbers
    return found.rows or ("" if alone else _first(found.columns.values()))


def unfixed_reports(plans: Mapping[str, Plan], relations: Mapping[str, str]) -> dict[str, str]:
    """Why nothing fixes the rows of reports, by name. ``relations``: what these make, which others
    read: their rows are in the engine's choice with those."""
    found = {name: why for name, plan in plans.items() if (why := unfixed(plan.rel))}
    reads = {name: {node.table for node in walk(plan.rel) if isinstance(node, Scan)}
             for name, plan in plans.items()}  # fmt: skip
    new = {relations[name]: name for name in found if relations[name]}
    while new:
        told = {name: f"it reads {relation}" for name in reads.keys() - found.keys()
                if (relation := min(reads[name] & new.keys(), default=""))}  # fmt: skip
        found |= told
        new = {relations[name]: name for name in told if relations[name]}
    return found


def _first(words: Iterable[str]) -> str:
    return next(filter(None, words), "")


def _loose(node: Rel, below: list[_Loose]) -> _Loose:
    rows = _first(each.rows for each in below)
    if not any(each.columns for each in below) and not _may_choose(node):
        return _Loose(rows)
    match node:
        case Project(exprs=exprs):
            return _projected(rows, below[0], exprs)
        case Aggregate():
            return _aggregated(rows, below[0], node)
        case Window(input=inner, functions=functions):
            return _numbered(rows, below[0], inner, functions)
        case Sort(input=inner, keys=keys):
            asked = (below[0].why(key.expr) for key in keys)
            rows = rows or _first(asked) or _chosen(node, inner, keys)
            return _Loose(rows, below[0].columns, below[0].lists, below[0].numbers)
        case Opaque(text=text):
            rows = rows or _first(why for each in below for why in each.columns.values())
            return _Loose(rows or _said_by(text))
        case Distinct():
            return _Loose(rows or _first(why for b in below for why in b.columns.values()))
        case SetOp(kind=kind):
            columns = {i: why for each in below for i, why in each.columns.items()}
            more = "" if kind == "union_all" else _first(columns.values())
            return _Loose(rows or more, columns, _common(below))
        case Join(inputs=many):
            return _joined(rows, node, many, below)
        case Filter(conjuncts=asked_of):
            rows = rows or _first(map(below[0].why, asked_of))
            return _Loose(rows, below[0].columns, below[0].lists)
        case Unnest(input=inner, array=array):
            columns = {**below[0].columns}
            if why := below[0].why(array):
                columns[width(inner)] = columns[width(inner) + 1] = why
            return _Loose(rows, {i: w for i, w in columns.items() if i < width(node)})
        case _:
            return _Loose(rows)


def _may_choose(node: Rel) -> bool:
    """Whether the node itself may leave something open."""
    if isinstance(node, Sort | Aggregate | Window | Opaque):
        return True
    return any(is_random(expr) or any(isinstance(part, Subquery) for part in parts(expr))
               for expr in expressions(node))  # fmt: skip


def _is_list(args: tuple[Expr, ...], lists: frozenset[int]) -> bool:
    """Whether the first of a function's arguments is one of these columns, the others constants."""
    first, rest = args[:1], args[1:]
    known = all(isinstance(each, Lit) for each in rest)
    return known and any(isinstance(each, Col) and each.index in lists for each in first)


def _is_any_order(rel: Rel) -> bool:
    """Whether rows of a table are in no order that counts; elements of an array are in theirs."""
    if isinstance(rel, Sort) or _is_one(rel) or not any(isinstance(n, Scan) for n in walk(rel)):
        return False
    return len(determined(rel, frozenset())) < width(rel)


def _said_by(text: str) -> str:
    """Why rows are open that a query returns of which only the text is known."""
    if hit := _RANDOM.search(text):
        return "a sample" if hit[0] == "TABLESAMPLE" else _CHANCE
    if why := _first(map(_collected_by, (*_PIVOTED.findall(text), text))):
        return why
    if "ORDER BY" in text:
        return ""
    return _ONE_OF if "DISTINCT ON (" in text else _LIMIT if _LIMITED.search(text) else ""


def _collected_by(text: str) -> str:
    """Why an aggregate of a text is open: no order is in it that its rows could be in."""
    if "ORDER BY" in text:
        return ""
    if taken := _TAKES.search(text):
        return _takes(taken[1])
    listed = _LISTING.search(text)
    return f"{listed[1]} without an ORDER BY" if listed else ""


def _takes(name: str) -> str:
    return f"{name} takes one of several values"


def _projected(rows: str, below: _Loose, exprs: tuple[Expr, ...]) -> _Loose:
    read = used(exprs)
    if len(read) == 1 and read <= below.numbers:
        return _Loose(rows)  # the same numbers, whatever row each of them stood beside
    why = {i: said for i, expr in enumerate(exprs) if (said := below.why(expr))}
    bare = {i: expr.index for i, expr in enumerate(exprs) if isinstance(expr, Col)}
    return _Loose(
        rows,
        why,
        frozenset(i for i, at in bare.items() if at in below.lists),
        frozenset(i for i, at in bare.items() if at in below.numbers),
    )


def _aggregated(rows: str, below: _Loose, node: Aggregate) -> _Loose:
    rows = rows or _first(map(below.why, node.keys))
    start, columns, lists = len(node.keys), dict[int, str](), set[int]()
    known = agreeing(node.input, node.keys)
    for at, agg in enumerate(node.aggs, start):
        said = below.why(agg)
        if not said and _is_open(agg, known):
            one, many = _ANY.get(agg.op), _LISTS.get(agg.op)
            said = _takes(one) if one else f"{many} without an ORDER BY"
            if agg.op in _LISTS and not isinstance(agg.args[0], Call):
                lists.add(at)  # all of them: a LIMIT is a call
        if said:
            columns[at] = said
    return _Loose(rows, columns, frozenset(lists))


def _is_open(agg: Agg, known: frozenset[int]) -> bool:
    """Whether it takes values as they come, of which there may be several."""
    if agg.order or len(agg.args) > (2 if agg.op == "groupconcat" else 1):
        return False
    if any(isinstance(part, Call) and part.op in _SAID for part in parts(agg)):
        return False
    return (agg.op in _ANY or agg.op in _LISTS) and not all(says(known, a) for a in agg.args)


def _numbered(rows: str, below: _Loose, inner: Rel, functions: tuple[Over, ...]) -> _Loose:
    columns, numbers = {**below.columns}, {*below.numbers}
    for at, each in enumerate(functions, width(inner)):
        said = below.why(each)
        placed = "" if said else _placed(each, inner)
        if placed and each.call.op == "rownumber" and not each.partition:
            numbers.add(at)
        said = said or placed
        if said:
            columns[at] = said
    return _Loose(rows, columns, below.lists, frozenset(numbers))


def _placed(function: Over, inner: Rel) -> str:
    """Why it hangs on the places of rows in a partition, where no order says them: not if all of
    these rows are equal, or what is asked of one of them."""
    name, rows = _PLACED.get(function.call.op), function.frame.startswith("rows")
    if name is None and not rows:
        return ""
    same = agreeing(inner, function.partition)
    if _sorts(function.order, same) or len(same) == width(inner):
        return ""
    if function.call.op in _OF_PARTITION and all(says(same, a) for a in operands(function.call)):
        return ""
    return f"{name} without an ORDER BY" if name is not None else _FRAMED


def _sorts(keys: tuple[SortKey, ...], same: frozenset[int]) -> bool:
    """Whether an order says anything: no constant, which engines ask for that want some order, nor
    what is the ``same`` in all rows."""
    return not all(says(same, key.expr) or is_random(key.expr) or not free_refs(key.expr)
                   for key in keys)  # fmt: skip


def _chosen(node: Sort, rows: Rel, keys: tuple[SortKey, ...]) -> str:
    """Why a limit without an order chooses among rows."""
    if (node.limit is None and node.offset is None) or _is_one(rows):
        return ""
    if node.limit == Lit("number", "0") or _sorts(keys, determined(rows, frozenset())):
        return ""
    return _LIMIT


def _is_one(rel: Rel) -> bool:
    """Whether there is at most one row."""
    match rel:
        case Aggregate(keys=keys):
            return not keys
        case Values(rows=rows):
            return len(rows) <= 1
        case Project(input=inner) | Filter(input=inner) | Window(input=inner):
            return _is_one(inner)
        case _:
            return False


def _joined(rows: str, node: Join, many: tuple[Rel, ...], below: list[_Loose]) -> _Loose:
    columns, lists, start = dict[int, str](), set[int](), 0
    for item, loose in zip(many, below, strict=True):
        columns |= {start + i: why for i, why in loose.columns.items()}
        lists |= {start + i for i in loose.lists}
        start += width(item)
    beside = _Loose(rows, columns)
    rows = rows or _first(map(beside.why, node.on))
    shown = {i: why for i, why in columns.items() if i < width(node)}
    return _Loose(rows, shown, frozenset(i for i in lists if i in shown))


def _common(below: list[_Loose]) -> frozenset[int]:
    found = {i for each in below for i in each.lists}
    return frozenset(i for i in found if all(i in b.lists or i not in b.columns for b in below))


def _without_limit(rel: Rel) -> Rel:
    """What counts of an EXISTS: whether there are rows, not which of them."""
    while isinstance(rel, Sort | Project):
        rel = rel.input
    return rel
