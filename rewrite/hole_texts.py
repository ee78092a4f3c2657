"""What a hole is called, and what its members have there as SQL with the authors' column names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from sqlglot import ErrorLevel, exp

from unwet.lineage.errors import RenderError
from unwet.lineage.parse import Statement
from unwet.lineage.printing import render
from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Lit,
    Node,
    Outer,
    Project,
    Rel,
    Scan,
    SortKey,
    walk,
)
from unwet.rewrite.alignment import Parts, items, without_name
from unwet.rewrite.antiunify import LIST, Place, Variable
from unwet.rewrite.decoding import decode
from unwet.rewrite.holes import Hole, hint, numbered
from unwet.rewrite.naming import hole_name, snake
from unwet.rewrite.open_form import OPTIONAL, ROWS, BaseColumn, Opened, Output, Register
from unwet.rewrite.rules.refs import rebuild

GRAIN: Final = "grain"
COLUMNS: Final = "columns"
_CONDITIONS: Final = ("filter", "having", "join")
_MIRRORED: Final = {"lt": "gt", "lte": "gte"}  # the rules put literals first
_RELATIONS = Rel.__args__


class Wording:
    """Names the holes of plans and writes what each has there, in the dialect of its statement."""

    def __init__(self, register: Register, statements: Sequence[Statement]) -> None:
        self._columns = register.columns
        self._names = tuple(column.name for column in register.columns)
        self._statements = statements

    def holes(self, template: Node, variables: Sequence[Variable]) -> tuple[Hole, ...]:
        """The holes as a user sees them."""
        made: list[Hole] = []
        for variable in variables:
            base = self._name(template, variable)
            name = numbered(base, [hole.name for hole in made])
            made.append(Hole(name, variable.kind, self._texts(variable, base)))
        return tuple(made)

    def differs_in_columns(self, template: Node, variables: Sequence[Variable]) -> bool:
        """Whether some have more columns than others, or another grain."""
        places = [p for v in variables for p in v.places if p[-1:] == (LIST,)]
        return any(self._hints(template, p).get("clause") in (COLUMNS, GRAIN) for p in places)

    # --- names

    def _name(self, template: Node, variable: Variable) -> str:
        found = [self._hints(template, place) for place in variable.places]
        known = {
            source: [hints[source] for hints in found if hints.get(source)]
            for source in ("output", "compared", "clause")
        }
        if any(place[-1:] == (LIST,) for place in variable.places):
            names = known["clause"]
        elif variable.kind == "column":
            names = [each for each in known["clause"] if each == GRAIN]
            names = names or self._shared_words(variable) or known["output"]
        elif variable.kind == "expression":
            names = known["output"] or known["clause"]
        else:  # a relation is seldom compared, a value mostly
            names = known["compared"] or known["output"] if variable.kind == "literal" else []
        return snake(names[0]) if names else _usual(variable)

    def _shared_words(self, variable: Variable) -> list[str]:
        """The words that the names of all columns end or begin with."""
        values = [_base(self._columns, value[0]).name for value in variable.values]
        name = hole_name(values, "")
        return [name] if name and len(set(values)) > 1 else []

    def _hints(self, template: Node, place: Place) -> dict[str, str]:
        """What is known of a place: the output that it is part of, the column that it is
        compared with, its clause."""
        found: dict[str, str] = {}
        for above, number, at in _steps(template, place):
            clause = _clause(above, number)
            if isinstance(above, Opened) and clause == COLUMNS and at != LIST:
                found["output"] = above.outputs[at].name
            elif clause:
                found["clause"] = clause
            elif isinstance(above, Call) and (name := hint(above, self._names)):
                found["compared"] = name
        return found

    # --- values

    def _texts(self, variable: Variable, name: str) -> tuple[str, ...]:
        qualified = variable.kind == "column" and self._differ_in_table(variable)
        texts: dict[tuple[Parts, str], str] = {}
        found = []
        for statement, value in zip(self._statements, variable.values, strict=True):
            key = value, statement.path
            if key not in texts:
                texts[key] = self._text(value, statement, qualified, name in _CONDITIONS)
            found.append(texts[key])
        return tuple(found)

    def _differ_in_table(self, variable: Variable) -> bool:
        columns = [_base(self._columns, node) for value in variable.values for node in value]
        return len({c.name for c in columns}) < len({(c.table, c.which, c.name) for c in columns})

    def _text(self, value: Parts, statement: Statement, qualified: bool, conditions: bool) -> str:
        texts = [self.sql(node, statement.dialect, qualified) for node in value]
        return statement.masked.restore((" AND " if conditions else ", ").join(texts))

    def sql(self, node: Node, dialect: str, qualified: bool = False) -> str:
        """A part of a plan in open form as SQL."""
        if isinstance(node, Output):
            return node.name or self.sql(node.expr, dialect)
        if isinstance(node, Scan):
            return node.table
        if isinstance(node, Lit) and node.kind == GRAIN:
            return node.text
        if isinstance(node, SortKey):
            return self.sql(node.expr, dialect) + (" DESC" if node.descending else "")
        if isinstance(node, _RELATIONS):
            return f"({', '.join(sorted(set(_scans(node)))) or 'a query'})"
        assert isinstance(node, Expr.__args__)
        plain = rebuild(node, self._plain)
        made = decode(plain, lambda column: self._column(column, qualified), _subquery)
        try:
            return render(made, dialect, pretty=False, comments=False, spent=True)
        except RenderError:  # it is shown, nobody runs it: in standard SQL then
            return made.sql(comments=False, unsupported_level=ErrorLevel.IGNORE)

    def _column(self, column: Col | Outer, qualified: bool) -> exp.Expr:
        if isinstance(column, Outer):
            return exp.column(f"outer_{column.index + 1}")
        base = self._columns[column.index]
        if base.table == "(large)":
            return exp.Var(this="...")
        known = qualified and not base.table.startswith("(")  # a query has no name
        return exp.column(base.name, base.table.rpartition(".")[2] if known else None)

    def _plain(self, expr: Expr) -> Expr:
        match expr:
            case Call(op=op, args=(inner,)) if op == OPTIONAL:
                return inner
            case Call(op="lt" | "lte" as op, args=(Lit() as first, second), shape=shape):
                if not isinstance(second, Lit):
                    return Call(_MIRRORED[op], (second, first), shape)
            case Agg(args=(*rest, Col(index=at))) if self._columns[at].name == ROWS:
                return replace(expr, args=tuple(rest))
            case _:
                pass
        return expr


def follows(register: Register, variable: Variable, variables: Sequence[Variable]) -> bool:
    """Whether only the relation of a column differs, and that is a hole itself."""
    if variable.kind != "column" or any(len(value) != 1 for value in variable.values):
        return False
    columns = [_base(register.columns, value[0]) for value in variable.values]
    if len({column.name for column in columns}) > 1:
        return False
    if columns[0].name == ROWS:
        return any(other.kind == "relation" for other in variables)
    tables = tuple(column.table for column in columns)
    return any(_tables(other) == tables for other in variables if other.kind == "relation")


def _base(columns: Sequence[BaseColumn], node: Node) -> BaseColumn:
    node = without_name(node)
    return columns[node.index] if isinstance(node, Col) else BaseColumn("", 0, "")


def _clause(node: Node, number: int) -> str:
    """The clause that one of the lists of a node is."""
    match node:
        case Opened():
            return ("", GRAIN, "having", COLUMNS)[number]
        case Filter():
            return ("", "filter")[number]
        case Project():
            return ("", COLUMNS)[number]
        case Aggregate():
            return ("", GRAIN)[number]
        case Join(kind="inner"):
            return ""
        case Join():
            return ("", "join")[number]
        case _:
            return ""


def _usual(variable: Variable) -> str:
    if variable.kind != "literal":
        return variable.kind
    first = variable.values[0][0]
    return "text" if isinstance(first, Lit) and first.kind == "string" else "number"


def _steps(template: Node, place: Place) -> Iterator[tuple[Node, int, int]]:
    """Each node on the way down, and which of its parts comes next."""
    node = template
    for number, at in zip(place[::2], place[1::2], strict=True):
        yield node, number, at
        if at != LIST:
            node = items(node, number)[at]


def _tables(variable: Variable) -> tuple[str, ...]:
    return tuple(
        node.table if len(value) == 1 and isinstance(node := value[0], Scan) else ""
        for value in variable.values
    )


def _scans(rel: Rel) -> list[str]:
    return [node.table for node in walk(rel) if isinstance(node, Scan)]


def _subquery(rel: Rel) -> exp.Expr:
    """A query inside an expression in short: nobody reads all of it in a list of values."""
    tables = dict.fromkeys(_scans(rel))
    made = exp.Select(expressions=[exp.Var(this="...")])
    first = next(iter(tables), None)
    return made.from_(exp.to_table(first)) if first is not None else made
