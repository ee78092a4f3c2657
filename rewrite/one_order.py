"""What may stand in any order stands in one: that in which most queries of the pile say it.

    SELECT url, app AS cms FROM (SELECT DISTINCT client, app, url ...)
    =  SELECT url, app AS cms FROM (SELECT DISTINCT client, url, app ...)

    p AND q  =  q AND p;   a = b  =  b = a;   USING (a, b)  =  USING (b, a);
    GROUP BY a, b  =  GROUP BY b, a

The outputs of a CTE or a derived table may, where all that read it say its columns by name: no star
over it, no UNION with it, no list of new names, no number of an output in it, and no output without
a name, which some engines call after its place. Nor where a word of its readers is the table's own
name, as that may be a row with its fields in order, or where an output is called like a column that
another output reads: that may be the output before it. Columns of USING may, where no star shows
them. The outputs of a report stay as they are.

What is said of other constants, or of tables under other names, is the same thing in another copy.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, found_in, in_line
from unwet.rewrite.clauses import is_all
from unwet.rewrite.compose import Draft
from unwet.rewrite.numbered import Numbers
from unwet.rewrite.remembered import Remembered
from unwet.rewrite.rules.refs import VOLATILE
from unwet.rewrite.shapes import Survey

_TOLD: Final = {"expressions", "from_", "joins", "where", "group", "having", "qualify", "distinct",
                "order", "limit", "offset", "with_", "windows", "laterals"}  # fmt: skip
_ROWS: Final = (exp.UDTF, exp.Explode, exp.Inline, exp.GenerateSeries)
_LONG: Final = 40  # things; nobody looks for the order of more of them
_COMMUTING: Final = (exp.And, exp.Or, exp.EQ)
_TESTED: Final = (exp.And, exp.Or, exp.Not, exp.Paren, exp.Where, exp.Join, exp.Having, exp.Qualify)
_RIGHT: Final = (exp.Any, exp.All, exp.Anonymous, exp.Query, exp.Tuple)  # may have to stay there

_Order = tuple[str, ...]  # the signs
_Said = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Things in a list or on both sides of an operator, and of each a sign of what it says and one
    of how it is put together, which are the same in copies. ``free``: they may stand in any order.
    """

    node: exp.Expr
    slot: str
    parts: tuple[exp.Expr, ...]
    signs: _Order
    shapes: Mapping[str, str]
    free: bool

    @property
    def content(self) -> _Said:
        """What it says in any order."""
        return self.said(sorted(self.signs))

    def said(self, order: Sequence[str]) -> _Said:
        """What it says in an order."""
        return (self.node.key, self.slot, *order)

    def shape(self, order: Sequence[str]) -> _Said:
        """The same, whatever the names in it are."""
        return (self.node.key, self.slot, *(self.shapes[sign] for sign in order))


def in_one_order(
    drafts: Sequence[Draft], stay: AbstractSet[str], remembered: Remembered
) -> tuple[Draft, ...]:
    """The drafts, but those that ``stay``, with what may stand in any order in one."""
    signs = remembered.tool(Signs)
    found = {draft.name: signs.rows(draft.tree) for draft in drafts}
    said: Counter[_Said] = Counter()
    known: dict[_Said, dict[_Order, None]] = defaultdict(dict)
    for row in (row for rows in found.values() for row in rows):
        said.update((row.said(row.signs), row.shape(row.signs)))
        known[row.content][row.signs] = None
    done: list[Draft] = []
    for draft in drafts:
        rows = [] if draft.name in stay else [row for row in found[draft.name] if row.free]
        orders = [_best(row, known[row.content], said) for row in rows]
        if all(row.signs == order for row, order in zip(rows, orders, strict=True)):
            done.append(draft)
            continue
        key = blake2b(repr(orders).encode(), digest_size=16).hexdigest()
        done += remembered.of(f"order {key}", [draft], partial(_ordered, draft, rows, orders))
    return tuple(done)


def _best(row: Row, orders: Iterable[_Order], said: Mapping[_Said, int]) -> _Order:
    """The order in which most queries say the like, if several do, and of these most the same; its
    own, if that is one of them, else the one that comes first in the pile."""

    def liked(order: _Order) -> tuple[int, int]:
        alike = said[row.shape(order)]
        return (alike if alike > 1 else 0, said[row.said(order)])

    return max((row.signs, *orders), key=liked)


def _ordered(draft: Draft, rows: Sequence[Row], orders: Sequence[_Order]) -> list[Draft]:
    tree = copied(draft.tree)
    new = {id(old): node for old, node in zip(draft.tree.walk(), tree.walk(), strict=True)}
    for row, order in zip(rows, orders, strict=True):
        if row.signs != order:
            parts = tuple(new[id(part)] for part in row.parts)
            put(replace(row, node=new[id(row.node)], parts=parts), order)
    return [replace(draft, tree=tree)]


def free_rows(tree: exp.Expr) -> list[Row]:
    """What may stand in any order, the inner rows first."""
    return [row for row in Signs().rows(tree) if row.free]


