"""A call of a function whose body is an expression says what the body says of its arguments.

    CREATE TEMP FUNCTION share(n FLOAT64, total FLOAT64) AS (SAFE_DIVIDE(n, total));
    SELECT share(COUNT(*), t.pages) AS pct
    ->  SELECT SAFE_DIVIDE(CAST(COUNT(*) AS FLOAT64), t.pages) AS pct

A function is its body, where a parameter is its argument, made to the parameter's type. Of the
types of BigQuery (its manual, "Conversion rules") nothing but themselves becomes STRING, INT64,
BOOL, BYTES or JSON, so that the argument stays as it is; it is cast to FLOAT64, where no operator
beside a FLOAT64 does that anyway. Macros of DuckDB have no types. What the body evaluates twice or
never is a column or a constant; one in which a query, an aggregate or a window stands has places
where names mean other things, and is left alone.

body_of(tree, dialect, inner) -> what a function says, functions that it calls put in
fits(call, body) -> whether a call may be written so
put_in(call, body) -> what it says then
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.names import is_token
from unwet.lineage.trees import copied
from unwet.rewrite.function_words import as_meant, has_schema
from unwet.rewrite.volatile import names_chance

_Kinds = Mapping[str, exp.DType | None]
_FLOAT: Final = exp.DType.DOUBLE
_ANY: Final = exp.DType.VARIANT
# what no value of another type becomes where a function wants it
_ITSELF: Final = frozenset(
    {exp.DType.TEXT, exp.DType.BIGINT, exp.DType.BOOLEAN, exp.DType.BINARY, exp.DType.JSON}
)
_ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.SafeDivide)
_LEFT_ALONE: Final = (
    exp.Query, exp.AggFunc, exp.Window, exp.Lambda, exp.Kwarg, exp.Star, exp.Parameter,
    exp.SessionParameter, exp.Placeholder,
)  # fmt: skip
_ATOMS: Final = (exp.Column, exp.Literal, exp.Boolean)


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """What a function says: ``kinds`` of its parameters, in their order; None where any goes.
    ``is_float``: whether it is a FLOAT64 for certain."""

    kinds: _Kinds
    tree: exp.Expr
    is_float: bool


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names mean in a body: its parameters, and the functions of its script."""

    kinds: _Kinds
    inner: Mapping[str, Body | None]
    dialect: str

    def called(self, node: exp.Expr) -> bool:
        """Whether it is a call of one of these functions."""
        ours = isinstance(node, exp.Anonymous) and not has_schema(node)
        return ours and as_meant(node.name, self.dialect) in self.inner

    def body(self, call: exp.Expr) -> Body | None:
        """What the function says that is called, if that is known."""
        return self.inner[as_meant(call.name, self.dialect)]


_NOWHERE: Final = _Scope({}, {}, "")


def body_of(tree: exp.Expr, dialect: str, inner: Mapping[str, Body | None]) -> Body | None:
    """``tree``: what defines it; ``inner``: the functions of its script that it calls, by their
    names, as calls have to say them. None where it is more than an expression of its arguments."""
    kinds = _parameters(tree, dialect)
    said = tree.expression if isinstance(tree, exp.Create) else None
    if kinds is None or not isinstance(said, exp.Condition) or said.find(*_LEFT_ALONE):
        return None
    if any(not _is_parameter(column, kinds) for column in said.find_all(exp.Column)):
        return None
    if any(isinstance(each, exp.Column) for row in said.find_all(exp.Struct)
           for each in row.expressions):  # fmt: skip
        return None  # a field that has its name from the parameter
    holder, scope = exp.Paren(this=copied(said.unnest())), _Scope(kinds, inner, dialect)
    for node in holder.walk():
        node.comments = None
    _with_casts(holder, scope)
    return _returned(tree, holder, scope) if _with_inner(holder, scope) else None


def fits(call: exp.Anonymous, body: Body) -> bool:
    """Whether nothing in the call, or around it, makes a difference of how it is written."""
    return _is_said_freely(call, body.tree) and _has_arguments(call, body)


