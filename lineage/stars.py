"""The columns a SELECT gives: its expressions, and what its stars stand for."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from unwet.lineage.lookup import is_semi
from unwet.lineage.names import folded, qualifiers
from unwet.lineage.scopes import Input, Open, Output, Query
from unwet.lineage.structs import built, field_names

# A star shows the column of USING where the left side has it; elsewhere it comes first.
# DuckDB and SQLite: tried. ClickHouse is not known well enough, so nothing is built on its order.
USING_IN_PLACE = frozenset({"duckdb", "sqlite"})


def set_outputs(query: Query, select: exp.Expression, spreads: bool = True) -> None:
    """Fill `outputs`, `open` and `complete` of a SELECT whose inputs are known.

    `spreads`: whether COLUMNS(*) may stand somewhere inside an item.
    """
    outputs: list[Output] = []
    hidden = frozenset(_folded_names(select.args.get("exclude"), query.dialect))
    for i, item in enumerate(select.expressions):
        star = star_of(item)
        if isinstance(item, exp.QueryTransform):
            outputs.extend(_transformed(item, query.dialect))
        elif star is None and spreads and (spread := _columns_star(item)) is not None:
            outputs.extend(_applied(query, item, spread))
        elif star is None and (fields := _of_struct(item, query.dialect)) is not None:
            outputs.extend(fields)
        elif star is None:
            outputs.append(_plain(item, i, query.dialect))
        else:
            room = max(0, query.binder.budget.columns - len(outputs))
            outputs.extend(_expand(query, item, star, hidden, room))
    query.outputs = tuple(outputs)
    query.complete = query.complete and not query.open


def all_columns(query: Query, node: exp.Expression) -> None:
    """The outputs of a query that passes all columns of its inputs on."""
    room = query.binder.budget.columns
    query.outputs = tuple(_expand(query, node, exp.Star(), frozenset(), room))
    query.complete = not query.open


def star_of(item: exp.Expression) -> exp.Expression | None:
    """The star of a select item, if it is one: `*`, `t.*`, `COLUMNS(*)`."""
    if isinstance(item, exp.Alias):
        return None
    if isinstance(item, exp.Star):
        return item
    inner = item.args.get("this")
    if isinstance(item, exp.Column | exp.Columns | exp.Dot) and isinstance(inner, exp.Star):
        return inner
    return None


def _plain(item: exp.Expression, position: int, dialect: str) -> Output:
    if isinstance(item, exp.Alias):
        return Output(folded(item.args["alias"], dialect), item.this, None, item)
    if isinstance(item, exp.Column):
        return Output(folded(item.this, dialect), item, None, item)
    if isinstance(item, exp.Dot):
        name = folded(item.args.get("expression"), dialect)
    else:
        name = item.output_name
    return Output(name.lower() if name else f"_col_{position}", item, None, item)


def _of_struct(item: exp.Expression, dialect: str) -> list[Output] | None:
    """`ARRAY_AGG(STRUCT(a, b))[0].*`: the fields of a struct that is built here are columns."""
    star = item.expression if isinstance(item, exp.Dot) else None
    found = built(item.this) if isinstance(star, exp.Star) else None
    if star is None or found is None or star.args.get("replace") or star.args.get("rename"):
        return None
    names = field_names(found.struct, dialect)
    if names is None or item.find(exp.Query) is not None:  # a query inside is one node, not many
        return None
    hidden = frozenset(_folded_names(star.args.get("except_"), dialect))
    return [_field(item, name) for name in names if name not in hidden]


def _field(item: exp.Expression, name: str) -> Output:
    value = exp.Dot(this=item.this.copy(), expression=exp.to_identifier(name, quoted=True))
    return Output(name, value, None, item)


def _columns_star(item: exp.Expression) -> exp.Columns | None:
    """COLUMNS(*), COLUMNS('pattern') or COLUMNS(list) somewhere in an item (DuckDB)."""
    return item.find(exp.Columns) if not isinstance(item, exp.Column) else None


def _applied(query: Query, item: exp.Expression, spread: exp.Columns) -> Iterator[Output]:
    """`f(COLUMNS(*))` is f of each column, under the column's name."""
    chosen = _chooser(spread.this)
    for each in query.inputs:
        known = each.columns if each.columns is not None else tuple(each.index)
        for name in filter(chosen, known):
            if item is spread:
                yield Output(name, None, (each, name), item)
                continue
            column = exp.column(exp.to_identifier(name, quoted=True), table=each.alias or None)
            value = exp.Anonymous(this="columns", expressions=[column])
            yield Output(name, None, None, spread, reads=(value,))
        if each.columns is None:
            query.open += (Open(each, frozenset(), item),)


