"""Parts of queries that may be macros: expressions, and items that stand beside one another.

``COUNT(DISTINCT CASE WHEN ... END)`` over three columns stands in a hundred reports over three
others; the same forty columns of them are counted in each. An expression is a unit of its shape, in
which a column is one leaf with its qualifier; items are the same where they are so word by word.
GROUPING SETS are such an expression, too: a macro that is the text of them says what they say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import groupby
from typing import Final

from sqlglot import exp

from unwet.rewrite.abstract import Unit
from unwet.rewrite.shapes import Leaf, Shape, Survey, whole_columns

_LEAST_LEAVES: Final = 4  # of an expression: a smaller one is not worth a name
_PLAIN: Final = 0.5  # of the items, the share that may be bare columns
_LONG: Final = 8  # items of a list that is worth a name even of bare columns
_OFTEN: Final = 6  # times that it stands somewhere, then
_PAGE: Final = 10  # columns that are worth a name for few times, with nothing else between
_FEW: Final = 3
_PAGES: Final = 16  # columns that are worth a name for two
_VALUES: Final = (exp.Case, exp.Func, exp.Binary, exp.Subquery, exp.GroupingSets)
_RELATIONS: Final = exp.From | exp.Join | exp.Lateral


def spellings(trees: Iterable[exp.Expr]) -> Mapping[str, str]:
    """How most authors write a name that is written in several ways, by its lower case."""
    counts = Counter(word.name for tree in trees for word in tree.find_all(exp.Identifier))
    found: dict[str, str] = {}
    for word, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        found.setdefault(word.lower(), word)
    return found


def expressions(host: str, tree: exp.Expr, spelled: Mapping[str, str]) -> Iterator[Unit]:
    """The scalar expressions of a tree that could be the body of a macro; columns are spelled as
    most authors do."""

    def leaf(node: exp.Expr) -> Leaf | None:
        found = whole_columns(node)
        if found is None or not isinstance(node, exp.Column):
            return found
        return replace(found, text=".".join(spelled.get(w, w) for w in found.text.split(".")))

    survey = Survey(tree, leaf)
    holding = _around_queries(tree)
    for node in tree.walk():
        if isinstance(node, _VALUES) and survey.has(node):
            shape = survey.shape(node)
            if len(shape.leaves) >= _LEAST_LEAVES and _may_be(node) and id(node) not in holding:
                yield Unit("expression", host, node, shape, _output(node))


def _around_queries(tree: exp.Expr) -> set[int]:
    """The ids of the nodes that a query of relations is in."""
    found: set[int] = set()
    for query in tree.find_all(exp.Query):
        if _is_of_value(query):
            continue
        node: exp.Expr | None = query
        while node is not None and id(node) not in found:
            found.add(id(node))
            node = node.parent
    return found


def _is_of_value(query: exp.Expr) -> bool:
    """Whether a query goes over the elements of arrays only, as ``(SELECT SUM(value) FROM
    UNNEST(t.histogram))`` does, or over nothing (``(SELECT AS STRUCT t.metrics.*)``): such a one is
    computed of columns, as a function is. In BigQuery a table may be an array of the query around;
    it is no macro then."""
    if isinstance(query, exp.Subquery):
        return query.args.get("with_") is None and not isinstance(query.parent, _RELATIONS)
    if not isinstance(query, exp.Select) or query.args.get("with_") is not None:
        return False
    source, joins = query.args.get("from_"), query.args.get("joins") or ()
    sources = [*([source.this] if source is not None else ()), *(join.this for join in joins)]
    return all(isinstance(each, exp.Unnest) for each in sources) and not query.args.get("laterals")


def _may_be(node: exp.Expr) -> bool:
    """Whether a call can stand in its place, and would be read there."""
    parent = node.parent
    if parent is None or isinstance(node, exp.If | exp.Connector):
        return False  # a WHEN; conditions read best where they stand
    if isinstance(node, exp.Predicate | exp.UDTF | exp.Dot | exp.PropertyEQ | exp.Slice):
        return False
    if isinstance(parent, _RELATIONS | exp.Unnest | exp.Window | exp.In | exp.SetOperation):
        return False
    if isinstance(parent, exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        return False  # a part of the syntax around it
    alone = isinstance(parent, exp.Select) and parent.args.get("from_") is None
    return not alone


def _output(node: exp.Expr) -> str:
    """The name of the output that an expression is."""
    parent = node.parent
    return parent.alias if isinstance(parent, exp.Alias) and parent.this is node else ""


# --- items --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """The items of one SELECT as numbers; equal ones have equal numbers."""

    host: str
    select: exp.Select
    numbers: tuple[int, ...]


Items = tuple[exp.Select, tuple[Shape | None, ...]]  # None for an item that may not repeat


def item_runs(trees: Mapping[str, exp.Expr], known: dict[str, list[Items]]) -> Iterator[Unit]:
    """The runs of items that stand in several SELECTs, each as long as these agree. ``known``: the
    items of trees that have not changed; those of others are added."""
    numbers: dict[Shape, int] = {}
    rows: list[_Row] = []
    for host, tree in trees.items():
        if host not in known:
            survey = Survey(tree)
            known[host] = [_items(select, survey) for select in tree.find_all(exp.Select)]
        for select, shapes in known[host]:
            if len(shapes) > 1:
                found = (numbers.setdefault(s, len(numbers)) if s else -1 for s in shapes)
                rows.append(_Row(host, select, tuple(found)))
    starts: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for at, row in enumerate(rows):
        for n, pair in enumerate(zip(row.numbers, row.numbers[1:], strict=False)):
            if min(pair) >= 0:
                starts[pair].append((at, n))
    seen: set[tuple[int, int, int]] = set()  # a part of a longer run may be one elsewhere
    for places in starts.values():
        for unit in _grown(rows, places) if len(places) > 1 else ():
            place = id(unit.node), unit.skip, unit.stop
            if place not in seen:
                seen.add(place)
                yield unit


def _grown(rows: Sequence[_Row], places: list[tuple[int, int]]) -> Iterator[Unit]:
    """The runs that begin at these places: of all of them, and longer ones of fewer."""
    waiting = [(places, 2)]
    while waiting:
        places, length = waiting.pop()
        further: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for at, start in places:
            numbers = rows[at].numbers
            stop = start + length
            further[numbers[stop] if stop < len(numbers) else -1].append((at, start))
        longer = [same for number, same in further.items() if number >= 0 and len(same) > 1]
        waiting += [(same, length + 1) for same in longer]
        if not (len(longer) == 1 and len(longer[0]) == len(places)) and _is_first(rows, places):
            yield from _units(rows, places, length)


def _is_first(rows: Sequence[_Row], places: Iterable[tuple[int, int]]) -> bool:
    """Whether the run could not begin one item earlier in all places."""
    before = {rows[at].numbers[start - 1] if start else -1 for at, start in places}
    return len(before) > 1 or before == {-1}


def _units(rows: Sequence[_Row], places: Sequence[tuple[int, int]], length: int) -> Iterator[Unit]:
    at, start = places[0]
    items = rows[at].select.expressions[start : start + length]
    bare = [isinstance(item.unalias(), exp.Column) for item in items]
    often = length >= _LONG and len(places) >= _OFTEN
    if sum(bare) <= _PLAIN * length or often:
        yield from _of_run(rows, places, length)
    else:
        least, first = _PAGE if len(places) >= _FEW else _PAGES, 0
        for is_bare, same in groupby(bare):
            many = len([*same])
            if is_bare and many >= least:
                yield from _of_run(rows, [(at, start + first) for at, start in places], many)
            first += many


def _of_run(rows: Sequence[_Row], places: Iterable[tuple[int, int]], length: int) -> Iterator[Unit]:
    shape: Shape | None = None
    for at, start in places:
        row = rows[at]
        if shape is None:
            state = blake2b(repr(row.numbers[start : start + length]).encode(), digest_size=16)
            shape = Shape(state.digest(), ())
        if length < len(row.numbers) or row.select.args.get("from_") is not None:
            label = row.select.expressions[start].alias_or_name
            yield Unit("items", row.host, row.select, shape, label, "", start, start + length)


def _items(select: exp.Select, survey: Survey) -> Items:
    shapes: list[Shape | None] = []
    for item in select.expressions:
        usable = _may_repeat(item) and survey.has(item)
        shape = survey.shape(item) if usable else None
        handed_on = shape is not None and any("h__" in leaf.text for leaf in shape.leaves)
        shapes.append(None if handed_on else shape)
    return select, tuple(shapes)


def _may_repeat(item: exp.Expr) -> bool:
    """Not a star, which is other columns elsewhere, nor what a query of relations is in."""
    return not item.is_star and all(map(_is_of_value, item.find_all(exp.Query)))
