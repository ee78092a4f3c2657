"""How values and rows flow through the queries of one statement, down to base relations."""

from collections.abc import Iterator

from sqlglot import exp

from unwet.lineage.budget import BUDGET, OverBudget
from unwet.lineage.clauses import is_distinct, ordinals, produced_from, row_clauses
from unwet.lineage.findings import Finding, Span
from unwet.lineage.flows import (
    IDENTITY,
    ROW_COUNT,
    TRANSFORMATION,
    Flows,
    Op,
    combine,
    deeper,
    merge,
)
from unwet.lineage.names import folded, position
from unwet.lineage.parse import Statement
from unwet.lineage.resolve import Input, Output, Query, Ref
from unwet.lineage.scopes import Named
from unwet.lineage.structs import field_value
from unwet.lineage.walk import Walker

_RANK = {"certain": 0, "inferred": 1, "ambiguous": 2, "unknown": 3}
_QUALIFIERS = ("catalog", "db", "table")  # of a column, as written
_SELF = "\0"  # marks a recursive query's read of itself until its fixpoint is known


class Tracer:
    """Memory of one statement: flows by query output, rows by query, unresolved names."""

    def __init__(self, statement: Statement, steps: int = BUDGET.steps) -> None:
        self._statement = statement
        self._steps = steps  # that are left
        self._members: dict[int, Flows] = {}
        self._open: dict[tuple[object, ...], Flows] = {}
        self._stars: dict[int, tuple[Flows, ...]] = {}
        self.cut: dict[int, exp.Expression] = {}  # queries whose stars are not fully listed
        self._outputs: dict[tuple[int, int], Flows] = {}
        self._rows: dict[int, Flows] = {}
        self._active: set[int | tuple[int, int]] = set()
        self._spans: dict[int, Span] = {}
        self._unresolved: dict[int, tuple[exp.Expression, Ref, str]] = {}
        self._evidence: dict[int, Span] = {}  # by id of the column node
        self._walker = Walker(self)

    # --- what a query gives

    def output(self, query: Query, at: int) -> Flows:
        """Flows into output `at` of a query."""
        key = (id(query), at)
        known = self._outputs.get(key)
        if known is not None:
            self._count(known)
            return known
        if id(query) in self._active:
            return {(_SELF + str(id(query)), str(at), *IDENTITY): (0, ())}
        if query.recursive:
            self._close(query)
            return self._outputs[key]
        if key in self._active:
            return {}  # an alias that refers to itself
        self._active.add(key)
        self._outputs[key] = flows = self._compute(query, at)
        self._active.discard(key)
        self._count(flows)
        return flows

    def _count(self, flows: Flows) -> None:
        """Take what reading these flows costs from the budget; raises OverBudget."""
        self._steps -= 1 + len(flows)
        if self._steps < 0:
            raise OverBudget

    def _compute(self, query: Query, at: int) -> Flows:
        if query.branches:
            return self._of_branches(query, at)
        output = query.outputs[at]
        if output.star is not None:
            return self._starred(query, output)
        flows: Flows = {}
        if output.expression is not None:
            single = self._walker.identity(query, output.expression)
            if single is not None and not output.reads:
                return single
            self._walker.add(query, output.expression, IDENTITY, "select", flows)
        for each in output.reads:
            self._walker.add(query, each, IDENTITY, "select", flows)
        return flows

    def _starred(self, query: Query, output: Output) -> Flows:
        assert output.star is not None
        first = self.member(query, *output.star, (), 0, output.node)
        if not output.also:
            return first
        flows = dict(first)
        for each, name in output.also:
            merge(flows, self.member(query, each, name, (), 0, output.node), IDENTITY)
        return flows

    def _of_branches(self, query: Query, at: int) -> Flows:
        """A set operation; the right side of EXCEPT only takes rows away."""
        flows: Flows = {}
        for branch, op in self._leaves(query):
            position = _position(query, branch, at)
            if position is not None:
                merge(flows, self.output(branch, position), op)
            else:
                for stars in self.open_columns(branch, query.outputs[at].name):
                    merge(flows, stars, op)
        return flows

    def _leaves(self, query: Query) -> Iterator[tuple[Query, Op]]:
        """The branches of a chain of set operations, without recursing down its left side."""
        rights: list[tuple[Query, Op]] = []
        while query.kind == "setop" and query.branches:
            op = ("INDIRECT", "FILTER") if isinstance(query.node, exp.Except) else IDENTITY
            rights.append((query.branches[1], op))
            query = query.branches[0]
            if query.recursive:
                break
        if query.kind != "setop" and query.branches:
            query = query.branches[0]
        yield query, IDENTITY
        yield from reversed(rights)

    def _close(self, query: Query) -> None:
        """All outputs of a recursive query: what it reads from itself is replaced until stable."""
        self._active.add(id(query))
        raw = [self._compute(query, at) for at in range(len(query.outputs))]
        self._active.discard(id(query))
        own = _SELF + str(id(query))
        for at in range(len(raw)):
            flows: Flows = {}
            todo: list[tuple[int, Op]] = [(at, IDENTITY)]
            done: set[tuple[int, Op]] = set()
            while todo:
                position, op = todo.pop()
                if (position, op) in done:
                    continue
                done.add((position, op))
                plain = {key: flow for key, flow in raw[position].items() if key[0] != own}
                self._count(raw[position])
                merge(flows, plain, op)
                todo.extend(
                    (int(key[1]), combine((key[2], key[3]), op))
                    for key in raw[position]
                    if key[0] == own
                )
            self._outputs[id(query), at] = flows

    # --- which rows a query has

    def rows(self, query: Query) -> Flows:
        """Indirect flows into every output: filters, joins, grouping and order, at any depth."""
        known = self._rows.get(id(query))
        if known is not None:
            self._count(known)
            return known
        if query.cut:
            self.cut[id(query)] = query.node
        self._rows[id(query)] = {}  # a recursive query adds nothing to itself
        flows: Flows = {}
        for part, clause, subtype in row_clauses(query):
            self._walker.add(query, part, ("INDIRECT", subtype), clause, flows)
        for at, subtype in ordinals(query):
            if 0 <= at < len(query.outputs):
                merge(flows, self.output(query, at), ("INDIRECT", subtype))
        self._distinct(query, flows)
        self._using(query, flows)
        for each in query.inputs:
            if each.query is not None:
                merge(flows, self.rows(each.query), IDENTITY)
        if query.branches:
            for branch, _ in self._leaves(query):
                merge(flows, self.rows(branch), IDENTITY)
        self._rows[id(query)] = flows
        return flows

    def _distinct(self, query: Query, flows: Flows) -> None:
        """All columns of a query without equal rows; chains of set operations are walked."""
        while True:
            kept = query.branches[0] if isinstance(query.node, exp.Except) else query
            if is_distinct(query) and not query.recursive:
                for at in range(len(kept.outputs)):
                    merge(flows, self.output(kept, at), ("INDIRECT", "GROUP_BY"))
                for stars in () if kept.complete else self.stars(kept):
                    merge(flows, stars, ("INDIRECT", "GROUP_BY"))
                if isinstance(query.node, exp.Union):
                    return  # what it groups by holds all that stands below it
            if query.kind != "setop" or not query.branches or query.recursive:
                return
            query = query.branches[0]

    def _using(self, query: Query, flows: Flows) -> None:
        for name, inputs in query.merged.items():
            for each in inputs:
                node = each.join if each.join is not None else each.node
                merge(flows, self.member(query, each, name, (), 0, node), ("INDIRECT", "JOIN"))

    def members(self, query: Query) -> Flows:
        """The base relations whose rows a query counts."""
        known = self._members.get(id(query))
        if known is not None:
            self._count(known)
            return known
        flows = self._members[id(query)] = {}
        for each in query.inputs:
            if each.relation is not None:
                flows[each.relation, "*", *ROW_COUNT] = (0, (each.node,))
            elif each.query is not None and not each.query.recursive:
                merge(flows, self.members(each.query), IDENTITY)
        if query.branches and not query.recursive:
            for branch, _ in self._leaves(query):
                merge(flows, self.members(branch), IDENTITY)
        return flows

    # --- columns of inputs

    def column(self, query: Query, node: Named, clause: str, path: tuple[str, ...]) -> Flows:
        """Flows into a column as it is read in a clause of `query`."""
        ref = query.find(node, clause)
        rank = _RANK[ref.certainty]
        if rank >= 2:
            self._unresolved[id(node)] = (node, ref, query.dialect)
        if ref.evidence is not None:
            self._evidence[id(node)] = ref.evidence
        owner = query
        for _ in range(ref.level):
            owner = owner.parent or owner
        if ref.alias is not None:
            at = next((i for i, o in enumerate(query.outputs) if o is ref.alias), None)
            return self.output(query, at) if at is not None else self._scalar(owner, ref.alias)
        path = (*ref.path, *path)
        if ref.merged:
            flows: Flows = {}
            for each in ref.merged:
                if each.input is not None:
                    merge(
                        flows,
                        self.member(owner, each.input, each.column, path, rank, node),
                        IDENTITY,
                    )
            return flows
        if ref.input is not None:
            return self.member(owner, ref.input, ref.column, path, rank, node)
        if ref.candidates:
            return self._ambiguous(owner, ref, path, node)
        if ref.certainty == "certain":
            return {}  # a parameter
        return {("?", ".".join((ref.column, *path)), *IDENTITY): (3, (node,))}

    def _scalar(self, owner: Query, named: Output) -> Flows:
        """An expression that WITH names."""
        flows: Flows = {}
        key = (id(named), -1)
        if named.expression is not None and key not in self._active:
            self._active.add(key)
            self._walker.add(owner, named.expression, IDENTITY, "select", flows)
            self._active.discard(key)
        return flows

    def _ambiguous(
        self, owner: Query, ref: Ref, path: tuple[str, ...], node: exp.Expression
    ) -> Flows:
        flows: Flows = {}
        for each in ref.candidates:
            merge(flows, self.member(owner, each, ref.column, path, 2, node), IDENTITY)
        return flows

    def member(
        self,
        owner: Query,
        each: Input,
        name: str,
        path: tuple[str, ...],
        rank: int,
        node: exp.Expression,
    ) -> Flows:
        """Flows into column `name` of an input of `owner`; "*" means whole rows."""
        if each.relation is not None and name != "*":
            own = self._own_name(each, name) if each.table is not None else name
            column = ".".join((own, *path)) if path else own
            return {(each.relation, column, *IDENTITY): (rank, (node,))}
        if each.relation is not None:
            names = each.columns or (name,)
            return {
                (each.relation, ".".join((self._own_name(each, column), *path)), *IDENTITY): (
                    rank,
                    (node,),
                )
                for column in names
            }
        if each.query is None:
            return self._produced(owner, each, name)
        if name == "*":
            flows: Flows = {}
            for at in range(len(each.query.outputs)):
                merge(flows, self.output(each.query, at), IDENTITY)
            for stars in self.stars(each.query):
                merge(flows, stars, IDENTITY)
            return flows
        position = each.index.get(name)
        if position is None:
            return self._open_member(each, name, path, rank, node)
        if position >= len(each.query.outputs):  # a list of names that is longer than what is known
            flows = {}
            for stars in self.stars(each.query):
                merge(flows, stars, IDENTITY)
            return flows or {("?", ".".join((name, *path)), *IDENTITY): (3, (node,))}
        if path and (field := self._field(each.query, position, path, rank)) is not None:
            return field
        return deeper(self.output(each.query, position), path, rank)

    def _field(self, query: Query, at: int, path: tuple[str, ...], rank: int) -> Flows | None:
        """Field `path` of an output that is built as STRUCT(... AS name); None for others."""
        output = query.outputs[at]
        if output.star is not None:
            item, name = output.star
            inner = item.index.get(name) if item.query is not None else None
            if inner is None or item.query is None:
                return None
            return self._field(item.query, inner, path, rank)
        value = field_value(output.expression, path[0], query.dialect)
        if value is None:
            return None
        flows: Flows = {}
        self._walker.add(query, value, IDENTITY, "select", flows)
        return deeper(flows, path[1:], rank)

    def _own_name(self, each: Input, column: str) -> str:
        """The table's own name of a column that an alias list renames."""
        table = each.table
        if table is None or not table.closed or column in table.index or column not in each.index:
            return column
        return table.columns[each.index[column]].name

    def _produced(self, owner: Query, each: Input, name: str) -> Flows:
        """A column of UNNEST, LATERAL, VALUES or a table function: from all its arguments."""
        offset = each.node.args.get("offset")
        if isinstance(offset, exp.Identifier) and folded(offset, owner.dialect) == name:
            return {}
        flows: Flows = {}
        node = each.node
        if isinstance(node, exp.Values):
            at = each.index.get(name, 0)
            for row in node.expressions:
                cells = row.expressions if isinstance(row, exp.Tuple) else [row]
                if at < len(cells):
                    self._walker.add(owner, cells[at], TRANSFORMATION, "from", flows)
            return flows
        for part in produced_from(node, each.index.get(name)):
            self._walker.add(owner, part, TRANSFORMATION, "from", flows)
        return flows

    def _open_member(
        self, each: Input, name: str, path: tuple[str, ...], rank: int, node: exp.Expression
    ) -> Flows:
        """A column that a star over unknown columns gives, or one of several."""
        assert each.query is not None
        key = (id(each.query), name, path, rank, id(node))
        known = self._open.get(key)
        if known is not None:
            self._count(known)
            return known
        self._open[key] = {}  # a query that reads itself has no other columns for it
        found = list(self.open_columns(each.query, name, node))
        flows: Flows = {}
        for one in found:
            merge(flows, deeper(one, path, max(rank, 2 if len(found) > 1 else 1)), IDENTITY)
        if not found:
            flows[("?", ".".join((name, *path)), *IDENTITY)] = (3, (node,))
        self._open[key] = flows
        return flows

    def open_columns(
        self, query: Query, name: str, node: exp.Expression | None = None
    ) -> Iterator[Flows]:
        """Flows into a column that only a star over unknown columns can give."""
        for branch, _ in self._leaves(query) if query.branches else ((query, IDENTITY),):
            at = next((i for i, o in enumerate(branch.outputs) if o.name == name), None)
            if at is not None and branch is not query:
                yield self.output(branch, at)
                continue
            for star in branch.open:
                if name not in star.hidden:
                    place = node if node is not None else star.node
                    own = star.renamed.get(name, name)
                    yield self.member(branch, star.input, own, (), 1, place)

    def stars(self, query: Query) -> tuple[Flows, ...]:
        """Flows of whole unknown column lists: `*` of a base relation into `*`; each once."""
        known = self._stars.get(id(query))
        if known is None:
            self._stars[id(query)] = ()  # a query that reads itself
            found = {_identity(flows): flows for flows in self._found_stars(query)}
            known = self._stars[id(query)] = tuple(found.values())
        self._steps -= len(known)
        return known

    def _found_stars(self, query: Query) -> Iterator[Flows]:
        for branch, _ in self._leaves(query) if query.branches else ((query, IDENTITY),):
            for star in branch.open:
                each = star.input
                if each.relation is not None:
                    yield {(each.relation, "*", *IDENTITY): (1, (star.node,))}
                elif each.query is not None:
                    yield from self.stars(each.query)
                else:
                    yield self._produced(branch, each, "*")

    # --- places

    def span(self, node: exp.Expression) -> Span:
        """Where a node stands in the source."""
        span = self._spans.get(id(node))
        if span is None:
            span = self._spans[id(node)] = column_span(self._statement, node)
        return span

    def spans(self, nodes: tuple[exp.Expression, ...]) -> tuple[Span, ...]:
        """Where nodes stand, in order."""
        if len(nodes) == 1:
            return (self.span(nodes[0]),)
        found = {self.span(node) for node in nodes}
        return tuple(sorted(found)) if len(found) > 1 else tuple(found)

    def evidence_of(self, nodes: tuple[exp.Expression, ...]) -> tuple[Span, ...]:
        """What settled the names of these column nodes, where several inputs could have them."""
        if not self._evidence:
            return ()
        found = {self._evidence[id(node)] for node in nodes if id(node) in self._evidence}
        return tuple(sorted(found))

    def findings(self) -> tuple[Finding, ...]:
        """One finding per name that is ambiguous or unknown."""
        found = (_finding(self.span(node), node, ref) for node, ref, _ in self._unresolved.values())
        return tuple(sorted(found, key=lambda each: each.at))


