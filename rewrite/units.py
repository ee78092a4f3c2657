"""What can be a copy of what: every whole query of a pile and every query block inside one.

A unit is a query block together with its normal form, its columns put into one order, so that
copies meet whatever their aliases, CTEs and select lists look like. Blocks that read a row of an
enclosing query mean nothing alone and are no units.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from sqlglot import exp

from unwet.lineage.garbage import rare_collection
from unwet.lineage.names import deep_stack
from unwet.lineage.pile import Pile
from unwet.lineage.resolve import Input, Query, Resolved
from unwet.rewrite.algebra import (
    Call,
    Col,
    Filter,
    Lit,
    Opaque,
    Plan,
    Project,
    Rel,
    Scan,
    SetOp,
    walk,
    width,
)
from unwet.rewrite.fingerprint import recurring, strict
from unwet.rewrite.from_clause import Frame
from unwet.rewrite.lost import misread
from unwet.rewrite.lower import Env, Lowerer, lower, trim
from unwet.rewrite.meaning import Meaning, meaning_of
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.reads import subqueries
from unwet.rewrite.rules.order import order_key
from unwet.rewrite.scalars import Unsupported
from unwet.rewrite.script import Definition, EndState, base_reads

WHOLE_KINDS: Final = frozenset({"query", "ctas", "view", "insert", "select_into"})

BARE = 2  # hands on what it reads
SIMPLE = 1  # one relation and one comparison


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A query block and its normal form.

    ``parent`` is the nearest unit whose text this one stands in. ``relation`` is the statement's
    target or the CTE or alias the block stands under. ``names`` go with the columns of ``rel``.
    ``triviality`` is 0, SIMPLE or BARE. Equal ``strict``: the same rows, up to the order of the
    columns; equal ``recurring``: the same query but for its literals.
    """

    resolved: Resolved
    query: Query
    parent: Unit | None
    relation: str
    whole: bool
    names: tuple[str, ...]
    rel: Rel
    strict: str
    recurring: str
    triviality: int

    @property
    def node(self) -> exp.Expression:
        """The syntax tree of the block."""
        return self.query.node

    def ancestors(self) -> Iterator[Unit]:
        """The units around this one, the nearest first."""
        unit = self.parent
        while unit is not None:
            yield unit
            unit = unit.parent


@rare_collection()
def units(pile: Pile | Meaning, only: Container[str] | None = None) -> list[Unit]:
    """All units of the pile in the order of its statements, enclosing ones first; `only`: those
    of the sources with these paths."""
    with deep_stack():
        meaning = meaning_of(pile)
        pile = meaning.pile
        # the end state takes as long as the units do, and matters to temporary tables only
        temps_made = any(each.temp for each in pile.resolved)
        state = meaning.state if temps_made else EndState((), ())
        reads, plans = _temporary_reads(state), _plans(state)
        private = _private_names(pile.resolved, state)
        odd = {(script.source.path, at) for script in pile.scripts for at in misread(script)}
        found: list[Unit] = []
        for resolved in pile.resolved:
            at = resolved.statement.path, resolved.statement.index
            if resolved.query is None or at in odd or resolved.statement.again:
                continue  # of a text that is read twice, the first reading is what others copy
            if only is not None and at[0] not in only:
                continue
            hidden = private.get(resolved.statement.path, frozenset())
            temps, plan = reads.get(id(resolved), {}), plans.get(id(resolved))
            job = _Statement(resolved, pile, temps, hidden, plan, meaning.normalizer)
            found += job.units()
        return found


# --- temporary tables -------------------------------------------------------------------------


def _temporary_reads(state: EndState) -> dict[int, dict[str, Plan]]:
    """What the temporary tables hold that a statement reads, by the statement's identity."""
    found: dict[int, dict[str, Plan]] = {}
    for definition in _definitions(state):
        temps = [d for d in definition.reads if d.temp]
        relations = [d.relation for d in temps]
        known = {
            d.relation: d.plan
            for d in temps
            # two states of one table: nobody knows here which of the parts read which
            if d.plan is not None and relations.count(d.relation) == 1
        }
        for part in definition.parts:
            found.setdefault(id(part), known)
    return found


def _plans(state: EndState) -> dict[int, Plan]:
    """The plans of the statements that fill a relation alone, by the statement's identity."""
    return {
        id(definition.parts[0]): definition.plan
        for definition in _definitions(state)
        if len(definition.parts) == 1 and definition.plan is not None
        # an INSERT's rows are cast to the table's types there
        if definition.parts[0].kind in WHOLE_KINDS - {"insert"}
    }


