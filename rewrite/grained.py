"""SELECTs that aggregate, in words that mean the same in all of them.

Two reports aggregate the same rows where they read the same relations, joined alike, under the same
conditions. Their columns are called by the relation and its column, whatever the authors' aliases;
so expressions of one can be looked for in the other. This is a hint where to look: that one can be
rolled up from the other is proved on normal forms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from unwet.lineage.resolve import Input, Query
from unwet.lineage.scopes import Ref
from unwet.lineage.trees import copied

_PLAIN_TABLE = frozenset({"this", "alias"})
_ODD = ("laterals", "pivots", "windows", "connect", "sample", "match", "into", "prewhere")
OF_QUERY = "q_"
"""How the word for a query begins."""
_GROUPINGS = ("cube", "rollup", "grouping_sets", "totals")
Known = Callable[[Query], str]
"""A word for the rows of a query that a block reads, the same for equal ones; empty: none."""


@dataclass(eq=False)
class Words:
    """Of one block: what its expressions say."""

    block: Query
    inputs: Mapping[int, str]
    _said: dict[tuple[int, str], exp.Expr | None] = field(default_factory=dict)
    _masked: dict[int, str] = field(default_factory=dict)  # by words of `_said`, which stay

    def of(self, expr: exp.Expr, clause: str = "select") -> exp.Expr | None:
        """The expression over columns of relations; None where a column is nobody's."""
        key = (id(expr), clause)
        if key not in self._said:
            self._said[key] = self._over_relations(expr, clause)
        return self._said[key]

    def masked(self, said: exp.Expr) -> str:
        """What `of` gave, the same for all constants and columns."""
        if id(said) not in self._masked:
            self._masked[id(said)] = _masked(said)
        return self._masked[id(said)]

    def ref(self, column: exp.Column, clause: str) -> Ref:
        """What a column means."""
        return self.block.find(column, clause)

    def _over_relations(self, expr: exp.Expr, clause: str) -> exp.Expr | None:
        if expr.find(exp.Query, exp.Star) and not isinstance(expr, exp.Count):
            return None
        copy = exp.paren(copied(expr.unnest()), copy=False)
        pairs = zip(expr.unnest().find_all(exp.Column), [*copy.find_all(exp.Column)], strict=True)
        for old, new in pairs:
            found = self._column(self.ref(old, clause))
            if found is None:
                return None
            new.replace(found)
        for equation in [*copy.find_all(exp.EQ)]:
            sides = sorted((equation.this, equation.expression), key=exp.Expression.sql)
            equation.set("this", sides[0])
            equation.set("expression", sides[1])
        for count in copy.find_all(exp.Count):
            count.set("big_int", None)  # the width of the counter, not the count
            if isinstance(count.this, exp.Literal):
                count.set("this", exp.Star())
        made: exp.Expr = copy.this
        return made

    def _column(self, ref: Ref) -> exp.Expr | None:
        if ref.alias is not None:
            inner = ref.alias.expression
            said = self.of(inner) if inner is not None else None
            return exp.paren(copied(said), copy=False) if said is not None else None
        word = self.inputs.get(id(ref.input)) if ref.input is not None else None
        if word is None or ref.input is None or ref.level or ref.path or ref.merged:
            return None
        if ref.input.query is None:
            return exp.column(ref.column, table=word)
        at = ref.input.index.get(ref.column)
        return exp.column(f"c{at}", table=word) if at is not None else None


@dataclass(frozen=True, slots=True, eq=False)
class Grained:
    """A SELECT with aggregates. ``rows``: what it reads, and how that is joined; ``conditions``: of
    its rows; ``keys``: what it groups by, none over all rows; all of them in words."""

    host: str
    query: Query  # the whole query that it is a block of
    block: Query
    words: Words
    rows: tuple[str, ...]
    conditions: Mapping[exp.Expr, exp.Expr]
    keys: frozenset[exp.Expr]

    @property
    def kind(self) -> str:
        """The same for blocks that one macro may say: with other constants, conditions, columns and
        relations."""
        joins = [item.join for item in self.block.inputs]
        kinds = ["" if j is None or _is_inner(j) else f"{j.side} {j.kind}" for j in joins]
        outputs = (output.expression for output in self.block.outputs)
        said = (self.words.of(each) if each is not None else None for each in outputs)
        shown = [self.words.masked(each) if each is not None else "" for each in said]
        return repr((sorted(kinds), len(self.keys), shown))

    @property
    def node(self) -> exp.Select:
        """Where it stands."""
        assert isinstance(self.block.node, exp.Select)
        return self.block.node


