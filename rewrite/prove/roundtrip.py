"""Proof by reading back: what was written means what the legacy report meant.

Every model is rendered without dbt, parsed in the project's dialect, resolved and lowered like any
legacy statement, and its normal form is compared with the legacy plan's. Reports are compared one
by one: a report that reads another report reads a relation of that name on both sides, so the
whole project follows by induction over the (acyclic) order of its models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from sqlglot import exp

from unwet.lineage.declared import output_types
from unwet.lineage.findings import Finding
from unwet.lineage.names import folds_up, is_other_in_quotes, is_reserved, upper_case
from unwet.lineage.parse import Statement, parse
from unwet.lineage.resolve import resolve
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog, Table
from unwet.lineage.templating import verbatim
from unwet.lineage.trees import contents
from unwet.rewrite.algebra import Plan
from unwet.rewrite.function_words import with_whole_names
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.prove.grammar import not_run, refused
from unwet.rewrite.prove.made_functions import Made
from unwet.rewrite.prove.projects import read_project, render_project
from unwet.rewrite.prove.rendered import RenderedModel, RenderedProject
from unwet.rewrite.prove.seed_rows import seed_plan
from unwet.rewrite.prove.wanted import meant
from unwet.rewrite.stars import made_table


@dataclass(frozen=True, slots=True)
class Setting:
    """What the project is read against.

    ``relations`` maps model names to the legacy relations they stand for; models that are not in
    it are read through. ``variables`` maps each dbt variable to the text that stands for it,
    ``bound`` are the tokens of driver-bound parameters, ``sources`` maps names that sources are
    rendered as to the legacy relations they stand for, where these are called otherwise;
    ``functions`` what each function means that the project has to make itself, by its name.
    """

    dialect: str
    catalog: Catalog
    relations: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()
    sources: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A model's plan, or why there is none; what is taken for granted to read it, and the tables
    that it reads and no model makes."""

    plan: Plan | None
    reason: str = ""
    assumed: frozenset[str] = frozenset()
    sources: tuple[str, ...] = ()


_PART: Final = re.compile(r'"[^"]*"|`[^`]*`|[^.]+')  # of a dotted name