def _identity(flows: Flows) -> tuple[object, ...]:
    """Equal for flows of the same columns, read at the same places."""
    return tuple((key, rank, *map(id, nodes)) for key, (rank, nodes) in flows.items())


def column_span(statement: Statement, node: exp.Expr) -> Span:
    """The place of a column, from its first to its last identifier; of others, all they cover."""
    if isinstance(node, exp.Column):
        args = node.args
        last = args["this"]
        first = next((part for key in _QUALIFIERS if (part := args.get(key)) is not None), last)
        start, stop = first.meta.get("start"), last.meta.get("end")
        if start is not None and stop is not None:
            return statement.masked.span(start, stop + 1)
    return statement.span_of(node)


def _finding(at: Span, node: exp.Expression, ref: Ref) -> Finding:
    name = ref.column if isinstance(node, Named) and position(node) else node.sql()
    if ref.certainty == "ambiguous":
        names = ", ".join(sorted(each.relation or each.alias for each in ref.candidates))
        return Finding("AMBIGUOUS", f"column {name} may belong to {names}", at, "qualify it")
    if ref.input is not None:
        owner = ref.input.relation or ref.input.alias
        return Finding("UNRESOLVED", f"{owner} has no column {ref.column}", at)
    return Finding("UNRESOLVED", f"nothing in sight has a column {name}", at)


def _position(query: Query, branch: Query, at: int) -> int | None:
    """Output of a branch behind output `at` of the set operation: by place, else by name."""
    if query.complete and branch.complete and not query.node.args.get("by_name"):
        return at if at < len(branch.outputs) else None
    name = query.outputs[at].name
    return next((i for i, output in enumerate(branch.outputs) if output.name == name), None)
