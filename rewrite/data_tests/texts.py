"""Which texts a column can hold, where the plan says it: CASE ladders, IN lists, constants."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from unwet.lineage.templating import TOKEN
from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Project,
    Rel,
    SetOp,
    Sort,
    Window,
    width,
)

Texts = frozenset[str]
MANY: Final = 20  # a longer list is data, not a rule


@dataclass(slots=True)
class Domains:
    """Answers for columns of plans; a column of a sub-plan is looked at once."""

    _known: dict[tuple[bytes, int], Texts | None] = field(default_factory=dict)

    def texts(self, rel: Rel, at: int) -> Texts | None:
        """All texts that column `at` (0-based) can hold beside NULL; None where nothing says it."""
        key = rel.digest, at
        if key not in self._known:
            self._known[key] = _few(self._column(rel, at))
        return self._known[key]

    def _column(self, rel: Rel, at: int) -> Texts | None:
        match rel:
            case Filter(input=inner, conjuncts=conjuncts):
                return _both(self.texts(inner, at), _allowed(conjuncts, at))
            case Project(input=inner, exprs=exprs):
                return self._of(exprs[at], inner)
            case Aggregate(input=inner, keys=keys, aggs=aggs):
                if at < len(keys):
                    return self._of(keys[at], inner)
                agg = aggs[at - len(keys)]
                is_one_of_them = agg.op in ("min", "max") and len(agg.args) == 1
                return self._of(agg.args[0], inner) if is_one_of_them else None
            case Join(inputs=inputs):
                for each in inputs:
                    if at < width(each):
                        return self.texts(each, at)
                    at -= width(each)
                return None
            case SetOp(inputs=branches):
                return _all(self.texts(branch, at) for branch in branches)
            case Distinct(input=inner) | Sort(input=inner):
                return self.texts(inner, at)
            case Window(input=inner):
                return self.texts(inner, at) if at < width(inner) else None
            case _:
                return None

    def _of(self, expr: Expr, rel: Rel) -> Texts | None:
        match expr:
            case Col(index=i):
                return self.texts(rel, i)
            case Lit(kind="string"):
                return None if (text := known_text(expr)) is None else frozenset({text})
            case Lit(kind="null"):
                return frozenset()
            case Call(op="coalesce", args=args):
                return _all(self._of(arg, rel) for arg in args)
            case Call(op="case", args=args):
                arms = (a.args[1] if isinstance(a, Call) and a.op == "if" else a for a in args)
                return _all(self._of(arm, rel) for arm in arms)
            case _:
                return None


def known_text(expr: Expr) -> str | None:
    """The text of a string constant, as long as no placeholder is in it."""
    if not isinstance(expr, Lit) or expr.kind != "string" or TOKEN.search(expr.text):
        return None
    return expr.text


def _allowed(conjuncts: Iterable[Expr], at: int) -> Texts | None:
    """What conditions leave of a column."""
    found: Texts | None = None
    for each in conjuncts:
        match each:
            case Call(op="in" | "eq", args=(Col(index=i), *values)) if i == at:
                texts = {known_text(value) for value in values}
                if None not in texts:
                    found = _both(found, frozenset(text for text in texts if text is not None))
            case _:
                pass
    return found


def _both(one: Texts | None, other: Texts | None) -> Texts | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other


def _all(found: Iterable[Texts | None]) -> Texts | None:
    together: Texts = frozenset()
    for each in found:
        if each is None:
            return None
        together |= each
    return together


def _few(found: Texts | None) -> Texts | None:
    return found if found is None or len(found) <= MANY else None