class Readings:
    """What models meant that were read before, for who reads one project again and again, against
    the same setting. A plan depends on what the text says, and on the plans of what it names."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], _Read] = {}

    def of(
        self,
        model: RenderedModel,
        tree: exp.Expr,
        definitions: Mapping[str, Plan],
        read: Callable[[], _Read],
    ) -> _Read:
        """What the model means, whose text is the tree."""
        text = model.sql.lower()
        named = (item for item in definitions.items() if item[0].lower() in text)
        key = model.name, model.sources, contents(tree), *named
        if key not in self._known:
            self._known[key] = read()
        return self._known[key]


def read_back(
    root: Path, setting: Setting, compiled: bool = True, readings: Readings | None = None
) -> dict[str, ReadBack]:
    """The plan of every model of a written project, by model name. ``compiled``: of what dbt made
    of them, where that is known; ``readings``: of other times, against this setting."""
    return plans_of(rendered(root, setting, compiled), setting, readings=readings)


_Read = tuple[ReadBack, tuple[str, ...]]  # a plan, and the types of its columns


def rendered(root: Path, setting: Setting, compiled: bool = True) -> RenderedProject:
    """A project over the legacy relations that its sources and models stand for."""

    def relation(kind: str, name: str) -> str:
        if kind == "source":
            # dbt quotes names but where these are in capitals by nature, as Snowflake's (its
            # manual, "quoting"); the old scripts' are folded: their capitals were in quotes
            old = setting.sources.get(re.sub(r'["`]', "", name).lower())
            exact = old is not None or not folds_up(setting.dialect)
            return _quoted(old or name, setting.dialect, exact)
        if kind in ("ref", "this") and (old := setting.relations.get(name)) is not None:
            return _quoted(old, setting.dialect, exact=True)
        return _quoted(name, setting.dialect)

    read = read_project if compiled else render_project
    return read(root, setting.variables, relation)


def plans_of(
    project: RenderedProject,
    setting: Setting,
    only: Container[str] | None = None,
    readings: Readings | None = None,
) -> dict[str, ReadBack]:
    """The plans of models, by their names. ``only``: those, and all that they read."""
    # a seed's name has a meaning of its own in all models
    known = readings if readings is not None and not project.seeds else Readings()
    found = {failure.name: ReadBack(None, failure.reason) for failure in project.failures}
    made = Made(project.functions, setting.functions, setting.dialect)
    definitions = _seeds(project, setting)
    tables = {name: made_table(name, plan.names) for name, plan in definitions.items()}
    # one whose rows are not known is a table of its own all the same: no other one of that name
    own = {seed.name: Table(seed.name, (), closed=False, origin="use") for seed in project.seeds}
    catalog = Catalog({**own, **setting.catalog.tables, **tables})
    for model in project.models:
        if model.name in found or (only is not None and model.name not in only):
            continue
        if lost := _unread(model, found, setting):
            found[model.name] = ReadBack(None, f"it reads {lost}: {found[lost].reason}")
            continue
        if seed := _instead(model, project, setting, definitions):
            why = f"it reads the seed {seed}, which need not have the rows of the old table {seed}"
            found[model.name] = ReadBack(None, why)
            continue
        result, types = _plan(model, setting, catalog, definitions, known, made)
        found[model.name] = replace(result, sources=model.sources)
        if model.name not in setting.relations and result.plan is not None:
            definitions[model.name] = result.plan
            table = made_table(model.name, result.plan.names, types)
            catalog = Catalog({**catalog.tables, model.name: table})
    return found


def _unread(model: RenderedModel, found: Mapping[str, ReadBack], setting: Setting) -> str:
    """What a model reads that could not be read back, and is no report: its name may be that of
    another table. What is wrong with a report is told with that."""
    unread = (r for r in model.refs if r in found and found[r].plan is None)
    return next((ref for ref in unread if ref not in setting.relations), "")


def _seeds(project: RenderedProject, setting: Setting) -> dict[str, Plan]:
    """Seeds whose rows are known; not those that stand for reports."""
    plans = {s.name: seed_plan(s) for s in project.seeds if s.name not in setting.relations}
    return {name: plan for name, plan in plans.items() if plan is not None}


def _instead(model: RenderedModel, project: RenderedProject, setting: Setting,
             known: Container[str]) -> str:  # fmt: skip
    """A seed that a model reads, which is called like an old table and need not have its rows."""
    named = {seed.name for seed in project.seeds if seed.name not in known}
    old = {name.lower() for name in setting.catalog.tables} - {*setting.relations}
    return next((ref for ref in model.refs if ref in named and ref.lower() in old), "")


def _plan(
    model: RenderedModel,
    setting: Setting,
    catalog: Catalog,
    definitions: Mapping[str, Plan],
    known: Readings,
    made: Made,
) -> _Read:
    """The model's plan, and the types of its columns that are certain."""
    if why := model.misread_in(setting.dialect):
        return ReadBack(None, why), ()
    source = Source(model.path, model.sql, setting.dialect)
    script = parse(verbatim(source), setting.dialect)
    if script.findings or len(script.statements) != 1:
        return ReadBack(None, _first(script.findings) or "it is not one statement"), ()
    [statement] = script.statements
    if why := made.doubt(statement.tree):
        return ReadBack(None, why), ()
    with_whole_names(statement.tree, setting.functions)
    read = partial(_meaning, model, statement, setting, catalog, definitions)
    result, types = known.of(model, statement.tree, definitions, read)
    if result.plan is not None and (why := refused(model.sql, setting.dialect)):
        return ReadBack(None, why), ()
    return result, types


def _meaning(
    model: RenderedModel,
    statement: Statement,
    setting: Setting,
    catalog: Catalog,
    definitions: Mapping[str, Plan],
) -> _Read:
    if why := not_run(statement.tree, setting.dialect):
        return ReadBack(None, why), ()
    resolved = resolve(statement, catalog)
    if resolved.query is None or resolved.kind != "query":
        return ReadBack(None, "it is not a query"), ()  # dbt makes models of queries only
    env = Env(catalog, definitions, setting.bound)
    plan = meant(lower(resolved.query, env), setting.dialect, catalog)
    return ReadBack(plan, assumed=_meant(model, setting) | env.presumed), output_types(
        resolved.query
    )


def _meant(model: RenderedModel, setting: Setting) -> frozenset[str]:
    """Sources that are taken for a relation of the old scripts which has a shorter or a longer name
    there, or a placeholder for its schema."""
    said = set[str]()
    for located in model.sources:
        name = setting.sources.get(located.lower(), located)
        relation = setting.catalog.relation(name.lower())
        if relation.lower() != name.lower():
            said.add(f"{located} is what the old scripts call {relation}")
    return frozenset(said)


def _quoted(name: str, dialect: str, exact: bool = False) -> str:
    """A dotted name as SQL; its parts get quotes where they need them. ``exact``: a part is what it
    would be in quotes; "x" is that always, `x` never. A word of SQL is none without."""
    found = []
    for part in _PART.findall(name):
        bare, sign = part.strip('"`'), part[0]
        told = sign == '"' or (exact and sign != "`")
        other = told and is_other_in_quotes(bare, dialect)
        if not other and is_reserved(bare):
            bare, other = upper_case(bare, dialect), True
        found.append(exp.to_identifier(bare, quoted=other or None))
    return ".".join(part.sql(dialect=dialect or None) for part in found)


def _first(findings: tuple[Finding, ...]) -> str:
    return str(findings[0].message) if findings else ""
