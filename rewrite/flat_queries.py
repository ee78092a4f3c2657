"""A query over one that does nothing but filter and rename is one query.

    SELECT c.id, c.day AS start FROM (SELECT v.id, v.d AS day FROM v WHERE p) AS c WHERE c.id > 1
 -> SELECT v.id, v.d AS start FROM v WHERE p AND v.id > 1

Project(f, Filter(q, Project(g, Filter(p, r)))) = Project(f(g), Filter(p and q(g), r)): a row is
kept where both p and q are true, in either order. Side conditions, by what is looked at here:

- inside there are columns, tables, joins and a WHERE, and nothing that orders, limits or tells rows
  apart: no DISTINCT, no star; groups, CTEs and windows only where the outer query takes its rows as
  they are, or where nobody reads the window;
- what nobody reads is of one row each, or of each group where there are keys;
- what is no column inside is said once at most outside, and is nothing random;
- beside it outside are at most joins that keep its rows as they are (inner, cross, left), and then
  every name inside is said with its table;
- outside nothing but columns says the names of the inner query: no text, no argument of a call;
- no name that comes to stand outside of the items without its table is one that an item is given.

Copies are found before, so that what is alike stays so. It is proved like everything else.

with_flat_queries(library, stay) -> the library in these words
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, has_star, in_line, texts
from unwet.rewrite.library import HOLE, LISTED, Library, called_by, numbers_in
from unwet.rewrite.volatile import names_chance

_OUTER: Final = frozenset(
    {"expressions", "from_", "with_", "joins", "where", "group", "having", "distinct", "order",
     "limit", "qualify"}
)  # fmt: skip
_INNER: Final = frozenset({"expressions", "from_", "joins", "where"})
_GROUPED: Final = _INNER | {"group", "having", "with_"}
_TAKES: Final = frozenset({"expressions", "from_", "with_", "order", "limit"})  # rows as they are
_KEEPING: Final = frozenset({"", "INNER", "CROSS", "LEFT"})
_TOKEN: Final = re.compile(r"(?:call|loop|tail|list|branch|h)__", re.IGNORECASE)
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Pair:
    """A query, the one that it reads as ``alias``, and what each output of that one is."""

    outer: exp.Select
    inner: exp.Select
    source: exp.Subquery
    alias: str
    outputs: Mapping[str, exp.Expr]


def with_flat_queries(library: Library, stay: AbstractSet[str]) -> Library:
    """The library with each such pair of queries as one; models that ``stay`` keep their words, and
    so do the macros that they call."""
    words, closed = _Said(library), called_by(library, stay)
    models = {name: tree if name in stay else _flat(tree, words)
              for name, tree in library.models.items()}  # fmt: skip
    macros = tuple(
        macro
        if macro.name in closed or macro.kind == "look_up" or macro.optional[0] or macro.scoped[0]
        else replace(macro, tree=_flat(macro.tree, words))
        for macro in library.macros
    )
    return replace(library, models=models, macros=macros)


def _flat(tree: exp.Expr, words: _Said) -> exp.Expr:
    if not any(_pair(query, words) for query in tree.find_all(exp.Select)):
        return tree
    made = copied(tree)
    for query in [*made.find_all(exp.Select)][::-1]:  # what is inside comes first
        pair = _pair(query, words)
        if pair is not None:
            _put(pair)
    return made


class _Said:
    """What parts of a tree can come to say: their own words, and those of what is called."""

    def __init__(self, library: Library) -> None:
        self._calls = library.calls
        self._trees = {macro.name: macro for macro in library.macros}

    def words(self, said: str) -> frozenset[str]:
        """The words that a text can come to say, in small letters."""
        every = self.texts(said)
        return frozenset(word.lower() for text in every for word in _WORD.findall(text))

    def texts(self, said: str) -> frozenset[str]:
        """A text, and all that calls and parameters in it say."""
        waiting, seen = [said], set[str]()
        while waiting:
            text = waiting.pop()
            if text in seen:
                continue
            seen.add(text)
            for number in numbers_in(text):
                call = self._calls[number]
                waiting += call.texts
                macro = self._trees.get(call.macro)
                if macro is not None:
                    waiting += [*texts(macro.tree), *macro.defaults.values()]
            for name in HOLE.findall(text):
                waiting += self._handed(name)
        return frozenset(seen)

    def _handed(self, name: str) -> Iterator[str]:
        """What calls say for parameters of that name, whichever macro has it."""
        for call in self._calls:
            for param, leaf in (*call.args, *call.unsaid):
                if param == name:
                    yield leaf.text
        for macro in self._trees.values():
            if name in macro.defaults:
                yield macro.defaults[name]


def _pair(query: exp.Select, words: _Said) -> _Pair | None:
    """A query and the one that it reads, if both can be one query."""
    first = query.args.get("from_")
    source = first.this if first is not None else None
    if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Select):
        return None
    inner, alias = source.this, source.args.get("alias")
    around = {name for name, value in source.args.items() if value} - {"this", "alias"}
    if around or not _says(query) <= _OUTER or not _says(inner) <= _GROUPED:
        return None
    if "with_" in _says(inner) and not _says(query) <= _TAKES - {"with_"}:
        return None
    if not inner.args.get("from_") or (alias is not None and alias.args.get("columns")):
        return None
    outputs = {_name(item): item.unalias() for item in inner.expressions}
    if "" in outputs or len(outputs) < len(inner.expressions):
        return None
    pair = _Pair(query, inner, source, source.alias.lower(), outputs)
    fits = _is_plain(pair, words) and _joins_keep(pair) and _names_one(pair, words)
    return pair if fits else None


def _says(query: exp.Select) -> frozenset[str]:
    return frozenset(name for name, value in query.args.items() if value)


def _name(item: exp.Expr) -> str:
    named = isinstance(item, exp.Alias | exp.Column) and not _TOKEN.search(item.output_name)
    return item.output_name.lower() if named else ""


def _is_plain(pair: _Pair, words: _Said) -> bool:
    """Whether the inner query does nothing but to filter and rename, as far as anybody reads it."""
    read = {name for part in _parts(pair.outer) for column in part.find_all(exp.Column)
            if (name := _own(column, pair))}  # fmt: skip
    taken = _says(pair.outer) <= _TAKES and not any(
        item.find(exp.AggFunc, exp.Window) for item in pair.outer.expressions
    )
    grouped = not _says(pair.inner) <= _INNER | {"with_"}
    if grouped and not (taken and _groups_by_columns(pair)):
        return False
    for name, made in pair.outputs.items():
        if made.find(exp.Query, exp.UDTF, exp.Unnest) or has_star(made):
            return False
        whole = taken and name in read
        if not whole and not (_is_scalar(made, words, grouped) or isinstance(made, exp.Window)):
            return False  # it may be one row of all
        if name in read and not taken and made.find(exp.Window):
            return False
        if isinstance(made, exp.Column) and len(made.parts) > 2:
            return False
        if any(LISTED.search(text) for text in texts(made)) or names_chance(in_line(made)):
            return False
    return all(_keeps(join) for join in pair.inner.args.get("joins") or ())


def _is_scalar(made: exp.Expr, words: _Said, grouped: bool) -> bool:
    """Whether it is known to be of one row each, or of one group each."""
    if made.find(exp.Anonymous, exp.AnonymousAggFunc, exp.Window):
        return False
    if not grouped and made.find(exp.AggFunc):
        return False
    said = (words.texts(text) for text in texts(made) if _TOKEN.search(text))
    return not any("(" in text or "call__" in text.lower() for every in said for text in every)


def _groups_by_columns(pair: _Pair) -> bool:
    """Whether the groups are those of what is said of columns, none of them a name given here."""
    group = pair.inner.args.get("group")
    if group is None or (group.args.get("all") is not True and _says_more(group)):
        return False
    if group.args.get("all") and not _takes_all_keys(pair):
        return False
    given = {name for name, made in pair.outputs.items()
             if not isinstance(made, exp.Column) or made.name.lower() != name}  # fmt: skip
    having = pair.inner.args.get("having")
    said = having.find_all(exp.Column) if having is not None else ()
    if any(not column.table and column.name.lower() in given for column in said):
        return False  # it may be that of an output that nobody reads
    return all(_is_key(key, given) for key in group.expressions)


def _takes_all_keys(pair: _Pair) -> bool:
    """Whether all outputs are there outside that GROUP BY ALL groups by, as they are."""
    items = [item.unalias() for item in pair.outer.expressions]
    taken = {_own(item, pair) if isinstance(item, exp.Column) else "" for item in items}
    keys = {name for name, made in pair.outputs.items() if not made.find(exp.AggFunc)}
    return "" not in taken and keys <= taken


def _is_key(key: exp.Expr, given: AbstractSet[str]) -> bool:
    columns = [*key.find_all(exp.Column)]
    if not columns or key.find(exp.Query) or any(_TOKEN.search(text) for text in texts(key)):
        return False  # a position, or what only callers know
    return all(column.table or column.name.lower() not in given for column in columns)


def _says_more(group: exp.Expr) -> bool:
    return {name for name, value in group.args.items() if value} != {"expressions"}


def _keeps(join: exp.Join) -> bool:
    """Whether no row of what stands before it is lost to NULLs or named otherwise behind it."""
    kind = (join.args.get("side") or join.args.get("kind") or "").upper()
    return kind in _KEEPING and not (join.args.get("using") or join.args.get("method"))


def _joins_keep(pair: _Pair) -> bool:
    """Whether what is joined outside neither adds rows to nor renames those of the inner query."""
    joins = pair.outer.args.get("joins") or []
    if not joins:
        return True
    if not all(_keeps(join) for join in joins) or not _is_told(pair):
        return False
    own = {_label(each) for each in _sources(pair.inner)}
    beside = {_label(join.this) for join in joins}
    return "" not in own | beside and not own & beside


def _is_told(pair: _Pair) -> bool:
    """Whether each name inside says its table, and nothing there is only known to callers."""
    parts = [*pair.inner.expressions, *filter(None, [pair.inner.args.get("where")])]
    parts += [join.args["on"] for join in pair.inner.args.get("joins") or ()
              if join.args.get("on")]  # fmt: skip
    for part in parts:
        if any(_TOKEN.search(text) for text in texts(part)):
            return False
        if any(not column.table for column in part.find_all(exp.Column)):
            return False
    return True


def _sources(query: exp.Select) -> list[exp.Expr]:
    return [query.args["from_"].this, *(join.this for join in query.args.get("joins") or ())]


def _label(source: exp.Expr) -> str:
    return source.alias_or_name.lower()


def _names_one(pair: _Pair, words: _Said) -> bool:
    """Whether all that is said of the inner query outside is a column of it, and what is no column
    inside is said once."""
    names = {*pair.outputs, pair.alias} - {""}
    alone = not pair.outer.args.get("joins")
    times = Counter[str]()
    if _is_given_twice(pair):
        return False
    for part in _parts(pair.outer):
        if part.find(exp.Query) or has_star(part):
            return False
        for column in part.find_all(exp.Column):
            own = _own(column, pair)
            if own:
                times[own] += 1
            elif column.table and column.table.lower() == pair.alias:
                return False
            elif _TOKEN.search(column.name):
                continue  # what callers say there is looked at below
            elif not column.table and not (alone and _is_output(column, pair)):
                return False  # of neither, or nobody knows of which
        for text in texts(part):
            if _TOKEN.search(text) and not names.isdisjoint(words.words(text)):
                return False
    return all(isinstance(pair.outputs[name], exp.Column) or many == 1
               for name, many in times.items())  # fmt: skip


def _is_given_twice(pair: _Pair) -> bool:
    """Whether a name without its table would be that of an item, too: engines disagree on which of
    the two a clause means."""
    given = {
        item.alias.lower()
        for item in pair.outer.expressions
        if isinstance(item, exp.Alias)
        and not (isinstance(item.this, exp.Column) and item.this.name.lower() == item.alias.lower())
    }
    clauses = [pair.inner.args.get(name) for name in ("where", "group", "having")]
    said = [column for clause in clauses if clause for column in clause.find_all(exp.Column)]
    for part in _parts(pair.outer):
        if not isinstance(part.parent, exp.Select) or part.arg_key != "expressions":
            owns = [_own(column, pair) for column in part.find_all(exp.Column)]
            said += [c for own in owns if own for c in pair.outputs[own].find_all(exp.Column)]
    return any(not column.table and column.name.lower() in given for column in said)


def _parts(query: exp.Select) -> Iterator[exp.Expr]:
    """All that a query says beside what it reads."""
    yield from query.expressions
    for name in _OUTER - {"expressions", "from_", "with_", "joins"}:
        value = query.args.get(name)
        if isinstance(value, exp.Expr):
            yield value
    for join in query.args.get("joins") or ():
        if (test := join.args.get("on")) is not None:
            yield test


def _own(column: exp.Column, pair: _Pair) -> str:
    """The output of the inner query that a column is; empty for none."""
    name = column.name.lower()
    if name not in pair.outputs or len(column.parts) > 2:
        return ""
    if column.table:
        return name if column.table.lower() == pair.alias else ""
    return "" if _is_output(column, pair) else name


def _is_output(column: exp.Column, pair: _Pair) -> bool:
    """Whether a name in the order is that of an output of the outer query."""
    if column.table or column.find_ancestor(exp.Order, exp.Select) is pair.outer:
        return False
    order = column.find_ancestor(exp.Order)
    named = {item.alias.lower() for item in pair.outer.expressions if isinstance(item, exp.Alias)}
    return order is pair.outer.args.get("order") and column.name.lower() in named


def _put(pair: _Pair) -> None:
    """In place."""
    outer, inner = pair.outer, pair.inner
    for item in outer.expressions:
        own = _own(item, pair) if isinstance(item, exp.Column) else ""
        if own and pair.outputs[own].output_name != item.output_name:
            item.replace(exp.alias_(copied(item), item.this.copy()))
    for part in [*_parts(outer)]:
        for column in [*part.find_all(exp.Column)]:
            if own := _own(column, pair):
                column.replace(_placed(pair.outputs[own], column.parent))
    outer.set("from_", inner.args["from_"])
    joins = [*(inner.args.get("joins") or ()), *(outer.args.get("joins") or ())]
    outer.set("joins", joins or None)
    for name in ("with_", "group", "having"):
        if inner.args.get(name):
            outer.set(name, inner.args[name])
    tests = [q.args["where"].this for q in (inner, outer) if q.args.get("where")]
    if tests:
        outer.set("where", exp.Where(this=exp.and_(*map(_as_condition, tests), copy=False)))
    said = [*(outer.comments or ()), *(pair.source.comments or ()), *(inner.comments or ())]
    outer.comments = said or None


def _as_condition(test: exp.Expr) -> exp.Expr:
    """What a call says is whole beside other conditions only in parentheses."""
    return test if isinstance(test, exp.Condition) else exp.Paren(this=test)


def _placed(made: exp.Expr, above: exp.Expr | None) -> exp.Expr:
    """A copy, in parentheses where it would fall apart."""
    apart = isinstance(made, exp.Binary | exp.Unary | exp.Predicate | exp.Connector | exp.Var)
    within = isinstance(above, exp.Condition | exp.Ordered) and not isinstance(above, exp.Func)
    return exp.Paren(this=copied(made)) if apart and within else copied(made)