def _chooser(what: exp.Expression) -> Callable[[str], bool]:
    """Which columns COLUMNS takes; all, where it is a lambda that nobody evaluates here."""
    if isinstance(what, exp.Array):
        names = {each.name.lower() for each in what.expressions}
        return lambda name: name.lower() in names
    if isinstance(what, exp.Literal):
        try:
            pattern = re.compile(str(what.this))
        except re.error:
            return lambda _: True
        return lambda name: pattern.search(name) is not None
    return lambda _: True


def _transformed(item: exp.QueryTransform, dialect: str) -> Iterator[Output]:
    """SELECT TRANSFORM (a, b) USING 'script' AS (x, y): each output may take each input."""
    schema = item.args.get("schema")
    named = schema.expressions if isinstance(schema, exp.Schema) else ()
    for each in named or (exp.to_identifier("key"), exp.to_identifier("value")):
        yield Output(folded(each, dialect), None, None, item, reads=(item,))


@dataclass(frozen=True, slots=True)
class _Star:
    """What a star leaves out, renames and replaces, by folded name."""

    hidden: frozenset[str]
    replaced: dict[str, exp.Expression]
    renamed: dict[str, str]


def _modifiers(star: exp.Expression, hidden: frozenset[str], dialect: str) -> _Star:
    return _Star(
        hidden.union(_folded_names(star.args.get("except_"), dialect)),
        {folded(each.args.get("alias"), dialect): each for each in star.args.get("replace") or ()},
        {
            folded(each.this, dialect): folded(each.args.get("alias"), dialect)
            for each in star.args.get("rename") or ()
            if isinstance(each, exp.Alias)
        },
    )


def _folded_names(nodes: Iterable[exp.Expression] | None, dialect: str) -> Iterator[str]:
    for node in nodes or ():
        yield folded(node.this if isinstance(node, exp.Column) else node, dialect)


def _expand(
    query: Query, item: exp.Expression, star: exp.Expression, hidden: frozenset[str], room: int
) -> Iterator[Output]:
    """The outputs of a star, at most `room` and the columns of USING; others stay behind it."""
    rules = _modifiers(star, hidden, query.dialect)
    path = qualifiers(item, query.dialect) if isinstance(item, exp.Column) else []
    inputs = [e for e in query.inputs if e.join is None or not is_semi(e.join)]
    if path:
        named = [e for e in inputs if e.alias == path[0]] if len(path) == 1 else []
        inputs = named or [e for e in inputs if _is_called(e, ".".join(path))]
        query.complete = query.complete and bool(inputs)
    merged = set() if path else set(query.merged)
    if merged and query.dialect not in USING_IN_PLACE:
        yield from _merged_columns(query, item, rules)
    for each in inputs:
        names = each.columns if each.columns is not None else tuple(each.index)
        cut = len(names) > room
        query.cut = query.cut or cut
        for name in names[:room] if cut else names:
            if name in rules.hidden:
                continue
            if name not in merged:
                yield _column(item, each, name, rules)
            elif query.dialect in USING_IN_PLACE and each is query.merged[name][0]:
                yield _merged_column(query, item, name, rules)
        room = max(0, room - len(names))
        if each.columns is None or cut:
            hides = rules.hidden.union(merged, rules.replaced, rules.renamed)
            renamed = {new: old for old, new in rules.renamed.items()}
            query.open += (Open(each, hides, item, renamed),)


def _is_called(each: Input, name: str) -> bool:
    """Whether the relation behind an input has that name, though an alias may hide it."""
    relation = each.relation or ""
    return relation == name or relation.endswith("." + name)


def _column(item: exp.Expression, each: Input, name: str, rules: _Star) -> Output:
    replaced = rules.replaced.get(name)
    if replaced is not None:
        return Output(name, replaced.this, None, replaced)
    return Output(rules.renamed.get(name, name), None, (each, name), item)


def _merged_columns(query: Query, item: exp.Expression, rules: _Star) -> Iterator[Output]:
    """USING columns come first, once."""
    for name in query.merged:
        if name not in rules.hidden:
            yield _merged_column(query, item, name, rules)


def _merged_column(query: Query, item: exp.Expression, name: str, rules: _Star) -> Output:
    inputs = query.merged[name]
    sides = [each.join.side if each.join is not None else "" for each in inputs]
    full = "FULL" in sides
    chosen = inputs[sides.index("RIGHT")] if "RIGHT" in sides and not full else inputs[0]
    plain = _column(item, chosen, name, rules)
    also = tuple((each, name) for each in inputs[1:]) if full else ()
    return Output(plain.name, plain.expression, plain.star, plain.node, also)