def _private_names(resolved: Sequence[Resolved], state: EndState) -> dict[str, frozenset[str]]:
    """The relations of each script whose rows are its own affair, by path."""
    names: dict[str, set[str]] = {}
    for each in resolved:
        if each.temp and each.target:
            names.setdefault(each.statement.path, set()).add(each.target)
    for definition in _definitions(state):
        for read in definition.reads:
            if read.temp:
                names.setdefault(definition.path, set()).add(read.relation)
    return {path: frozenset(found) for path, found in names.items()}


def _definitions(state: EndState) -> Iterator[Definition]:
    seen: set[int] = set()
    stack = [report.definition for report in reversed(state.reports)]
    while stack:
        definition = stack.pop()
        if id(definition) not in seen:
            seen.add(id(definition))
            yield definition
            stack.extend(definition.reads)


# --- the blocks of one statement ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Block:
    """A query block on the way to be a unit."""

    query: Query
    label: str
    parent: Unit | None
    whole: bool


class _Statement:
    """Makes the units of one statement."""

    def __init__(
        self,
        resolved: Resolved,
        pile: Pile,
        temps: Mapping[str, Plan],
        private: frozenset[str],
        known: Plan | None,
        normalizer: Normalizer,
    ) -> None:
        assert resolved.query is not None
        self._resolved, self._root = resolved, resolved.query
        self._known, self._normalizer = known, normalizer
        statement = resolved.statement
        self._restore = statement.masked.restore
        self._private = private - set(temps)
        self._place = f"{statement.path}:{statement.index}"
        bound = frozenset(p.token.lower() for p in statement.masked.placeholders if p.binds)
        self._env = Env(pile.catalog, temps, bound)
        self._lowerer = _BlockLowerer(self._env, self._root, self._private, self._place)
        self._plain = None if self._private else self._lowerer  # lowers as `lower` does by itself
        self._sound = False  # the whole statement was understood

    def units(self) -> Iterator[Unit]:
        """The statement's own query first, then the blocks in it, outermost first."""
        kind = self._resolved.kind
        # a temporary table's name goes on with the path where several scripts have one like it
        path = f"@{self._resolved.statement.path}"
        target = self._restore((self._resolved.target or "").removesuffix(path))
        stack = [_Block(self._root, target, None, kind in WHOLE_KINDS)]
        seen: set[int] = set()
        while stack:
            block = stack.pop()
            if id(block.query) in seen:
                continue
            seen.add(id(block.query))
            unit = self._unit(block)
            if unit is not None and not _repeats(unit):
                yield unit
            else:
                unit = block.parent
            stack.extend(reversed(list(self._inside(block, unit))))

    def _inside(self, block: _Block, around: Unit | None) -> Iterator[_Block]:
        query = block.query
        for name, cte in query.ctes.items():
            yield _Block(cte, self._restore(name), around, False)
        for branch in _branches(query):
            yield _Block(branch, block.label, around, False)
        for item in query.inputs:
            if item.query is not None:
                yield _Block(item.query, self._restore(item.alias), around, False)
        for inner in subqueries(query):
            yield _Block(inner, block.label, around, False)

    def _unit(self, block: _Block) -> Unit | None:
        query = block.query
        if query.kind not in ("select", "setop"):
            return None
        if block.whole:
            checked = self._known or lower(query, self._env, self._plain)
            if isinstance(checked.rel, Opaque):
                return self._opaque(block, checked)
            self._sound = True
        try:
            plan = self._lowerer.plan(query)
        except Unsupported:
            return None  # it is not understood, or reads a row of an enclosing query
        # what lower checks beforehand holds for the blocks where it holds for the statement
        if not self._sound and isinstance(lower(query, self._env, self._plain).rel, Opaque):
            return None
        rel, names = _in_one_order(trim(plan), plan.names, self._normalizer)
        return self._made(block, rel, names, strict(rel), recurring(rel))

    def _opaque(self, block: _Block, plan: Plan) -> Unit | None:
        """A whole query that is not understood: the same only as one with the same text."""
        if not _is_self_contained(block.query):
            return None
        digest = strict(plan.rel)
        if base_reads(block.query) & self._private:
            digest = blake2b(f"{digest} {self._place}".encode(), digest_size=16).hexdigest()
        return self._made(block, plan.rel, plan.names, digest, digest)

    def _made(
        self, block: _Block, rel: Rel, names: tuple[str, ...], exact: str, masked: str
    ) -> Unit:
        triviality = max(_triviality(rel), _own_triviality(block.query, self._env.definitions))
        return Unit(
            self._resolved,
            block.query,
            block.parent,
            block.label,
            block.whole,
            names,
            rel,
            exact,
            masked,
            triviality,
        )