def _masked(said: exp.Expr) -> str:
    copy = exp.paren(copied(said), copy=False)
    for word in [*copy.find_all(exp.Literal, exp.Column)]:
        word.replace(exp.Placeholder())
    return copy.sql(copy=False)


def grained(host: str, query: Query, block: Query, known: Known) -> Grained | None:
    """A block of a query, if it aggregates what can be told in words."""
    node = block.node
    if not isinstance(node, exp.Select) or any(map(node.args.get, _ODD)) or not block.inputs:
        return None
    if not node.args.get("group") and not any(node.find_all(exp.AggFunc)):
        return None
    inputs = _inputs(block, known)
    if inputs is None:
        return None
    words = Words(block, inputs)
    said = _joined(words, block)
    keys = _keys(words, node)
    if said is None or keys is None:
        return None
    rows, conditions = said
    return Grained(host, query, block, words, rows, conditions, keys)


def _inputs(block: Query, known: Known) -> dict[int, str] | None:
    """A word for each item of FROM."""
    found: dict[int, str] = {}
    times = Counter[str]()
    for item in block.inputs:
        word = _relation(item) if item.query is None else known(item.query)
        if not word or item.group is not None:
            return None
        times[word] += 1
        found[id(item)] = f"{word}_{times[word]}"
    return found


def _relation(item: Input) -> str:
    node = item.node
    plain = {key for key, value in node.args.items() if value} <= _PLAIN_TABLE
    if not isinstance(node, exp.Table) or not plain or item.relation is None:
        return ""
    alias = node.args.get("alias")
    return "" if alias is not None and alias.args.get("columns") else item.relation


def _joined(words: Words, block: Query) -> tuple[tuple[str, ...], dict[exp.Expr, exp.Expr]] | None:
    """What is read: inner joins in any order, then the others in theirs; and all conditions of
    WHERE and of inner joins."""
    inner: list[str] = []
    outer: list[str] = []
    tests = [(test, "where") for test in _conjuncts(block.node.args.get("where"))]
    for item in block.inputs:
        word, join = words.inputs[id(item)], item.join
        if join is None or _is_inner(join):
            inner.append(word)
            on = join.args.get("on") if join is not None else None
            tests += [(test, "on") for test in (on.flatten() if isinstance(on, exp.And) else [on])
                      if test is not None]  # fmt: skip
            continue
        on = words.of(join.args["on"], "on") if join.args.get("on") is not None else None
        if on is None or join.args.get("using") or join.method:
            return None
        outer.append(f"{join.side} {join.kind} {word} {on.sql()}")
    conditions: dict[exp.Expr, exp.Expr] = {}
    for test, clause in tests:
        said = words.of(test, clause)
        if said is None:
            return None
        conditions[said] = test
    return (*sorted(inner), *outer), conditions


def _is_inner(join: exp.Join) -> bool:
    plain = not (join.side or join.method or join.args.get("using"))
    return plain and join.kind.upper() in ("", "INNER", "CROSS")


def _conjuncts(where: exp.Expression | None) -> Iterator[exp.Expr]:
    if where is not None:
        test = where.this
        yield from test.flatten() if isinstance(test, exp.And) else [test]


def _keys(words: Words, node: exp.Select) -> frozenset[exp.Expr] | None:
    group = node.args.get("group")
    if group is None:
        return frozenset()
    if any(map(group.args.get, _GROUPINGS)):
        return None
    if group.args.get("all"):
        items = [i.unalias() for i in node.expressions if not i.find(exp.AggFunc, exp.Window)]
    else:
        items = [grouped_by(each, node) for each in group.expressions]
    said = [words.of(each, "group") for each in items]
    return frozenset(s for s in said if s is not None) if None not in said else None


def grouped_by(key: exp.Expr, node: exp.Select) -> exp.Expr:
    """A key of a GROUP BY, or the output that it calls by its number."""
    if isinstance(key, exp.Literal) and key.is_int and 0 < int(key.name) <= len(node.expressions):
        inner: exp.Expr = node.expressions[int(key.name) - 1].unalias()
        return inner
    return key
