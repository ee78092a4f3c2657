"""Which variables hold values of one kind, and what constants those meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit, operands, parts
from unwet.rewrite.prove.synthetic.oracle import Oracle
from unwet.rewrite.prove.synthetic.samples import like_sample, regexp_sample
from unwet.rewrite.prove.synthetic.symbols import Symbols, branches, number, numbers
from unwet.rewrite.prove.synthetic.types import SqlType

_PATTERNS: Final = frozenset({"like", "ilike", "similarto"})
JOINED: Final = frozenset({"concat", "dpipe", "concatws"})
_REGEXPS: Final = frozenset({"regexplike", "regexpilike", "regexpextract"})


@dataclass(slots=True)
class Class:
    """Variables that hold values of one kind. `free`: nothing but equality is asked of them, so
    that any values do."""

    type: SqlType
    free: bool = True
    meets: dict[tuple[str, str], None] = field(default_factory=dict)  # (type, text) of constants
    near: dict[str, None] = field(default_factory=dict)  # texts that must be exactly so
    steps: dict[int, None] = field(default_factory=dict)  # numbers beside them in an atom
    units: set[str] = field(default_factory=set)
    json: bool = False  # texts that are read as JSON
    casts: dict[Expr, None] = field(default_factory=dict)  # conversions that fail on other texts


def is_free(one: Class) -> bool:
    """Whether any values do."""
    return one.free and one.type.kind in (
        "integer",
        "decimal",
        "double",
        "text",
        "date",
        "timestamp",
    )


# Of one family those first whose values the others have, too; a text may be any of them.
_STRICTNESS: Final = ("integer", "date", "decimal", "timestamp", "double", "text")


def chiefs(symbols: Symbols, tests: Sequence[Expr], kinds: Sequence[SqlType]) -> list[int]:
    """The variable that stands for the class of each. Its values are values of all of them: what is
    compared with another type only a text can hold is in no class with it."""
    above = list(range(len(symbols.variables)))
    families = [_FAMILIES.get(kind.kind, kind.kind) for kind in kinds]

    def root(at: int) -> int:
        while above[at] != at:
            above[at] = above[above[at]]
            at = above[at]
        return at

    def link(one: int, other: int) -> None:
        first, second = sorted((root(one), root(other)), key=strictness)
        if "text" in (families[first], families[second]) or families[first] == families[second]:
            above[second] = first

    def strictness(at: int) -> tuple[int, int]:
        kind = kinds[at].kind
        return _STRICTNESS.index(kind) if kind in _STRICTNESS else 0, at

    columns: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for variable in symbols.variables:
        if variable.role == "cell":
            place = (symbols.scans[variable.scan], variable.column, variable.path)
            link(columns.setdefault(place, variable.number), variable.number)
    for test in tests:
        pair = equal_pair(test)
        if pair is not None:
            link(*pair)
    return [root(at) for at in range(len(above))]


def equal_pair(test: Expr) -> tuple[int, int] | None:
    """The two variables whose equality (or difference) a test is; of parameters of a lambda it is
    none, as they are no operands."""
    compares = isinstance(test, Call) and test.op in ("eq", "neq", "nullsafeeq", "nullsafeneq")
    if isinstance(test, Call) and compares and len(test.args) == 2:
        left, right = (number(bare(each)) for each in test.args)
        if left is not None and right is not None:
            return left, right
    return None


def bare(expr: Expr) -> Expr:
    """An expression without the casts and parentheses around it."""
    while isinstance(expr, Call) and expr.op in ("cast", "trycast", "paren") and expr.args:
        expr = expr.args[0]
    return expr


def is_null_test(test: Expr) -> bool:
    """x IS NULL of a bare variable."""
    match test:
        case Call(op="is", args=(value, Lit(kind="null"))):
            return number(value) is not None
        case _:
            return False


def note_atoms(
    tests: Sequence[Expr], chief: Sequence[int], classes: Mapping[int, Class], oracle: Oracle
) -> None:
    hard = [t for t in tests if equal_pair(t) is None and not is_null_test(t)]
    constants = list(dict.fromkeys(c for test in hard for c in _constants(test)))
    told = dict(zip(constants, oracle.constants(constants), strict=True))
    for test in hard:
        roots = {chief[n] for n in numbers(test)}
        for root in roots:
            _note(classes[root], test, told)
    for test in tests:
        pair = equal_pair(test)
        if pair is not None and isinstance(test, Call) and any(bare(a) is not a for a in test.args):
            kinds = {classes[chief[n]].type.kind for n in pair}
            if len(kinds) > 1 or any(isinstance(a, Call) and a.op != "paren" for a in test.args):
                classes[chief[pair[0]]].free = classes[chief[pair[0]]].free and len(kinds) == 1
    _share(hard, chief, classes)


_ORDERS: Final = frozenset({"lt", "lte", "gt", "gte", "between", "eq", "nullsafeeq"})
_ROUNDS: Final = 3  # a < b AND b < c AND c < 5
_SHARED: Final = 6  # constants that one class has from another
_FAMILIES: Final[Mapping[str, str]] = {
    "integer": "number",
    "decimal": "number",
    "double": "number",
    "date": "moment",
    "timestamp": "moment",
    "text": "text",
}


def _share(tests: Sequence[Expr], chief: Sequence[int], classes: Mapping[int, Class]) -> None:
    """What one side of an order, or of an equality of computed values, meets, the other has to come
    near."""
    orders = [t for t in tests if isinstance(t, Call) and t.op in _ORDERS]
    for _ in range(_ROUNDS):
        for test in orders:
            roots = list(dict.fromkeys(chief[n] for n in numbers(test)))
            for one in roots:
                for other in roots:
                    family = _FAMILIES.get(classes[one].type.kind)
                    if one != other and family == _FAMILIES.get(classes[other].type.kind):
                        for value in list(classes[other].meets)[:_SHARED] if family else ():
                            classes[one].meets[value] = None


def _note(one: Class, test: Expr, told: Mapping[Expr, tuple[str, str] | None]) -> None:
    one.free = False
    for constant in _constants(test):
        value = told[constant]
        if value is not None:
            one.meets[value] = None
    for part in parts(test):
        match part:
            case Call(op=op, args=(_, Lit(kind="string", text=text), *_)) if op in _PATTERNS:
                for sample in like_sample(text):
                    one.near[sample] = None
            case Call(op=op, args=(_, Lit(kind="string", text=text), *_)) if op in _REGEXPS:
                for sample in regexp_sample(text):
                    one.near[sample] = None
            case Lit(kind="number" | "string", text=text) if text.isdigit() and len(text) < 6:
                one.steps[int(text)] = None
            case Call(op=op) if op in JOINED and len(numbers(part)) > 1:
                for text in chain.from_iterable(chain(*shifts(part))):
                    if one.type.kind == "text":
                        one.near[text] = None
                    elif one.type.kind == "integer" and text.isdigit():
                        one.meets["integer", text] = None
            case Call(shape=shape, op=op):
                one.units.update(_units(op, shape))
            case _:
                pass


def shifts(joined: Expr) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Two texts one behind the other that are the same as two other ones: with what stands between
    them, and written as numbers, too."""
    between = {p.text for p in parts(joined) if isinstance(p, Lit) and p.kind == "string"}
    for text in sorted(between)[:2]:
        yield ("x", f"y{text}z"), (f"x{text}y", "z")
    yield ("x", "yz"), ("xy", "z")
    yield ("1", "23"), ("12", "3")


