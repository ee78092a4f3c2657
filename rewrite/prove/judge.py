"""From plans to a static verdict for each report: proved, or not proved and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeGuard

from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import (
    Agg,
    Call,
    Node,
    Opaque,
    Over,
    Param,
    Plan,
    Project,
    Rel,
    Scan,
    Sort,
    Values,
    expressions,
    parts,
    walk,
)
from unwet.rewrite.alike_constants import NULL_OF_OTHERS
from unwet.rewrite.definitions import spoken_in
from unwet.rewrite.listed_columns import OF_TABLES
from unwet.rewrite.lower import trim
from unwet.rewrite.normal import Normalizer, ruled
from unwet.rewrite.prove.declarations import Known
from unwet.rewrite.prove.equal_values import values_assumed
from unwet.rewrite.prove.explain import first_difference
from unwet.rewrite.prove.headings import headings
from unwet.rewrite.prove.parting import Parting, parting
from unwet.rewrite.prove.phrases import Phrase, settings, spoken
from unwet.rewrite.prove.presumed import presumed
from unwet.rewrite.prove.roundtrip import ReadBack
from unwet.rewrite.prove.through import Through
from unwet.rewrite.prove.wanted import wanted
from unwet.rewrite.rules.empty import is_empty
from unwet.rewrite.rules.promised import Promised
from unwet.rewrite.rules.shapes import NULL
from unwet.rewrite.script import Definition, Report
from unwet.rewrite.unfixed import unfixed_reports

_EMPTY = Catalog()
_WORD = re.compile(r"\w+")
_UNKNOWN = re.compile(r'column "(.*)" is not known')
_EARLIER = frozenset({"TABLE with VERSION", "TABLE with WHEN", "TABLE with CHANGES"})


@dataclass(frozen=True, slots=True)
class Judged:
    """``plans``: what each model means; ``unproved``: why it is not proved to be its report;
    ``promised``: what is declared of tables and was needed for a proof; ``unfixed``: of those that
    are proved, why nothing says which rows they return."""

    plans: Mapping[str, Plan]
    unproved: Mapping[str, str]
    assumptions: frozenset[str]
    promised: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unfixed: Mapping[str, str] = field(default_factory=dict)


def judge(
    reports: Iterable[Report],
    found: Mapping[str, ReadBack],
    target: str,
    normalizer: Normalizer | None = None,
    catalog: Catalog = _EMPTY,
) -> Judged:
    """Compares each report's plan with that of the model of its name. A ``normalizer`` that has
    seen the plans before saves their normalisation. ``catalog``: what is declared of tables, which
    is asked where the plans alone do not meet."""
    normalizer = normalizer or Normalizer()
    plans: dict[str, Plan] = {}
    unproved: dict[str, str] = {}
    assumptions: set[str] = set()
    promised: dict[str, frozenset[str]] = {}
    known, reports = Known(catalog, target), tuple(reports)
    through = Through(reports, found, target, catalog)
    made = {report.relation: back.plan for report in reports
            if (back := found.get(report.name)) is not None and back.plan is not None}  # fmt: skip
    for report in reports:
        back = found.get(report.name, ReadBack(None, "there is no such model"))
        if back.plan is not None:
            plans[report.name] = back.plan
        why, assumed = _against(report, back, target, normalizer, through, catalog)
        resting = None
        if why:
            numbers = normalizer.numbers
            resting = _by_promises(report, back, target, known, through, catalog, numbers)
        if back.plan is not None and (place := _place_of_rows(back.plan, made)):
            why, resting = place, None
        if resting is not None:
            why, promised[report.name] = "", resting.declared
            assumed |= {f"declared: {fact}" for fact in resting.declared} | resting.assumed
        if why:
            unproved[report.name] = why
        else:
            assumptions |= assumed
    if len(unproved) < len(reports):  # also of models that are read through
        assumptions |= {each for back in found.values() for each in back.assumed}
        proved = (report.definition for report in reports if report.name not in unproved)
        assumptions |= presumed(proved, catalog.default_schema)
    loose = _unfixed([r for r in reports if r.name not in unproved], normalizer)
    return Judged(plans, unproved, frozenset(assumptions), promised, loose)


def _place_of_rows(plan: Plan, made: Mapping[str, Plan]) -> str:
    """Why a model is not proved that asks where rows are in a table (ctid), which is a model: there
    they are elsewhere, or nowhere; or what the table held before. Empty where it does not."""
    for node in walk(plan.rel):
        match node:
            case Scan(table=table, columns=columns) if table in made:
                said, models = {*columns}, [table]
            case Opaque(text=text, inputs=inputs, reason=reason):
                said = {*_WORD.findall(text)}
                models = sorted(n.table for each in inputs for n in walk(each)
                                if isinstance(n, Scan) and n.table in made)  # fmt: skip
                if models and reason in _EARLIER:
                    return f"an earlier state is of a table, and {models[0]} is a model"
                if models and reason == "TABLE with PARTITION":
                    return f"a partition is of a table, and {models[0]} is a model"
            case _:
                continue
        for table in models:
            known = {name.lower() for name in made[table].names}
            for name in sorted({*map(str.lower, said)} & OF_TABLES - known):
                return f"{name} is of a table, and {table} is a model"
    return ""


def _unfixed(proved: Sequence[Report], normalizer: Normalizer) -> dict[str, str]:
    plans = {r.name: replace(p, rel=normalizer.run(p.rel)[0])
             for r in proved if (p := r.definition.plan) is not None}  # fmt: skip
    return unfixed_reports(plans, {r.name: r.relation for r in proved})


class _Resting(NamedTuple):
    """What a proof rests on: declarations that were used, and what else is taken for granted."""

    declared: frozenset[str]
    assumed: frozenset[str] = frozenset()


def _by_promises(
    report: Report,
    back: ReadBack,
    target: str,
    known: Known,
    through: Through,
    catalog: Catalog,
    numbers: bool,
) -> _Resting | None:
    """What is declared of tables and makes the two plans one; None: they are two even so.
    ``numbers`` as of a `Normalizer`."""
    legacy = report.definition
    spoken = {part.statement.dialect for part in legacy.parts}
    if legacy.plan is None or back.plan is None or len(spoken) > 1:
        return None
    plan, _ = wanted(legacy, legacy.plan, target, catalog)
    source = spoken_in(legacy, target)
    promised = Promised(known.promises(source))
    rules = ruled(promised, numbers and source not in NULL_OF_OTHERS)
    if proves(promised.ordered(plan), promised.ordered(back.plan), rules):
        return _Resting(frozenset(promised.used))
    old, new = through.plans(legacy, back.plan)
    if not proves(promised.ordered(old), promised.ordered(new), rules):
        return None
    assumed = through.assumed(legacy, back.plan)
    assumed |= values_assumed(old, new, {source, target}, catalog.type_of)
    return _Resting(frozenset(promised.used), assumed)


def _against(
    report: Report,
    back: ReadBack,
    target: str,
    normalizer: Normalizer,
    through: Through,
    catalog: Catalog,
) -> tuple[str, frozenset[str]]:
    legacy = report.definition
    if legacy.plan is None:
        return legacy.problem or legacy.doubt or "its rows cannot be told statically", frozenset()
    if back.plan is None:
        return f"its model cannot be read back: {back.reason}", frozenset()
    spoken = {part.statement.dialect for part in legacy.parts}
    if len(spoken) > 1:
        return f"it is written in several dialects: {', '.join(sorted(spoken))}", frozenset()
    source = spoken_in(legacy, target)
    plan, assumed = wanted(legacy, legacy.plan, target, catalog)
    assumed |= legacy.assumed | _put_in(legacy, plan)
    model = back.plan
    why = difference(plan, model, normalizer, target)
    if why:
        old, new = through.plans(legacy, model)
        if proves(old, new, normalizer):
            assumed |= through.assumed(legacy, model)
            why, plan, model = "", old, new
    missed = in_other_words(plan, target)
    why = missed if why and missed else why
    if missed and source != target:
        assumed |= {f"what is not understood means the same in {source or 'SQL'} and {target}"}
    return why, assumed | values_assumed(plan, model, {source, target}, catalog.type_of)


def in_other_words(plan: Plan, target: str) -> str:
    """Why a plan is not proved of which something can only be compared as text; empty where
    everything is understood."""
    missed = [node.reason for node in walk(plan.rel) if isinstance(node, Opaque)]
    if not missed:
        return ""
    return f"not understood: {missed[0]}; and its text in {target or 'the project'} differs"


def _put_in(legacy: Definition, plan: Plan) -> frozenset[str]:
    """What is taken for granted of texts that are put in for placeholders before the SQL runs."""
    words = {p.name for n in walk(plan.rel) for e in expressions(n) for p in parts(e)
             if isinstance(p, Param)}  # fmt: skip
    if not words:
        return frozenset()
    statements = [part.statement for each in _with_temps(legacy) for part in each.parts]
    texts = {p.token.lower(): p.text for s in statements for p in s.masked.placeholders
             if not p.binds}  # fmt: skip
    return frozenset(
        f"{texts[word]} stands for one value where it is compared, computed with or given a name"
        for word in words
        if word in texts
    )


def _with_temps(definition: Definition) -> Iterator[Definition]:
    yield definition
    for read in definition.reads:
        if read.temp:
            yield from _with_temps(read)


def proves(legacy: Plan, project: Plan, normalizer: Normalizer) -> bool:
    """Whether two plans have one normal form, and so return the same rows."""
    return not _apart(legacy, project, normalizer, lambda _old, _new: "other rows")


def difference(legacy: Plan, project: Plan, normalizer: Normalizer, dialect: str = "") -> str:
    """Why two plans are not proved equal, in SQL of that dialect; empty when they are."""
    return _apart(legacy, project, normalizer, lambda old, new: _in_words(old, new, dialect))


def normal_forms(legacy: Plan, project: Plan, normalizer: Normalizer) -> tuple[Rel, Rel]:
    """What is compared. A table has no order: an ORDER BY its query ends with, and columns only
    that one sees, are no part of the report."""
    rows = project.rel if legacy.order else trim(project)
    return normalizer.run(legacy.rel)[0], normalizer.run(rows)[0]


def _apart(
    legacy: Plan, project: Plan, normalizer: Normalizer, words: Callable[[Rel, Rel], str]
) -> str:
    if tuple(map(str.lower, legacy.names)) != tuple(map(str.lower, project.names)):
        return f"columns {', '.join(legacy.names)} became {', '.join(project.names)}"
    if headings(legacy) != headings(project):
        return "the star stands for the columns of another table, whose names may differ"
    old, new = normal_forms(legacy, project, normalizer)
    if old != new:
        return f"not proved: {words(old, new)}"
    if _is_of_nothing(old) and not _have_same_columns(legacy, project):
        return "not proved: it is made of no rows, and its columns may be of other types"
    if legacy.order and legacy.order != project.order:
        return "the final order differs"
    return ""


def _is_of_nothing(rel: Rel) -> bool:
    """Whether it has no rows, or one of constants: NULL and 0 may be what MAX and COUNT are of no
    rows, and of the type of a column that is no longer there."""
    match rel:
        case Project(input=Values(rows=((),)), exprs=exprs):
            return NULL in exprs
        case _:
            return is_empty(rel)


def _have_same_columns(legacy: Plan, project: Plan) -> bool:
    """Of two plans made of no rows, which are one normal form: whether their columns are made
    alike, and so are of one type, which is what such a table is there for."""
    old, new = normal_forms(legacy, project, Normalizer(cuts=False))
    return old == new


def _in_words(old: Rel, new: Rel, dialect: str) -> str:
    if missed := _not_understood(old, new):
        return f"its model is not understood: {missed}"
    found = parting(old, new, dialect)
    if found is None:
        left, right = first_difference(old, new)
        return f"{_short(spoken(left, dialect))} against {_short(spoken(right, dialect))}"
    ours, theirs = found.legacy, found.project
    if ours is not None and theirs is not None:
        if _divides(ours) and _divides(theirs) and _typed(ours) != _typed(theirs):
            return f"integers may be divided with or without a fraction: {_short(ours.text)}"
        if isinstance(ours.node, Agg) and "integers=True" in ours.node.shape:
            return f"averages of integers may be integers or not: {_short(theirs.text)}"
    return in_words(found)


def _not_understood(old: Rel, new: Rel) -> str:
    """Why only the new side has something that is not understood; empty where it is not so."""
    reasons = ([n.reason for n in walk(rel) if isinstance(n, Opaque)] for rel in (old, new))
    known, found = reasons
    reason = found[0] if found and not known else ""
    if (name := _UNKNOWN.fullmatch(reason)) is not None and name[1] != name[1].lower():
        return f"{reason} so: the case of names in quotes counts there"
    return reason


def in_words(found: Parting) -> str:
    """What parts two plans, in one line."""
    match found:
        case Parting(legacy=Phrase(text=old), project=Phrase(text=new)) if old != new:
            return f"{_short(old)} against {_short(new)}"
        case Parting(legacy=Phrase(text=old) as ours, project=Phrase() as theirs):
            return f"{_short(old)} says something else on each side, {_detail(ours, theirs)}"
        case Parting(legacy=Phrase(text=old)):
            return f"{_short(old)} is missing"
        case Parting(project=Phrase(text=new)):
            return f"{_short(new)} is new"
        case _:
            return "other rows"


def _detail(ours: Phrase, theirs: Phrase) -> str:
    """In what two phrases differ that are printed alike."""
    apart = settings(ours.node) ^ settings(theirs.node)
    said = ",".join(sorted(apart))
    found = {words for mark, words in _DETAILS.items() if mark in said}
    found |= {words for words, of in _ORDERED.items() if of(ours.node) != of(theirs.node)}
    details = sorted(found)
    if details:
        return f"though it is written alike: {', '.join(details)}"
    noted = ", ".join(sorted(_told(mark) for mark in apart if mark and mark.isascii()))
    detail = f" ({noted})" if noted else ": a name in it may stand for another column"
    return f"though it is written alike{detail}"


def _nulls(node: Node) -> list[bool | None]:
    orders = [e.order for e in parts(node) if isinstance(e, Agg | Over)] if _is_value(node) else []
    keys = node.keys if isinstance(node, Sort) else ()
    return [key.nulls_first for order in (*orders, keys) for key in order]


def _frames(node: Node) -> list[str]:
    return [e.frame for e in parts(node) if isinstance(e, Over)] if _is_value(node) else []


def _is_value(node: Node) -> TypeGuard[Call | Agg | Over]:
    return isinstance(node, Call | Agg | Over)


_ORDERED: Final[Mapping[str, Callable[[Node], Sequence[object]]]] = {
    "where NULLs are sorted": _nulls,
    "which rows its window has": _frames,
}


def _told(mark: str) -> str:
    """What a parser notes, in words: `unit:var DAY` is unit DAY."""
    marks = (re.sub(r"=True$|:(?:var|id)(?= )", "", each) for each in mark.split(", "))
    return ", ".join(each.replace("_", " ") for each in marks)


_DETAILS = {
    "typed=": "how integers are divided",
    "safe=": "what an error becomes",
    "integers=": "whether the average of integers is one",
    "is_null=": "ISNULL converts to the type of its first argument",
    "nulls_first=": "where NULLs are sorted",
    "date_part_boundary=": "whether borders or whole units are counted",
    "zone": "the time zone",
    "apart=": "what the two dialects do otherwise",
    "text=": "what + does with texts",
    "coerce": "which NULL is converted",
    "only_json_types=": "what becomes of a text that is no JSON",
    "to:": "the type that it becomes",
}  # what a parser notes of a call and no SQL shows -> in words


def _divides(phrase: Phrase) -> bool:
    return isinstance(phrase.node, Call) and phrase.node.op == "div"


def _typed(phrase: Phrase) -> bool:
    return isinstance(phrase.node, Call) and "typed=True" in phrase.node.shape


def _short(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