class _BlockLowerer(Lowerer):
    """Tells the temporary tables of different scripts apart where they cannot be read through."""

    def __init__(self, env: Env, query: Query, private: frozenset[str], place: str) -> None:
        super().__init__(env, query)
        self._private, self._place = private, place

    def relation(self, item: Input, outer: tuple[Frame, ...]) -> Rel:
        """The rows of one FROM item."""
        rel = super().relation(item, outer)
        if isinstance(rel, Scan) and item.relation in self._private:
            return Scan(f"{rel.table} of {self._place}", rel.columns)
        return rel


def _branches(query: Query) -> Iterator[Query]:
    """The branches of a set operation, those of the operations it chains up included."""
    stack = list(reversed(query.branches))
    while stack:
        branch = stack.pop()
        if branch.kind == "setop" and not branch.ctes and query.kind == "setop":
            stack.extend(reversed(branch.branches))
        else:
            yield branch


def _repeats(unit: Unit) -> bool:
    """Whether a unit around this one has the same rows: `with a as (...) select * from a`."""
    return any(around.strict == unit.strict for around in unit.ancestors())


def _is_self_contained(query: Query) -> bool:
    """Whether all CTEs stand inside the query's own text: not in front of an INSERT."""
    inside = {id(node) for node in query.node.find_all(exp.Query)}
    return all(id(cte.node) in inside for cte in query.ctes.values())


# --- one order of columns -----------------------------------------------------------------------


def _in_one_order(
    rel: Rel, names: tuple[str, ...], normalizer: Normalizer
) -> tuple[Rel, tuple[str, ...]]:
    """The normal form with its columns sorted by content, and the names sorted along."""
    rel, _ = normalizer.run(rel)
    order = sorted(range(width(rel)), key=lambda i: _column_key(rel, i))
    if order != list(range(width(rel))):
        rel, _ = normalizer.run(Project(rel, tuple(Col(i) for i in order)))
    return rel, tuple(names[i] for i in order)


def _column_key(rel: Rel, index: int) -> tuple[tuple[bytes, bytes], ...]:
    """What a column is sorted by: its expression, in every branch of a union."""
    match rel:
        case Project(exprs=exprs):
            return (order_key(exprs[index]),)
        case SetOp(inputs=branches):
            return tuple(sorted(key for b in branches for key in _column_key(b, index)))
        case _:
            return (order_key(Col(index)),)


# --- triviality -------------------------------------------------------------------------------


def _triviality(rel: Rel) -> int:
    """How little a plan does: SIMPLE for one comparison over one relation, BARE for even less."""
    level = BARE
    if isinstance(rel, Project):
        if not all(isinstance(_uncast(e), Col | Lit) for e in rel.exprs):
            return 0 if _reads_anything(rel) else BARE
        rel = rel.input
    if isinstance(rel, Filter) and len(rel.conjuncts) == 1:
        rel, level = rel.input, SIMPLE
    if isinstance(rel, Scan):
        return level
    return 0 if _reads_anything(rel) else BARE


def _uncast(expr: object) -> object:
    while isinstance(expr, Call) and expr.op == "cast":
        expr = expr.args[0]
    return expr


def _reads_anything(rel: Rel) -> bool:
    """Whether a plan reads a relation; literal rows are data, not logic."""
    return any(isinstance(node, Scan | Opaque) for node in walk(rel))


def _own_triviality(query: Query, temps: Mapping[str, Plan]) -> int:
    """The same for a block that only hands on a CTE or temporary table, which does the work."""
    node = query.node
    if query.kind != "select" or query.ctes or len(query.inputs) != 1:
        return 0
    item = query.inputs[0]
    if not isinstance(item.node, exp.Table) or (item.query is None and item.relation not in temps):
        return 0
    if any(node.args.get(name) for name in ("group", "having", "distinct", "qualify", "limit")):
        return 0
    if not all(_is_plain(output.expression) for output in query.outputs):
        return 0
    where = node.args.get("where")
    if where is None:
        return BARE
    return 0 if where.find(exp.And, exp.Or, exp.Query) else SIMPLE


def _is_plain(node: exp.Expression | None) -> bool:
    while isinstance(node, (exp.Cast, exp.Paren, exp.Neg)):
        node = node.this
    return node is None or isinstance(node, (exp.Column, exp.Literal, exp.Null, exp.Boolean))
