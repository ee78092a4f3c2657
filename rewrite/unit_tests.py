"""Which models get a unit test: a handful whose own words hold most of the rules of a business."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from unwet.lineage.trees import texts
from unwet.rewrite.algebra import Call, Rel, Scan, expressions, parts, walk
from unwet.rewrite.data_tests.values import Cells, Input, UnitTest
from unwet.rewrite.library import numbers_of
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.project import Project
from unwet.rewrite.prove.examples import Example, examples
from unwet.rewrite.prove.synthetic.database import Table

MOST: Final = 5
_TRIED: Final = 12  # not every one has rows that a person can read
_ARMS: Final = 2  # conditions that decide a value; fewer is no rule that needs a test
_ALIKE: Final = frozenset({"duckdb", "postgres"})  # run on DuckDB as their authors meant it
_CLOCK: Final = re.compile(  # a function's class, or the name of one that has none
    r"(current|localtime|utc|anonymous .*'?(now|today|getdate|getutcdate|sysdate|systimestamp"
    r"|unix_timestamp|clock_timestamp)\b)",
    re.IGNORECASE,
)
_VARIABLE: Final = re.compile(r"p__\w+?__p", re.IGNORECASE)


def unit_tests(
    project: Project, plans: Mapping[str, Rel], meaning: Meaning
) -> tuple[UnitTest, ...]:
    """For projects that DuckDB builds, as the rows that come out are DuckDB's. ``plans``: normal
    forms by model."""
    if project.dialect != "duckdb" or not _spoken(meaning) <= _ALIKE:
        return ()
    ranked = sorted(
        (-_rules(plans[draft.name]), draft.name) for draft in project.drafts
         if draft.name in plans and _is_plain(project, draft.name)
        and not _reads_clock(plans[draft.name])
    )  # fmt: skip
    chosen: dict[tuple[str, ...], str] = {}  # one for each macro
    for rules, name in ranked:
        if -rules >= _ARMS:
            chosen.setdefault(_macros(project, name) or (name,), name)
    found = examples(meaning, list(chosen.values())[:_TRIED])
    made = (_made(project, name, found[name], _used(plans[name]))
            for name in chosen.values() if name in found)  # fmt: skip
    return tuple(each for each in made if each is not None)[:MOST]


def _spoken(meaning: Meaning) -> set[str]:
    return {s.dialect for script in meaning.pile.scripts for s in script.statements}


def _is_plain(project: Project, name: str) -> bool:
    """Whether it reads sources and other reports only, and waits for no variable."""
    draft = next(draft for draft in project.drafts if draft.name == name)
    words = " ".join(texts(draft.tree))
    return set(draft.refs) <= project.reports.keys() and not _VARIABLE.search(words)


def _reads_clock(rel: Rel) -> bool:
    """Whether what comes out may be something else tomorrow."""
    calls = (part for node in walk(rel) for expr in expressions(node) for part in parts(expr)
             if isinstance(part, Call))  # fmt: skip
    return any(_CLOCK.match(" ".join((each.op, *each.shape))) for each in calls)


def _rules(rel: Rel) -> int:
    """How many conditions decide a value."""
    return sum(
        isinstance(part, Call) and part.op == "if"
        for node in walk(rel)
        for expr in expressions(node)
        for part in parts(expr)
    )


def _macros(project: Project, name: str) -> tuple[str, ...]:
    numbers = numbers_of(project.library.models[name])
    return tuple(sorted({project.library.calls[n].macro for n in numbers}))


def _used(rel: Rel) -> dict[str, frozenset[str]]:
    """By relation: the columns that matter."""
    found: dict[str, frozenset[str]] = {}
    for node in walk(rel):
        if isinstance(node, Scan):
            found[node.table] = found.get(node.table, frozenset()) | frozenset(node.columns)
    return found


def _made(
    project: Project, name: str, example: Example, used: Mapping[str, frozenset[str]]
) -> UnitTest | None:
    """The test, if the example has all that the model reads."""
    draft = next(draft for draft in project.drafts if draft.name == name)
    models = {r.relation or r.name: ref for ref in draft.refs for r in (project.reports[ref],)}
    reads = sorted({*(each.relation for each in draft.outside), *models})
    if not example.inputs.keys() >= {*reads}:
        return None
    given = tuple(
        Input(
            "ref" if relation in models else "source",
            models.get(relation, relation),
            *_part(example.inputs[relation], used.get(relation, frozenset())),
        )
        for relation in reads
    )
    return UnitTest(name, given, example.columns, example.rows)


def _part(
    table: Table, used: frozenset[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[Cells, ...]]:
    """The columns that matter, all of them where nobody knows, and their rows."""
    places = [i for i, (column, _) in enumerate(table.columns) if column in used]
    places = places or list(range(len(table.columns)))
    columns = tuple(table.columns[i] for i in places)
    return columns, tuple(tuple(row[i] for i in places) for row in table.rows)
