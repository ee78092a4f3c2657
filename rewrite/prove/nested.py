"""Arrays, structs, JSON and functions, as sqlglot prints them so that DuckDB cannot read them.

Mends, as those of `mends`: from a node to what stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp


def _limited_array(node: exp.Expr) -> exp.Expr:
    """ARRAY_AGG(x ORDER BY y LIMIT n): DuckDB has no LIMIT there, but takes the first n after."""
    core = node.this if isinstance(node, exp.IgnoreNulls | exp.RespectNulls) else node
    if not isinstance(core, exp.ArrayAgg) or not isinstance(core.this, exp.Limit):
        return node
    if isinstance(node.parent, exp.IgnoreNulls | exp.RespectNulls):
        return node  # with what stands around it
    limit = core.this
    size = limit.expression
    core.set("this", limit.this)
    return exp.Bracket(
        this=node, expressions=[exp.Slice(this=exp.Literal.number(1), expression=size)], offset=1
    )


def _dotted_function(node: exp.Expr) -> exp.Expr:
    """db.f(x): DuckDB looks for a catalog of that name; one name with dots, which a macro can
    have, stands for the function."""
    call = node.expression if isinstance(node, exp.Dot) else node
    name = function_name(node)
    if not isinstance(call, exp.Anonymous) or "." not in name or not isinstance(call.this, str):
        return node
    return exp.Anonymous(this=exp.to_identifier(name, quoted=True), expressions=call.expressions)


def _json_member(node: exp.Expr) -> exp.Expr:
    """TO_JSON(x).a.b: printed as fields of a text; DuckDB says x -> '$.a.b'."""
    if not isinstance(node, exp.Dot) or not isinstance(node.expression, exp.Identifier):
        return node
    path, inner = [node.expression.name], node.this
    while isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Identifier):
        path.insert(0, inner.expression.name)
        inner = inner.this
    if not isinstance(inner, exp.JSONFormat | exp.ParseJSON):
        return node
    if isinstance(node.parent, exp.Dot) and isinstance(node.parent.expression, exp.Identifier):
        return node  # with the names behind it
    steps = "".join(f'."{name}"' for name in path)
    return exp.Anonymous(
        this="json_extract",
        expressions=[
            exp.Anonymous(this="to_json", expressions=[inner.this]),
            exp.Literal.string("$" + steps),
        ],
    )


def _struct_of_star(node: exp.Expr) -> exp.Expr:
    """SELECT AS STRUCT * EXCEPT (..) FROM t: printed as a struct of a star; in DuckDB a table's
    name is its row: SELECT r FROM (SELECT * EXCLUDE (..) FROM t) AS r."""
    if not isinstance(node, exp.Select) or str(node.args.get("kind") or "").upper() != "STRUCT":
        return node
    if not any(_is_star(item) or _is_unnest(item) for item in node.expressions):
        return node
    inner = node.copy()
    inner.set("kind", None)
    whole = exp.Select(expressions=[exp.column("unwet_row")])
    return whole.from_(inner.subquery("unwet_row"))


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star) or (isinstance(item, exp.Column | exp.Dot) and item.is_star)


def _is_unnest(item: exp.Expr) -> bool:
    """What a star over a struct has become."""
    return isinstance(item, exp.Anonymous) and item.name.lower() == "unnest"


def _fields_of_elements(node: exp.Expr) -> exp.Expr:
    """SELECT key FROM UNNEST(x): without an alias the fields of the elements are columns, which in
    DuckDB they are if two levels are unnested."""
    if not isinstance(node, exp.Unnest) or node.args.get("alias") or len(node.expressions) != 1:
        return node
    block = node.parent.parent if isinstance(node.parent, exp.From) else None
    if not isinstance(block, exp.Select) or block.args.get("joins"):
        return node
    offset = node.args.get("offset")
    names = {column.name.lower() for column in block.find_all(exp.Column) if not column.table}
    if not names - {"unnest", "offset"}:
        return node
    (array,) = node.expressions
    depth = exp.PropertyEQ(this=exp.to_identifier("max_depth"), expression=exp.Literal.number(2))
    items: list[exp.Expr] = [exp.Anonymous(this="unnest", expressions=[array, depth])]
    if offset:
        place = exp.Anonymous(
            this="generate_subscripts", expressions=[array.copy(), exp.Literal.number(1)]
        )
        called = offset.name if isinstance(offset, exp.Identifier) else "offset"
        items.append(exp.alias_(exp.Sub(this=place, expression=exp.Literal.number(1)), called))
    return exp.Select(expressions=items).subquery("unwet_elements")


def _value_star(node: exp.Expr) -> exp.Expr:
    """t.s.* and f(x).*: DuckDB takes one name before a star, and UNNEST of a struct is its fields;
    REPLACE and EXCEPT change the struct first."""
    match node:
        case exp.Column(this=exp.Star() as star) if node.args.get("db"):
            names = [node.args[slot] for slot in ("catalog", "db", "table") if node.args.get(slot)]
            value: exp.Expr = exp.column(names[1].copy(), names[0].copy())
            for name in names[2:]:
                value = exp.Dot(this=value, expression=name.copy())
        case exp.Dot(expression=exp.Star() as star) if not isinstance(node.this, exp.Identifier):
            value = node.this
        case _:
            return node
    value = _without_fields(_with_fields(value.copy(), star), star)
    return exp.Anonymous(this="unnest", expressions=[value])


def _with_fields(value: exp.Expr, star: exp.Expr) -> exp.Expr:
    """What REPLACE of a star does to a struct."""
    new = [
        exp.PropertyEQ(this=each.args["alias"].copy(), expression=each.this.copy())
        for each in star.args.get("replace") or ()
    ]
    return exp.Anonymous(this="struct_update", expressions=[value, *new]) if new else value


def _without_fields(value: exp.Expr, star: exp.Expr) -> exp.Expr:
    """What EXCEPT of a star does to a struct: the row of a star over a row that holds it."""
    if not star.args.get("except_"):
        return value
    one = exp.Select(expressions=[exp.alias_(value, "unwet_value")])
    left = exp.Star(except_=[each.copy() for each in star.args["except_"]])
    named = exp.Column(this=left, table=exp.to_identifier("unwet_value"))
    fields = exp.Select(expressions=[named]).from_(one.subquery("unwet_one"))
    whole = exp.Select(expressions=[exp.column("unwet_row")])
    return whole.from_(fields.subquery("unwet_row")).subquery()


def _named_groups(node: exp.Expr) -> exp.Expr:
    """SELECT s.a ... GROUP BY a: `a` is the item's name, which DuckDB believes only if it is
    written; and in QUALIFY it is the item, even if another table has an `a`."""
    if not isinstance(node, exp.Select) or not node.expressions:
        return node
    named = {
        item.name.lower(): item
        for item in node.expressions
        if isinstance(item, exp.Column) and item.table and not item.is_star
    }
    if named and (clause := node.args.get("qualify")) is not None:
        for column in list(clause.find_all(exp.Column)):
            if not column.table and column.name.lower() in named:
                column.replace(named[column.name.lower()].copy())
    if named and node.args.get("group") is not None:
        for item in named.values():
            item.replace(exp.alias_(item.copy(), item.this.copy()))
    return node


def function_name(node: exp.Expr) -> str:
    """The name, lower case and with its dots, of a function that sqlglot does not know."""
    match node:
        case exp.Anonymous():
            return str(node.name).lower()
        case exp.Dot(expression=exp.Anonymous() as called):
            names = [part.name.lower() for part in _dotted(node.this)]
            return ".".join((*names, called.name.lower())) if all(names) else ""
        case _:
            return ""


def _dotted(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Dot):
        yield from _dotted(node.this)
        yield node.expression
    else:
        yield node


def _number_text(node: exp.Expr) -> exp.Expr:
    """TO_CHAR(n, '0000'): printed as the format of a date."""
    if not isinstance(node, exp.TimeToStr | exp.ToChar):
        return node
    form = node.args.get("format")
    if not isinstance(form, exp.Literal) or not form.name or form.name.strip("09"):
        return node
    width = exp.Literal.string(f"%0{len(form.name)}d")
    return exp.Anonymous(this="printf", expressions=[width, node.this])


def _json_set(node: exp.Expr) -> exp.Expr:
    """JSON_SET(x, path, value, path, value ...): DuckDB takes one path, and JSON values."""
    match node:
        case exp.JSONSet():
            first, rest = node.this, node.expressions
        case exp.Anonymous() if node.name.lower() == "json_set" and len(node.expressions) > 1:
            first, *rest = node.expressions
        case _:
            return node
    made: exp.Expr = exp.cast(first, "json")
    for path, value in zip(rest[::2], rest[1::2], strict=False):
        json = exp.Anonymous(this="to_json", expressions=[value])
        made = exp.Anonymous(this="json_set", expressions=[made, path, json])
    return made


def _json_of_arrays(node: exp.Expr) -> exp.Expr:
    """JSON_OBJECT(names, values) of two arrays: DuckDB takes no arrays; the list of pairs says as
    much, also where a name comes twice."""
    if not isinstance(node, exp.JSONObject) or len(node.expressions) != 1:
        return node
    (pair,) = node.expressions
    if not isinstance(pair, exp.JSONKeyValue) or not isinstance(
        pair.this, exp.ArrayAgg | exp.Array
    ):
        return node
    pairs = exp.Anonymous(this="list_zip", expressions=[pair.this, pair.expression])
    return exp.Anonymous(this="to_json", expressions=[pairs])


def _json_without_empty(node: exp.Expr) -> exp.Expr:
    """JSON_STRIP_NULLS(x, remove_empty => TRUE): DuckDB has no such argument; the function with it
    is another one."""
    if not isinstance(node, exp.JSONStripNulls):
        return node
    said = [each for slot, each in node.args.items() if slot != "this" and each]
    if not said:
        return node
    values = [each.expression if isinstance(each, exp.Kwarg) else each for each in said]
    name = "_".join(
        ("json_strip_nulls", *(n for n, each in node.args.items() if each and n != "this"))
    )
    return exp.Anonymous(this=name, expressions=[node.this, *values])


NESTED: Sequence[Callable[[exp.Expr], exp.Expr]] = (
    _limited_array,
    _number_text,
    _dotted_function,
    _fields_of_elements,
    _json_member,
    _json_set,
    _json_of_arrays,
    _json_without_empty,
    _struct_of_star,
    _value_star,
    _named_groups,
)