def put(row: Row, order: Sequence[str]) -> None:
    """In place: a row in this order."""
    by_sign = dict(zip(row.signs, row.parts, strict=True))
    parts = [by_sign[sign] for sign in order]
    if row.slot == "test":
        test = parts[0]
        for part in parts[1:]:
            test = type(row.node)(this=test, expression=part)
        row.node.set("this", test.this)
        row.node.set("expression", test.expression)
    else:
        row.node.set(row.slot, parts)


class Signs:
    """The rows of trees that nobody changes in place, and what is known of the things in them."""

    def __init__(self) -> None:
        self._numbers = Numbers()
        self._rows: dict[int, tuple[exp.Expr, list[Row]]] = {}  # with the trees, which stay
        self._known: dict[int, tuple[str, str] | None] = {}  # signs and shapes, by number
        self._texts: dict[tuple[int, tuple[tuple[str, str], ...]], str] = {}  # by number and places

    def rows(self, tree: exp.Expr) -> list[Row]:
        """Of a tree, the inner ones first: what is around them is the same in any order."""
        if id(tree) not in self._rows:
            self._rows[id(tree)] = tree, [*self._found(tree)]
        return self._rows[id(tree)][1]

    def _found(self, tree: exp.Expr) -> Iterator[Row]:
        readers, numbers = _Readers(tree), self._numbers.of(tree)
        for node in reversed([*tree.walk()]):
            match node:
                case exp.Select():
                    free = readers.say_names(node) and _may_turn(node)
                    yield from self._row(numbers, node, "expressions", node.expressions, free)
                case exp.Group() if _said(node) == {"expressions"}:
                    yield from self._row(numbers, node, "expressions", node.expressions)
                case exp.Join() if node.args.get("using") and not _shows_all(node.parent):
                    yield from self._row(numbers, node, "using", node.args["using"])
                case exp.And() | exp.Or() if type(node.parent) is not type(node):
                    yield from self._row(numbers, node, "test", [*node.flatten(unnest=False)])
                case exp.EQ() if _may_swap(node):
                    yield from self._row(numbers, node, "test", [node.this, node.expression])
                case _:
                    pass

    def _row(
        self,
        numbers: Mapping[int, int],
        node: exp.Expr,
        slot: str,
        parts: Sequence[exp.Expr],
        free: bool = True,
    ) -> Iterator[Row]:
        """The row, if its things can be told apart in copies, too."""
        if not 1 < len(parts) <= _LONG:
            return
        known: list[tuple[str, str]] = []
        for part in parts:
            if (each := self._sign(part, numbers)) is None:
                return
            known.append(each)
        signs = tuple(sign for sign, _ in known)
        if len({*signs}) < len(signs):
            places = _places(parts[0])  # all of them stand in the same query
            placed = (self._placed(part, numbers, places) for part in parts)
            signs = tuple(f"{sign} {text}" for sign, text in zip(signs, placed, strict=True))
        if len({*signs}) == len(signs):
            shapes = {sign: shape for sign, (_, shape) in zip(signs, known, strict=True)}
            yield Row(node, slot, tuple(parts), signs, shapes, free)

    def _placed(self, part: exp.Expr, numbers: Mapping[int, int], places: Mapping[str, str]) -> str:
        """What it says, tables by their places in the FROM."""
        key = numbers[id(part)], tuple(places.items())
        if key not in self._texts:
            self._texts[key] = _placed(part, places)
        return self._texts[key]

    def _sign(self, part: exp.Expr, numbers: Mapping[int, int]) -> tuple[str, str] | None:
        """The sign and the shape of a part; None where its value is another one each time."""
        number = numbers[id(part)]
        if number not in self._known:
            found = None
            if all(node.key not in VOLATILE for node in part.walk()):
                plain = _plain(part)
                found = in_line(plain), _shape(part, plain)
            self._known[number] = found
        return self._known[number]


def _places(part: exp.Expr) -> dict[str, str]:
    """The places of tables in the FROM of the query that it stands in, by their names there."""
    query = part.find_ancestor(exp.Select)
    items = _items(query) if query is not None else []
    return {item.alias_or_name.lower(): str(n) for n, item in enumerate(items)}


def _placed(part: exp.Expr, places: Mapping[str, str]) -> str:
    """What it says, tables by their places in the FROM: another copy calls them otherwise."""
    tree = copied(part)
    for column in tree.find_all(exp.Column):
        place = places.get(column.table.lower())
        if place is not None:
            column.set("table", exp.to_identifier(place, quoted=True))
    return in_line(tree, spent=True)


def _items(query: exp.Select) -> list[exp.Expr]:
    """The items of its FROM, in their order."""
    first = query.args.get("from_")
    joined = [join.this for join in query.args.get("joins") or ()]
    return [*([first.this] if first is not None else ()), *joined]


