"""Which model another one serves in the place of: all that read it keep their rows.

That is asked of normal forms, reader by reader, and there are as many pairs as a pile has models
times models. So each side is asked first for the words it has, which are its tables and constants.
No rule makes a table, and few make a constant: what the rows of a reader are made of has to be in
the other model if it comes out of this one and of nothing else that the reader says, and what the
other model asks of its rows is to be seen in those of the reader. That is a hint only; what has the
words is read with the other model in the place of this one.

Of a reader that is many queries under UNION most have nothing to do with the model: they say every
word there is, and are the same whatever is read. So what is left without them is asked first, and
the whole reader only if that keeps its rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sqlglot import exp

from unwet.lineage.trees import copied, upwards
from unwet.rewrite.algebra import (
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Plan,
    Rel,
    Scan,
    Subquery,
    expressions,
    inputs,
    parts,
    walk,
)
from unwet.rewrite.unread import columns_read, read_instead, tables_of

_NO_WORDS: frozenset[str] = frozenset()
_UNION = frozenset({"this", "expression", "distinct"})


@dataclass(frozen=True, slots=True)
class Reader:
    """A query that reads a model: its rows in normal form, if they are known, and the words that it
    has from elsewhere."""

    host: str
    tree: exp.Query
    rows: Rel | None
    others: frozenset[str]


@dataclass
class Places:
    """Models and all that may read them, as they are: after a change there are others.

    ``rows`` says what a query returns; ``plans`` has those of models, by their tokens."""

    reports: Mapping[str, exp.Query]
    made: Mapping[str, exp.Query]
    plans: Mapping[str, Plan]
    rows: Callable[[str, exp.Query], Rel | None]
    words: Words = field(default_factory=lambda: Words())
    _tokens: dict[str, frozenset[str]] = field(init=False)  # that each query reads
    _readers: dict[str, list[str]] = field(init=False)
    _below: dict[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trees = {**self.reports, **self.made}
        self._tokens = {host: tables_of(tree) for host, tree in trees.items()}
        self._readers = defaultdict(list)
        for host, tokens in self._tokens.items():
            for token in sorted(tokens):
                self._readers[token].append(host)

    def instead_of(self, name: str) -> str | None:
        """The model that may be read in the place of this one."""
        old = _token(name)
        hosts = self._readers.get(old.lower(), [])
        said = columns_read(old, map(self._tree, hosts))
        if said is None:
            return None
        known, readers = list[Reader](), self._read(hosts, old)
        others = (each for each in self.made if each != name and said <= self._columns(each)
                  and name not in self._reached(each))  # fmt: skip
        for other in others:
            if all(self._keeps(each, old, _token(other)) for each in _again(known, readers)):
                return other
        return None

    def _tree(self, host: str) -> exp.Query:
        return self.reports[host] if host in self.reports else self.made[host]

    def _by_size(self, hosts: list[str]) -> list[str]:
        """What says least first: it is soon read."""
        return sorted(hosts, key=lambda host: (_size(self._tree(host)), host))

    def _columns(self, name: str) -> frozenset[str]:
        return frozenset(column.lower() for column in self.made[name].named_selects)

    def _reached(self, name: str) -> frozenset[str]:
        """The models that one reads, and those that they read."""
        if name not in self._below:
            models = [each for each in self.made if _token(each).lower() in self._tokens[name]]
            self._below[name] = frozenset(models).union(*map(self._reached, models))
        return self._below[name]

    def _read(self, hosts: list[str], old: str) -> Iterator[Reader]:
        """Those that read a model, one by one: most often the first one tells them apart."""
        for host in self._by_size(hosts):
            tree = self._tree(host)
            part = branches_that_read(tree, old)
            if part is not None and (found := self._reader(host, part, old)).rows is not None:
                yield found
            yield self._reader(host, tree, old)

    def _reader(self, host: str, tree: exp.Query, old: str) -> Reader:
        said = {node.name for node in tree.find_all(exp.Literal)}
        plans = (self.plans.get(t.name) for t in tree.find_all(exp.Table) if t.name != old)
        found = (self.words.of(plan.rel) for plan in plans if plan is not None)
        others = frozenset(said | tables_of(tree)).union(*found)
        return Reader(host, tree, self.rows(host, copied(tree)), others)

    def _keeps(self, reader: Reader, old: str, new: str) -> bool:
        """Whether a query has the rows that it has if it reads another model."""
        if reader.rows is None or not self._has_the_words(reader, reader.rows, old, new):
            return False
        tree = copied(reader.tree)
        read_instead(old, new, [tree])
        return self.rows(reader.host, tree) == reader.rows

    def _has_the_words(self, reader: Reader, rows: Rel, old: str, new: str) -> bool:
        words, other = self.words.of(rows), self.plans[new].rel
        ours = (words & self.words.of(self.plans[old].rel)) - reader.others
        return ours <= self.words.of(other) and self.words.asked(other) <= words


class Words:
    """The tables and constants of plans; each part is looked at once."""

    def __init__(self) -> None:
        self._said: dict[bytes, frozenset[str]] = {}  # by a node itself
        self._all: dict[bytes, frozenset[str]] = {}
        self._asked: dict[bytes, frozenset[str]] = {}

    def of(self, rel: Rel) -> frozenset[str]:
        """All of a plan."""
        if rel.digest not in self._all:
            self._all[rel.digest] = _NO_WORDS.union(*map(self._of_node, walk(rel)))
        return self._all[rel.digest]

    def asked(self, rel: Rel) -> frozenset[str]:
        """Those that decide which rows there are, whatever columns are read."""
        if rel.digest not in self._asked:
            self._asked[rel.digest] = _NO_WORDS.union(*map(self._of_rows, _of_all_rows(rel)))
        return self._asked[rel.digest]

    def _of_node(self, node: Rel) -> frozenset[str]:
        if node.digest not in self._said:
            table = [node.table.lower()] if isinstance(node, Scan) else []
            found = map(self._of_expr, expressions(node))
            self._said[node.digest] = frozenset(table).union(*found)
        return self._said[node.digest]

    def _of_rows(self, node: Rel) -> frozenset[str]:
        return self._of_node(node) if isinstance(node, (Filter, Join, Scan)) else _NO_WORDS

    def _of_expr(self, expr: Expr) -> frozenset[str]:
        every = [*parts(expr)]
        inner = (self.of(part.rel) for part in every if isinstance(part, Subquery))
        return frozenset(part.text for part in every if isinstance(part, Lit)).union(*inner)


def _of_all_rows(rel: Rel) -> Iterator[Rel]:
    """The nodes without which there are other rows; those on the far side of a LEFT JOIN need not
    be among them."""
    waiting = [rel]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Opaque):
            continue
        outer = isinstance(node, Join) and node.kind == "left"
        if not outer:
            yield node
        waiting += inputs(node)[:1] if outer else inputs(node)


def branches_that_read(tree: exp.Query, token: str) -> exp.Query | None:
    """A copy of a query without those sides of UNIONs that do not read a relation, where that is
    less than half of it. The first side says the names, so it stays."""
    new = copied(tree)
    above = {id(node) for table in new.find_all(exp.Table) if table.name.lower() == token.lower()
             for node in upwards(table)}  # fmt: skip
    for union in [*new.find_all(exp.Union)]:
        if id(union) in above and not _is_first_side(union):
            new = _without_sides(union, above, new)
    return new if 2 * _size(new) < _size(tree) else None


def _without_sides(union: exp.Union, kept: AbstractSet[int], root: exp.Query) -> exp.Query:
    """In place: of several queries under UNION the first one and those kept; gives the root."""
    side: exp.Expr = union
    while isinstance(side, exp.Union):
        first = side.this
        said = {key for key, value in side.args.items() if value}
        if id(side.expression) not in kept and said <= _UNION:
            if side is root:
                root = first.pop()
            else:
                side.replace(first)
        side = first
    return root


def _is_first_side(union: exp.Union) -> bool:
    return isinstance(union.parent, exp.Union) and union.arg_key == "this"


def _size(tree: exp.Expr) -> int:
    return sum(1 for _ in tree.walk())


def _again(known: list[Reader], more: Iterator[Reader]) -> Iterator[Reader]:
    """Those that are known, then more, which are known then."""
    yield from known
    for each in more:
        known.append(each)
        yield each


def _token(name: str) -> str:
    return f"ref__{name}__ref"