def put_in(call: exp.Anonymous, body: Body, scope: _Scope = _NOWHERE) -> exp.Paren:
    """What the call says, in parentheses. ``scope``: of a body that the call stands in."""
    values = dict(zip(body.kinds, call.expressions, strict=True))
    made = exp.Paren(this=copied(body.tree))
    for word in made.find_all(exp.Identifier):
        word._meta = dict(call._meta) if call._meta is not None else None
    for column in [*made.find_all(exp.Column)]:
        value = copied(values[column.name.lower()])
        around = column.parent
        idle = isinstance(around, exp.Cast) and _is_float(value, scope)
        place = around if idle and around is not None else column
        place.replace(value if isinstance(value, (*_ATOMS, exp.Paren)) else exp.Paren(this=value))
    return made


# --- definitions ----------------------------------------------------------------------------------


def _parameters(tree: exp.Expr, dialect: str) -> _Kinds | None:
    """Their types by their names; None where they, or what else is said of the function, may make
    a difference."""
    function = tree.this if isinstance(tree, exp.Create) else None
    properties = tree.args.get("properties")
    said = properties.expressions if properties is not None else ()
    known = exp.TemporaryProperty, exp.ReturnsProperty
    if not isinstance(function, exp.UserDefinedFunction) or not all(
        isinstance(each, known) for each in said
    ):
        return None
    found: dict[str, exp.DType | None] = {}
    for each in function.expressions:
        if dialect == "duckdb" and isinstance(each, exp.Identifier):
            found[each.name.lower()] = None
        elif dialect == "bigquery" and (kind := _kind(each)) is not None:
            found[each.name.lower()] = kind
        else:
            return None
    ours = dialect in ("bigquery", "duckdb")
    return found if ours and len(found) == len(function.expressions) else None


def _kind(parameter: exp.Expr) -> exp.DType | None:
    kind = parameter.args.get("kind")
    if not isinstance(parameter, exp.ColumnDef) or not isinstance(kind, exp.DataType):
        return None
    if parameter.args.get("constraints") or kind.expressions:
        return None
    return kind.this if kind.this in (*_ITSELF, _FLOAT, _ANY) else None


def _is_parameter(column: exp.Column, kinds: _Kinds) -> bool:
    return not column.table and column.name.lower() in kinds


def _returned(tree: exp.Expr, holder: exp.Paren, scope: _Scope) -> Body | None:
    """What it says, made to the type that it is said to be of."""
    said = holder.this.unnest()
    wanted = next((each.this for each in tree.find_all(exp.ReturnsProperty)), None)
    kind = wanted.this if isinstance(wanted, exp.DataType) and not wanted.expressions else None
    if wanted is not None and kind not in (*_ITSELF, _FLOAT):
        return None
    constant = isinstance(said, exp.Boolean | exp.Literal) and not _is_fraction(said)
    if isinstance(said, exp.Column) or (said.find(exp.Column) is None and not constant):
        return None  # its place may take a name of it, or give it a type
    if kind is not _FLOAT and _is_null(said):
        return None  # which has no type but the one that is said
    if kind is _FLOAT and not _is_float(said, scope):
        said = exp.cast(copied(said), exp.DataType(this=_FLOAT))
    return Body(scope.kinds, copied(said), _is_float(said, scope))


def _is_null(said: exp.Expr) -> bool:
    """Whether it is a choice of nothing but NULLs."""
    match said:
        case exp.Paren():
            return _is_null(said.this)
        case exp.Case() | exp.If():
            arms = said.args.get("ifs") or [said]
            last = said.args.get("default") or said.args.get("false")
            values = [arm.args["true"] for arm in arms] + ([last] if last else [])
            return all(map(_is_null, values))
        case exp.Coalesce():
            return all(map(_is_null, [said.this, *said.expressions]))
        case _:
            return isinstance(said, exp.Null)


def _with_casts(holder: exp.Paren, scope: _Scope) -> None:
    """In place: parameters that are FLOAT64 are cast to it, once where one makes the others so."""
    for column in [*holder.find_all(exp.Column)]:
        if scope.kinds[column.name.lower()] is _FLOAT:
            column.replace(exp.cast(copied(column), exp.DataType(this=_FLOAT)))
    for node in [*holder.find_all(*_ARITHMETIC)]:
        for side, other in ((node.expression, node.this), (node.this, node.expression)):
            if _is_cast(side) and _is_float(other, scope):
                side.replace(copied(side.this))
                break


def _is_cast(node: exp.Expr) -> bool:
    return type(node) is exp.Cast and isinstance(node.this, exp.Column) and node.to.this is _FLOAT