def _plain(part: exp.Expr) -> exp.Expr:
    """A copy that says the same of whatever constants and tables, whatever it is called."""
    tree = copied(part.unalias())
    for node in [*tree.walk()]:
        node.comments = None
        if isinstance(node, exp.Literal) and not isinstance(part, exp.Literal):
            node.set("this", "0")
        elif isinstance(node, exp.Identifier):
            node.set("this", node.name.lower())
        elif isinstance(node, exp.Column) and node.table:
            node.set("table", None)
    for node in reversed([*tree.walk()]):
        if isinstance(node, _COMMUTING) and in_line(node.this) > in_line(node.expression):
            one, other = node.this, node.expression
            node.set("this", other)
            node.set("expression", one)
    return tree


def _shape(part: exp.Expr, plain: exp.Expr) -> str:
    """How it is put together: a table or an alias more is another way."""
    of_table = any(column.table for column in part.find_all(exp.Column))
    return f"{isinstance(part, exp.Alias)} {of_table} {Survey(plain).digest(plain).hex()}"


def _may_swap(equal: exp.Expr) -> bool:
    """Whether it is a comparison of two values: no name of an argument, no ``= ANY (...)``."""
    above = equal.parent
    tested = isinstance(above, _TESTED) or (isinstance(above, exp.If) and equal.arg_key == "this")
    return tested and not any(isinstance(side, _RIGHT) for side in (equal.this, equal.expression))


# --- outputs ---------------------------------------------------------------------------------


class _Readers:
    """Which queries of a tree are read by the names of their outputs only."""

    def __init__(self, tree: exp.Expr) -> None:
        self._tables: dict[str, list[exp.Table]] = defaultdict(list)
        for table in found_in(tree, exp.Table):
            if not table.args.get("db"):
                self._tables[table.name.lower()].append(table)
        self._in = any(each.args.get("field") for each in found_in(tree, exp.In))
        self._words: dict[int, AbstractSet[str] | None] = {}  # of readers, by what they are

    def say_names(self, query: exp.Select) -> bool:
        """Whether all that read a CTE or a derived table say its columns by name."""
        match query.parent:
            case exp.Subquery() as derived if isinstance(derived.parent, exp.From | exp.Join):
                return self._says_names(derived)
            case exp.CTE() as cte if isinstance(cte.parent, exp.With):
                if cte.args["alias"].args.get("columns") or cte.parent.args.get("recursive"):
                    return False
                if self._in:
                    return False  # of a table, which may be this one, by its columns' places
                return all(map(self._says_names, self._tables[cte.alias.lower()]))
            case _:
                return False

    def _says_names(self, item: exp.Expr) -> bool:
        """Whether a query says by name what it reads of an item of its FROM."""
        alias = item.args.get("alias")
        if _said(item) - {"this", "alias"} or (alias is not None and alias.args.get("columns")):
            return False
        reader = item.parent.parent if isinstance(item.parent, exp.From | exp.Join) else None
        if not isinstance(reader, exp.Select):
            return False
        if id(reader) not in self._words:  # the tree stays, and with it all its nodes
            self._words[id(reader)] = _words(reader)
        words, name = self._words[id(reader)], item.alias_or_name.lower()
        return words is not None and (not name or name not in words)


def _words(reader: exp.Select) -> AbstractSet[str] | None:
    """What the columns in a query are called; None where it may have some that it does not say."""
    if _shows_all(reader):
        return None
    return {column.name.lower() for column in reader.find_all(exp.Column)}


def _shows_all(reader: exp.Expr | None) -> bool:
    """Whether a query may have columns that it does not say, or say them by their places."""
    if not isinstance(reader, exp.Select):
        return True
    shown = reader.find_all(exp.Star, exp.Columns, exp.Parameter, exp.PositionalColumn)
    return any(not isinstance(each.parent, exp.Count) for each in shown) or any(
        join.args.get("method") for join in reader.args.get("joins") or ()
    )


def _may_turn(query: exp.Select) -> bool:
    """Whether its outputs have names and none says where it stands."""
    items = query.expressions
    names = [item.alias_or_name.lower() for item in items]
    distinct = query.args.get("distinct")
    if distinct is not None and distinct.args.get("on"):
        return False
    if _said(query) - _TOLD or not all(names) or len({*names}) < len(names):
        return False
    if not all(isinstance(item, exp.Alias | exp.Column) for item in items):
        return False
    if any(item.is_star or item.find(*_ROWS) for item in items) or _says_numbers(query):
        return False
    new = {item.alias.lower(): item for item in items if isinstance(item, exp.Alias)}
    return not any(
        new.get(column.name.lower(), item) is not item
        for item in items
        for column in item.find_all(exp.Column)
        if not column.table
    )


def _says_numbers(query: exp.Select) -> bool:
    """Whether it may say an output by its number, or all of them in their order."""
    group, order = query.args.get("group"), query.args.get("order")
    keys = [*(group.expressions if group else ()),
            *(each.this for each in (order.expressions if order else ()))]  # fmt: skip
    return any(is_all(key) or key.find(exp.Column) is None for key in keys)


def _said(node: exp.Expr) -> set[str]:
    return {name for name, value in node.args.items() if value}