def _units(op: str, shape: Sequence[str]) -> Iterator[str]:
    said = " ".join((op, *shape)).lower()
    for unit in ("year", "month", "week", "hour", "minute", "second", "zone"):
        if unit in said:
            yield unit


def _constants(test: Expr) -> Iterator[Expr]:
    """The largest parts without variables that are values."""
    stack: list[Expr] = [test]
    while stack:
        part = stack.pop()
        if isinstance(part, Lit) and part.kind in ("null", "boolean"):
            continue
        if not numbers(part) and not _is_word(part):
            yield part
        else:
            stack.extend(reversed(operands(part)))


def _is_word(part: Expr) -> bool:
    """A node that is no value by itself: a unit, a type."""
    return isinstance(part, Call) and part.op in ("var", "datatype", "interval", "identifier")


_CONVERSIONS: Final = frozenset(
    {"cast", "strtodate", "strtotime", "strtounix", "timestrtotime", "timestrtodate",
     "tsordstodate", "parsedatetime", "parsetime", "todouble", "tonumber", "date",
     "timestamp", "datetime"}
)  # fmt: skip


def note_conversions(
    exprs: Sequence[Expr], chief: Sequence[int], classes: Mapping[int, Class]
) -> None:
    """What texts are read as; a class that is read so is not free."""
    for expr in dict.fromkeys(exprs):
        for part in parts(expr):
            if isinstance(part, Call) and part.op in _CONVERSIONS and part.args:
                for at in handed_on(part.args[0]):
                    known = classes.get(chief[at])
                    if known is not None and known.type.kind == "text" and not _is_text(part):
                        known.free = False
                        known.casts[part] = None
            if isinstance(part, Call) and "json" in part.op:
                for at in numbers(part):
                    known = classes.get(chief[at])
                    if known is not None and known.type.kind == "text":
                        known.free, known.json = False, True


def handed_on(expr: Expr) -> Iterator[int]:
    """The variables whose values an expression may have, as they are."""
    match expr:
        case Call(op="coalesce" | "paren", args=args):
            yield from (at for each in args for at in handed_on(each))
        case Call(op="nullif" | "trim", args=(first, *_)):
            yield from handed_on(first)
        case Call(op="case" | "if"):
            for _, value in branches(expr):
                yield from handed_on(value)
        case _:
            at = number(expr)
            yield from () if at is None else (at,)


def _is_text(part: Call) -> bool:
    return any(entry.startswith(("to:varchar", "to:text", "to:char", "to:nvarchar", "to:string"))
               for entry in part.shape)  # fmt: skip


def computed(expr: Expr) -> Iterator[int]:
    """Variables that a function reads which may fail on odd values."""
    for part in parts(expr):
        if isinstance(part, Call) and part.op not in _HARMLESS:
            for each in part.args:
                at = number(each)
                if at is not None:
                    yield at


_HARMLESS: Final = frozenset(
    {"case", "if", "coalesce", "nullif", "add", "sub", "mul", "div", "eq", "neq", "lt", "lte", "gt",
     "gte", "is", "not", "and", "or", "abs", "round", "concat", "dpipe", "upper", "lower", "neg",
     "greatest", "least", "in", "like", "paren", "nullsafeeq", "nullsafeneq", "trim", "floor",
     "ceil", "between", "sign", "intdiv", "year", "month", "extract", "cast"}
)  # fmt: skip
