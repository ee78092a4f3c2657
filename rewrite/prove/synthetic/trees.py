"""What queries without a plan say of columns: their syntax trees, as name resolution sees them.

The expressions are the same as in plans, over one endless row: every base column, output or
element that a name means gets a place in it when it is met first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from unwet.lineage.names import folded, is_parameter
from unwet.lineage.resolve import Input, Output, Query, Ref
from unwet.rewrite.algebra import Col, Expr
from unwet.rewrite.prove.synthetic.cells import Cell, unify
from unwet.rewrite.prove.synthetic.expressions import Scalars
from unwet.rewrite.prove.synthetic.owners import Owners
from unwet.rewrite.prove.synthetic.tree_parts import (
    ITEMS,
    TESTS,
    expressions,
    has_value,
    unaliased,
)
from unwet.rewrite.prove.synthetic.values import MORE, WHOLE_ROW, Value, of
from unwet.rewrite.reads import blocks
from unwet.rewrite.scalars import Unsupported, encode


class Trees:
    """Reads queries block by block."""

    def __init__(
        self, scalars: Scalars, owners: Owners, makers: Mapping[str, Sequence[Query]]
    ) -> None:
        self._scalars, self._owners, self._makers = scalars, owners, makers
        self._open: set[tuple[str, str]] = set()  # columns that are followed already
        self._row: list[Value] = []
        self._seen: set[int] = set()
        self._outputs: dict[tuple[int, int], Value] = {}
        self._others: dict[tuple[int, str], Value] = {}  # columns of what is no table and no query
        self._kept: list[object] = []  # whose ids are keys

    def query(self, query: Query) -> Sequence[tuple[str, Value]]:
        """The named outputs of a whole query, all of whose parts are read."""
        self._visit(query)
        found = [(o.name, self._output(query, at)) for at, o in enumerate(query.outputs)]
        for _, value in found:
            self._scalars.read(value)
        return found

    # --- blocks

    def _visit(self, query: Query) -> None:
        for block in blocks(query):
            if id(block) not in self._seen:
                self._seen.add(id(block))
                self._block(block)

    def _block(self, query: Query) -> None:
        self._kept.append(query)
        for at in range(len(query.outputs)):
            self._output(query, at)
        if query.kind != "setop":
            for clause, node in expressions(query.node):
                value = self.value(query, node, clause)
                if clause in TESTS:
                    value.cell.vote("boolean")
        self._star_lists(query)
        for item in query.node.expressions if query.kind == "select" else ():
            if isinstance(item, exp.Column | exp.Dot) and item.is_star:
                self._struct_star(query, item)
        for name, holders in query.merged.items():
            self._merge([self.column(each, name) for each in holders])
        for item in query.inputs:
            if isinstance(item.node, exp.Unnest):
                self._element(query, item)

    def _star_lists(self, query: Query) -> None:
        """Columns that a star leaves out or replaces are there: engines complain otherwise."""
        for name in dict.fromkeys(n for each in query.open for n in sorted(each.hidden)):
            opens = [each for each in query.open if name in each.hidden]
            found = [self.column(each.input, each.renamed.get(name, name)) for each in opens]
            owner = self._one_of([place[0] for v in found for place in v.places], name)
            self._scalars.read(owner)

    def _struct_star(self, query: Query, item: exp.Expr) -> None:
        """`s.* EXCEPT (a)` over a column of structs: they have a field a."""
        if isinstance(item, exp.Dot):
            star, value = item.expression, self.value(query, item.this, "select")
        else:
            slots = ("catalog", "db", "table")
            star, qualifiers = item.this, [item.args[s] for s in slots if item.args.get(s)]
            if qualifiers[-1].name.lower() in {each.alias for each in query.inputs}:
                return
            names = dict(zip(("this", "table", "db"), reversed(qualifiers), strict=False))
            struct = exp.Column(**{slot: each.copy() for slot, each in names.items()})
            value = self.value(query, struct, "select")
        for each in star.args.get("except_") or ():
            value.cell.member(each.name)
        for each in star.args.get("replace") or ():
            value.cell.member(each.alias)
        value.cell.member(MORE)

    def _merge(self, values: Sequence[Value]) -> None:
        for other in values[1:]:
            self._scalars.meet(values[0], other)
        for value in values:
            self._scalars.read(value)

    def _output(self, query: Query, at: int) -> Value:
        known = self._outputs.get((id(query), at))
        if known is None:
            self._kept.append(query)
            known = self._outputs[id(query), at] = Value(Cell())  # one that reads itself ends here
            found = self._made(query, query.outputs[at], at)
            unify(found.cell, known.cell)
            known = self._outputs[id(query), at] = found
        return known

    def _made(self, query: Query, output: Output, at: int) -> Value:
        if query.branches:
            values = [self._output(b, at) for b in query.branches if at < len(b.outputs)]
            for other in values[1:]:
                unify(values[0].cell, other.cell)
            places = tuple(dict.fromkeys(p for value in values for p in value.places))
            return Value(values[0].cell, places) if values else Value(Cell())
        if output.star is not None:
            return self.column(*output.star)
        for node in output.reads:
            self.value(query, node, "select")
        if output.expression is None:
            return Value(Cell())
        return self.value(query, output.expression, "select")

    def _element(self, query: Query, item: Input) -> None:
        for node in item.node.expressions:
            array = self.value(query, node, "from")
            names = item.columns or (item.alias,)
            unify(array.cell.item(), self._other(item, names[0]).cell)
            for name in names[1:]:
                self._other(item, name).cell.vote("integer")

    # --- columns

    def column(self, item: Input, name: str) -> Value:
        """The column of an item of FROM."""
        if item.stored is not None:
            self._follow(item.stored, name)
            return self._based(item.stored, name)
        if item.query is None:
            return self._other(item, name)
        at = item.index.get(name)
        if at is not None:
            return self._output(item.query, at)
        return self._behind_star(item.query, name)

    def _follow(self, relation: str, name: str) -> None:
        """A column of what the pile makes may come through a star from what that reads."""
        if (relation, name) in self._open:
            return
        self._open.add((relation, name))
        for query in self._makers.get(relation, ()):
            if query.open and all(output.name != name for output in query.outputs):
                behind = self._behind_star(query, name)
                unify(self._scalars.notes.cell(relation, name), behind.cell)
                self._scalars.read(behind)

    def _based(self, relation: str, name: str) -> Value:
        return Value(self._scalars.notes.cell(relation, name), ((relation, (name,)),))

    def _behind_star(self, query: Query, name: str) -> Value:
        if query.branches:
            found = [self._behind_star(branch, name) for branch in query.branches]
            for other in found[1:]:
                unify(found[0].cell, other.cell)
            return Value(found[0].cell, tuple(p for value in found for p in value.places))
        holders = [each for each in query.open if name not in each.hidden]
        found = [self.column(e.input, e.renamed.get(name, name)) for e in holders]
        if len(found) == 1:
            return found[0]
        return self._one_of([place[0] for v in found for place in v.places], name)

    def _one_of(self, relations: Sequence[str], name: str) -> Value:
        several = tuple(dict.fromkeys(relations))
        if len(several) == 1:
            return self._based(several[0], name)
        return Value(self._owners.either(several, name)) if several else Value(Cell())

    def _other(self, item: Input, name: str) -> Value:
        key = (id(item.node), name)
        if key not in self._others:
            self._kept.append(item)
            names = item.columns or (item.alias,)
            if isinstance(item.node, exp.Unnest) and name not in names:
                return Value(self._other(item, names[0]).cell.member(name))
            self._others[key] = Value(Cell())
        return self._others[key]

    # --- expressions

    def value(self, query: Query, node: exp.Expr, clause: str) -> Value:
        """The value of an expression in a clause of a query; where a part of it is none that the
        algebra has, what that part consists of is read all the same."""
        try:
            made = encode(node, lambda part: self._leaf(query, part, clause), query.dialect)
            return self._scalars.value(made, (self._row,))
        except Unsupported:
            for part in node.iter_expressions():
                if not isinstance(part, exp.Identifier | exp.DataType | exp.Query | exp.Table):
                    self.value(query, part, clause)
            return Value(Cell())

    def _leaf(self, query: Query, node: exp.Expr, clause: str) -> Expr | None:
        match node:
            case exp.Column() if not isinstance(node.this, exp.Star):
                item = unaliased(query, node) if clause in ITEMS else None
                if item is not None:
                    return self._place(self._output(query, item))
                return self._place(self._meant(query, query.find(node, clause), node))
            case exp.Dot(expression=exp.Identifier() as name) if has_value(node):
                value = self.value(query, node.this, clause)
                return self._place(Value(value.cell.member(folded(name, query.dialect))))
            case exp.Struct():
                return self._place(self._fields(query, node, clause))
            case exp.Exists():
                self._nested(query, node)
                return self._place(Value(of("boolean")))
            case exp.In() if node.args.get("query") is not None:
                self._member_of(query, node, clause)
                return self._place(Value(of("boolean")))
            case exp.Query():
                return self._place(self._first(query, node))
            case _:
                return None

    def _fields(self, query: Query, node: exp.Struct, clause: str) -> Value:
        """STRUCT(a, x.b, f(c) AS d): bare columns name their fields, others have their place."""
        made = Cell()
        for at, item in enumerate(node.expressions):
            named, name = isinstance(item, exp.PropertyEQ), f"_{at}"
            if named:
                name = item.this.name
            elif isinstance(item, exp.Alias | exp.Column | exp.Dot):
                name = item.alias_or_name or name
            value = self.value(query, item.expression if named else item.unalias(), clause)
            unify(made.member(name), value.cell)
        return Value(made)

    def _place(self, value: Value) -> Col:
        self._row.append(value)
        return Col(len(self._row) - 1)

    def _meant(self, query: Query, ref: Ref, node: exp.Column) -> Value:
        if ref.alias is not None:
            return self._alias(query, ref)
        if ref.merged:
            values = [self._meant(query, each, node) for each in ref.merged]
            self._merge(values)
            return values[0]
        if ref.certainty in ("ambiguous", "inferred") and (ref.path or not node.table):
            value = self._bare(query, ref)
        elif ref.input is None and is_parameter(node):
            name = ref.column.lower()
            return Value(self._scalars.params.setdefault(name, Cell()))
        elif ref.input is None or ref.column == WHOLE_ROW:
            return self._whole(ref.input)
        else:
            value = self.column(ref.input, ref.column)
        for name in ref.path:
            places = tuple((relation, (*path, name)) for relation, path in value.places)
            value = Value(value.cell.member(name), places)
        return value

    def _whole(self, item: Input | None) -> Value:
        """A whole row as a value: of a query in FROM a struct of its outputs."""
        made = Cell()
        if item is not None and item.query is not None and not item.query.open:
            for at, output in enumerate(item.query.outputs):
                unify(made.member(output.name), self._output(item.query, at).cell)
        return Value(made)

    def _bare(self, query: Query, ref: Ref) -> Value:
        """A bare name that nobody declares: of any open table here or in a query around."""
        found: list[Value] = []
        scope: Query | None = query
        while scope is not None:
            found += (self.column(e, ref.column) for e in scope.inputs if e.columns is None)
            scope = scope.parent
        if len(found) == 1:
            return found[0]
        return self._one_of([place[0] for v in found for place in v.places], ref.column)

    def _alias(self, query: Query, ref: Ref) -> Value:
        scope: Query | None = query
        while scope is not None:
            if ref.alias in scope.outputs:
                return self._output(scope, scope.outputs.index(ref.alias))
            scope = scope.parent
        return Value(Cell())

    def _nested(self, query: Query, node: exp.Expr) -> Query | None:
        inner = next((n for n in node.walk() if isinstance(n, exp.Select | exp.SetOperation)), None)
        if inner is None:
            return None
        nested = query.nested(inner)
        self._visit(nested)
        return nested

    def _first(self, query: Query, node: exp.Expr) -> Value:
        nested = self._nested(query, node)
        if nested is None:
            return Value(Cell())
        return self._output(nested, 0) if nested.outputs else Value(Cell())

    def _member_of(self, query: Query, node: exp.In, clause: str) -> None:
        left = node.this.unnest()
        items = left.expressions if isinstance(left, exp.Tuple) else [left]
        nested = self._nested(query, node.args["query"])
        for at, item in enumerate(items):
            value = self.value(query, item, clause)
            if nested is not None and at < len(nested.outputs):
                self._scalars.meet(value, self._output(nested, at))