def _with_inner(holder: exp.Paren, scope: _Scope) -> bool:
    """In place: the functions that it calls are put in, those first that stand in what others are
    called with; a part that is never looked at goes before. Whether all could be."""
    while (call := _next(holder, scope)) is not None:
        body = scope.body(call)
        if body is None or isinstance(call.parent, exp.SafeFunc) or not _has_arguments(call, body):
            return False
        call.replace(put_in(call, body, scope))
        for choice in [*holder.find_all(exp.If)]:
            _decide(choice, scope)
    return True


def _next(holder: exp.Paren, scope: _Scope) -> exp.Anonymous | None:
    calls = [n for n in holder.dfs() if isinstance(n, exp.Anonymous) and scope.called(n)]
    around = {id(above) for call in calls for above in _ancestors(call)}
    return next((call for call in calls if id(call) not in around), None)


def _ancestors(node: exp.Expr) -> Iterator[exp.Expr]:
    while (above := node.parent) is not None:
        yield above
        node = above


def _decide(choice: exp.If, scope: _Scope) -> None:
    """In place: IF(FALSE, a, b) is b, where both are FLOAT64, so that the whole is, too."""
    test, sides = choice.this.unnest(), (choice.args.get("true"), choice.args.get("false"))
    if isinstance(test, exp.Boolean) and all(side and _is_float(side, scope) for side in sides):
        side = sides[0 if test.this else 1]
        assert isinstance(side, exp.Expr)
        choice.replace(exp.Paren(this=copied(side)))


# --- types ----------------------------------------------------------------------------------------


def _is_float(node: exp.Expr, scope: _Scope) -> bool:
    """Whether it is a FLOAT64 for certain. A constant with a point is none: beside a NUMERIC it is
    one, too; beside an INT64 it makes both FLOAT64."""
    match node:
        case exp.Paren() | exp.Neg():
            return _is_float(node.this, scope)
        case exp.Cast() if type(node) is exp.Cast:
            return node.to.this is _FLOAT and not node.args.get("format")
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div() | exp.SafeDivide():
            sides = node.this, node.expression
            whole = any(_is_whole(side, scope) for side in sides)
            mixed = whole and any(_is_fraction(side) for side in sides)
            return mixed or any(_is_float(side, scope) for side in sides)
        case _ if scope.called(node):
            body = scope.body(node)
            return body is not None and body.is_float
        case _:
            return False


def _is_whole(node: exp.Expr, scope: _Scope) -> bool:
    return isinstance(node, exp.Column) and scope.kinds.get(node.name.lower()) is exp.DType.BIGINT


def _is_fraction(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and not node.is_int


# --- calls ----------------------------------------------------------------------------------------


def _has_arguments(call: exp.Anonymous, body: Body) -> bool:
    if len(call.expressions) != len(body.kinds):
        return False
    uses = Counter(column.name.lower() for column in body.tree.find_all(exp.Column))
    pairs = zip(call.expressions, body.kinds.items(), strict=True)
    return all(_is_argument(arg, kind, uses[name]) for arg, (name, kind) in pairs)


def _is_argument(arg: exp.Expr, kind: exp.DType | None, uses: int) -> bool:
    if arg.find(exp.Query, exp.Kwarg, exp.PropertyEQ, exp.Star, exp.Lambda) or names_chance(
        arg.sql()
    ):
        return False
    if any(is_token(word.name) for word in arg.find_all(exp.Identifier)):
        return False  # nobody knows what a template puts there
    if isinstance(arg.unnest(), exp.Null | exp.Array | exp.Placeholder | exp.Parameter):
        return False  # what its place gives a type to
    if kind is _ANY and arg.find(exp.Column) is None:
        return False  # a constant becomes what the body wants, an argument does not
    return uses == 1 or isinstance(arg, _ATOMS)


def _is_said_freely(call: exp.Anonymous, said: exp.Expr) -> bool:
    """Whether the call has no place of its own: an item without a name is called after what it
    says, and a constant may be a position, or a group that an engine refuses."""
    above = call.parent
    while isinstance(above, exp.Paren):
        above = above.parent
    if (
        isinstance(above, exp.Dot | exp.Bracket | exp.SafeFunc)
        or call.find_ancestor(exp.Pivot) is not None
    ):
        return False
    if isinstance(said, exp.Literal | exp.Boolean) and not isinstance(above, exp.Condition):
        return False
    below: exp.Expr = call
    query = call.parent
    while query is not None and not isinstance(query, exp.Select):
        below, query = query, query.parent
    return query is not None and (below.arg_key != "expressions" or isinstance(below, exp.Alias))
