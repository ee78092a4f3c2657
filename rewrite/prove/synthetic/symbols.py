"""The variables that stand for the cells of rows which are yet to be found.

A variable is written into expressions as a parameter, so that expressions over cells are ordinary
expressions of the algebra.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from unwet.rewrite.algebra import Call, Expr, Lit, Param, parts

Role = Literal["cell", "count", "rank", "element", "unknown"]
Truth = Literal["true", "false", "null"]

_PREFIX: Final = "unwet_v"
JSON: Final = "$"  # in a path: what follows are keys of JSON objects, and the values are text


@dataclass(frozen=True, slots=True)
class Variable:
    """`cell`: column `column` (field `path` of it) of the row of scan `scan`. `count`: how many
    rows a group has, of those below, where `of` is what is counted; of a partition, `within` has
    its keys. `rank`: the place of a row in its partition. `element`: one of the elements of the
    array `of`. `unknown`: anything."""

    number: int
    role: Role
    scan: int = -1
    column: str = ""
    path: tuple[str, ...] = ()
    of: tuple[Expr, ...] = ()
    distinct: bool = False
    below: frozenset[int] = frozenset()
    within: tuple[Expr, ...] = ()


@dataclass(slots=True)
class Symbols:
    """All scans and variables of one plan. `scans`: the relation of each."""

    scans: list[str] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    _known: dict[tuple[int, str, tuple[str, ...]], int] = field(default_factory=dict)

    def scan(self, relation: str) -> int:
        """A new row of a relation."""
        self.scans.append(relation)
        return len(self.scans) - 1

    def cell(self, scan: int, column: str, path: tuple[str, ...] = ()) -> Param:
        """The variable of one column of a scan's row, or of a field in it."""
        at = self._known.get((scan, column, path))
        if at is None:
            at = self._known[scan, column, path] = len(self.variables)
            self.variables.append(Variable(at, "cell", scan, column, path))
        return written(at)

    def below(self, exprs: Iterable[Expr]) -> set[int]:
        """The numbers of the variables in expressions, and of those that these are made of."""
        found, waiting = set[int](), [*exprs]
        while waiting:
            more = set(numbers(waiting.pop())) - found
            found |= more
            waiting += [each for n in more for each in self.variables[n].of]
        return found

    def made(
        self,
        role: Role,
        of: tuple[Expr, ...] = (),
        distinct: bool = False,
        below: frozenset[int] = frozenset(),
        within: tuple[Expr, ...] = (),
    ) -> Param:
        """A variable that is no cell of a table."""
        at = len(self.variables)
        made = Variable(at, role, of=of, distinct=distinct, below=below, within=within)
        self.variables.append(made)
        return written(at)

    def element(self, array: Expr) -> Param:
        """One of the elements of an array."""
        known = next((v for v in self.variables if v.role == "element" and v.of == (array,)), None)
        return written(known.number) if known else self.made("element", (array,))

    def of(self, expr: Expr) -> tuple[Variable, ...]:
        """The variables of an expression, by number."""
        return tuple(self.variables[n] for n in numbers(expr))

    def with_fields(self, expr: Expr) -> Expr:
        """Fields of struct and JSON cells, and elements of arrays, as variables of their own."""
        match expr:
            case Call(op="bracket", args=(Param() as array, Lit(kind="number"))):
                return self.element(array) if number(array) is not None else expr
            case Call(op="in", args=(value, Call(op="unnest", args=(array,)))):
                return binary("eq", value, self.element(array))
            case Call(
                op="jsonextractscalar" | "jsonextract", args=(Param() as whole, Call() as at)
            ):
                keys = _keys(at)
                variable = self._variable(whole)
                if keys and variable is not None and variable.role == "cell":
                    top = () if JSON in variable.path else (JSON,)
                    return self.cell(variable.scan, variable.column, (*variable.path, *top, *keys))
            case Call(op="dot", args=(Param() as whole,), shape=("this", entry)):
                variable = self._variable(whole)
                name = entry.partition(":id ")[2].strip('"').lower()
                if variable is not None and name:
                    if variable.role == "cell":
                        return self.cell(variable.scan, variable.column, (*variable.path, name))
                    if variable.role == "element":
                        return self._member(variable, name)
        return expr

    def _variable(self, expr: Expr) -> Variable | None:
        at = number(expr)
        return None if at is None else self.variables[at]

    def _member(self, element: Variable, name: str) -> Param:
        path = (*element.path, name)
        for known in self.variables:
            if known.role == "element" and known.of == element.of and known.path == path:
                return written(known.number)
        at = len(self.variables)
        self.variables.append(Variable(at, "element", path=path, of=element.of))
        return written(at)


def _keys(path: Call) -> tuple[str, ...]:
    """The keys of a JSON path of keys only."""
    if path.op != "jsonpath" or not path.args or path.args[0] != Call("jsonpathroot", ()):
        return ()
    keys = []
    for step in path.args[1:]:
        if not isinstance(step, Call) or step.op != "jsonpathkey" or len(step.shape) != 1:
            return ()
        keys.append(step.shape[0].removeprefix("this=").strip("'"))
    return tuple(keys)


def written(at: int) -> Param:
    """Variable number `at` as an expression."""
    return Param(f"{_PREFIX}{at}")


def column_name(at: int) -> str:
    """What variable number `at` is called in printed SQL."""
    return f"p__{_PREFIX}{at}__p"


def number(expr: Expr) -> int | None:
    """The number of the variable that an expression is; None when it is something else."""
    if isinstance(expr, Param) and expr.name.startswith(_PREFIX):
        return int(expr.name.removeprefix(_PREFIX))
    return None


@lru_cache(maxsize=1 << 16)
def numbers(expr: Expr) -> tuple[int, ...]:
    """The numbers of the variables in an expression, sorted."""
    found = (number(part) for part in parts(expr))
    return tuple(sorted({n for n in found if n is not None}))


def all_numbers(exprs: Iterable[Expr]) -> frozenset[int]:
    """Those of several expressions."""
    return frozenset(n for each in exprs for n in numbers(each))


# --- expressions to write ---------------------------------------------------------------------


NULL: Final = Lit("null", "")
_TWO: Final = ("this", "expression")


def binary(op: str, left: Expr, right: Expr) -> Call:
    """left op right, as the parser's own node would be."""
    return Call(op, (left, right), _TWO)


def is_null(value: Expr) -> Call:
    """value IS NULL."""
    return binary("is", value, NULL)


def negated(test: Expr) -> Call:
    """NOT test."""
    return Call("not", (test,), ("this",))


def chosen(test: Expr, value: Expr, other: Expr) -> Call:
    """CASE WHEN test THEN value ELSE other END."""
    return Call("case", (Call("if", (test, value), ("this", "true")), other), ("ifs*1", "default"))


def branches(expr: Call) -> Iterator[tuple[Expr | None, Expr]]:
    """The branches of a CASE or IF: condition (None for ELSE) and result."""
    match expr:
        case Call(op="if", args=args, shape=shape):
            yield args[0], args[1]
            yield None, args[2] if "false" in shape else NULL
        case Call(args=args, shape=shape):
            rest = list(args)
            operand = rest.pop(0) if shape[:1] == ("this",) else None
            default = rest.pop() if shape[-1:] == ("default",) else NULL
            for each in rest:
                assert isinstance(each, Call)
                test, value = each.args[0], each.args[1]
                yield (test if operand is None else binary("eq", operand, test)), value
            yield None, default
