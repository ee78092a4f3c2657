"""A SQLMesh project, valid for 0.236: models, blueprints for families, Jinja macros for parts.

Copies that differ in their constants are one file with `blueprints`, a row for each; what several
models share a part of is a Jinja macro or a model of its own.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import yaml

from unwet.lineage.trees import copied
from unwet.rewrite.called_once import macros_left
from unwet.rewrite.compose import Draft, NotComposable, Outside
from unwet.rewrite.library import Macro
from unwet.rewrite.naming import free
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.project import Project
from unwet.rewrite.targets.functions import FOLDER, needed, printed, rights, schemas
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.macro_text import blocks_text, macro_text, spoken_of
from unwet.rewrite.targets.mesh_relations import with_source_names
from unwet.rewrite.targets.placing import (
    DEFAULT_SCHEMAS,
    check_names,
    places,
    source_name,
)
from unwet.rewrite.targets.replaced import as_one, plain, read_by, replaced, said_above
from unwet.rewrite.targets.sqlmesh_audits import (
    RELATED,
    RELATED_SQL,
    Name,
    audits,
    common,
    external_audits,
    grain,
    named,
    needs_related,
)
from unwet.rewrite.targets.sqlmesh_families import Families, Family
from unwet.rewrite.targets.sqlmesh_tests import unit_test_files
from unwet.rewrite.targets.sqlmesh_words import (
    bound_variables,
    is_plain,
    is_template,
    spelled,
)
from unwet.rewrite.targets.told_apart import with_differences
from unwet.rewrite.targets.variables import unset
from unwet.rewrite.targets.where_shared import where_shared, wrapped
from unwet.rewrite.true_comments import true_comments

NAME = "sqlmesh"
MACROS = True
LISTS = True
UNITS = True
DESCRIBES = False
TEMPLATES = False
SQLFMT = False
_USED: Final = "Nothing declares it: its columns are those that the reports use."
_WIDTH: Final = 90
# With it SQLMesh 0.236 makes tables of the types that it infers: a sum of DECIMAL(12, 2) times
# DECIMAL(10, 4) is a DECIMAL(12, 2), and its rows are rounded.
_AS_WRITTEN: Final = (
    "  # every query runs as it is written, and the engine says which types its columns have",
    "  optimize_query: false",
)
_APART: Final = re.compile(
    r"^  (?:description|grain) .*\n|^  audits \(\n(?:    .*\n)*  \),?\n|^      about\w* := .*\n",
    re.MULTILINE,
)


def check(draft: Draft, dialect: str) -> str:
    """Raises RenderError or NotComposable where the draft cannot be a model; says why."""
    check_names(draft, dialect)
    if not is_plain(template(draft.tree, dialect, ()), dialect):
        raise NotComposable("SQLMesh would read an @ in its query as a macro")
    return ""


def files(project: Project) -> dict[str, str]:
    """Every file of the project: its path below the root, and its text."""
    printer = _Printer(project)
    written = with_source_names(with_differences(dict(printer.files())), printer.where)
    functions = needed(project.functions, written.values())
    config = _config(project, [*schemas(functions), *(each.sql for each in functions)])
    result = {"config.yaml": config, "external_models.yaml": _external(project), **written}
    result |= {f"legacy/{path}": text for path, text in project.originals.items()}
    return result


def counted(files: Mapping[str, str], functions: Mapping[str, OwnFunction]) -> dict[str, str]:
    """What a maintainer reads to change behaviour: descriptions, keys and audits are counted
    apart, like YAML."""
    apart = ("audits/", "tests/")
    found = {p: _APART.sub("", text) for p, text in files.items() if not p.startswith(apart)}
    called = needed(functions, found.values())
    made = {f"{FOLDER}{each.name}.sql": each.sql for each in called}  # in config.yaml
    return found | printed(made, functions)


def how_to_build(project: Project, paths: Collection[str]) -> str:
    """Where what is in the project, and how it is built."""
    build = "`sqlmesh plan` builds it in the DuckDB file that UNWET_DUCKDB names."
    if not _has_gateway(project):
        build = f"It is {project.dialect}: give config.yaml a gateway, then `sqlmesh plan`."
    alike = any(f"macros/{each.name}.sql" not in paths for each in macros_left(project.library))
    first = "A report is a model below models/marts/"
    first += ", copies of one report are the blueprints of one file there" if alike else ""
    return f"{wrapped(where_shared(first, 'models', paths))}\n{build}" + rights(project)


@dataclass(frozen=True, slots=True)
class _Own:
    """What a blueprint calls the model's name, kind and description, beside its parameters."""

    name: str
    kind: str
    about: str


class _Printer:
    """Prints the models of one project."""

    def __init__(self, project: Project) -> None:
        self._project, self._spoken = project, spoken_of(project, unless=False)
        self._library = self._spoken.project.library
        self.where = places(project, default=_schema(project.dialect))
        self._said = true_comments(self._library)
        self._needs = unset(project)
        self._outside = {o.relation: self.where.source(o) for o in project.outside()}
        self._drafts = {d.name: d for d in (*project.drafts, *project.intermediates)}

    def files(self) -> Iterator[tuple[str, str]]:
        """Every model file and macro, with its path."""
        families = dict(Families(self._project, self._spoken, self.where).all())
        grouped = {name for family in families.values() for name in family.rows}
        for macro in self._library.macros:
            family = families.get(macro.name)
            if family is None or not family.whole:
                yield f"macros/{macro.name}.sql", self._macro(macro)
            if family is not None:
                folder = f"{self._folder(family.rows)}{self._free(macro.name)}"
                yield f"models/{folder}.sql", self._family(family)
        for name, draft in self._drafts.items():
            if name not in grouped:
                yield f"models/{self._folder([name])}{name}.sql", self._model(draft)
        known = self._project.evidence
        yield from unit_test_files(self._project, self.where, self._outside.__getitem__)
        if needs_related([*known.models.values(), *known.sources.values()]):
            yield RELATED, RELATED_SQL

    def _folder(self, names: Iterable[str]) -> str:
        """The layer, and in it the folder of the old scripts, where the models have the same."""
        names = tuple(names)
        layer = self.where.layers[names[0]]
        own = {self._project.folder(n) for n in names if n in self._project.reports}
        return f"{layer}/{own.pop() if len(own) == 1 else ''}"

    def _free(self, name: str) -> str:
        """A name for a file that no model of its own has."""
        return f"{name}_family" if name in self._drafts else name

    # --- one model

    def _model(self, draft: Draft) -> str:
        tree = copied(self._library.models[draft.name])
        tree.comments = None
        sql = self._spelled(
            blocks_text(self._spoken.project, draft.name)
            + template(
                tree,
                self.where.dialect,
                self._library.calls,
                spent=True,
                tables=self._project.loops,
            )
        )
        head = [
            f"name {self.where.model(draft.name)}",
            f"kind {self._kind(draft)}",
            f"description {_quoted(self._about(draft))}",
            *self._switch([draft.name]),
            *self._tested([draft.name]),
        ]
        return f"{_block(head)}\n\n{_query(sql)}\n"

    def _kind(self, draft: Draft) -> str:
        report = self._project.reports.get(draft.name)
        return "FULL" if report is not None and not report.definition.is_view else "VIEW"

    def _about(self, draft: Draft) -> str:
        """What the author said, and which lines of the pile it replaces."""
        said = as_one(said_above(draft))
        report = self._project.reports.get(draft.name)
        if report is not None:
            last = f"Replaces {', '.join(replaced(self._project, report))}."
        else:
            last = read_by(self._project, draft.name)
        return f"{said}{'' if said[-1:] in '.!?:' else '.'} {last}" if said else last

    def _switch(self, names: Iterable[str]) -> Iterator[str]:
        """Without a value for its variables a model would be another query: it is not enabled."""
        needs = sorted({need for name in names for need in self._needs[name]})
        if needs:
            missing = " OR ".join(f"@VAR('{need}') IS NULL" for need in needs)
            yield f"enabled @IF({missing}, FALSE, TRUE)"

    def _tested(self, names: Iterable[str]) -> Iterator[str]:
        """Grain and audits that the models have in common."""
        known = self._project.evidence.models
        tests = common(known.get(name, ()) for name in names)
        if key := grain(tests, self.where.dialect):
            yield f"grain {key}"
        found = list(audits(tests, self.where.dialect, named(self._outside)))
        if found:
            yield "audits (\n" + "".join(f"    {each},\n" for each in found) + "  )"

    # --- what several share

    def _macro(self, macro: Macro) -> str:
        said = self._said[macro.name]
        about = f"{{# {plain(said)} #}}\n" if said else ""
        text = macro_text(self._spoken.project, macro, self._spoken.of(macro.name), returns=False)
        return about + spelled(text, self.where)

    def _spelled(self, text: str) -> str:
        """The text of a query; where nothing but bound values is open in it as plain SQL."""
        text = spelled(text, self.where)
        return bound_variables(text, self._project.bound) or text

    def _family(self, family: Family) -> str:
        drafts = [self._drafts[name] for name in family.rows]
        kinds = {self._kind(draft) for draft in drafts}
        params = family.macro.params
        own = _Own(*(free(word, params) for word in ("model_name", "kind", "about")))
        rows = [self._row(each, family.rows[each.name], own, len(kinds) > 1) for each in drafts]
        schema = self.where.model(drafts[0].name).rpartition(".")[0]
        head = [
            f"name {schema}.@{{{own.name}}}",
            f"kind {kinds.pop() if len(kinds) == 1 else f'@{own.kind}'}",
            f"description @{own.about}",
            *self._switch(family.rows),
            *self._tested(family.rows),
            "blueprints (\n" + "".join(f"    {row},\n" for row in rows) + "  )",
        ]
        return f"{_block(head)}\n\n{_query(family.query)}\n"

    def _row(self, draft: Draft, said: Mapping[str, str], own: _Own, kinds: bool) -> str:
        """What a blueprint says: on a line of its own what the model is about."""
        kind = {own.kind: self._kind(draft)} if kinds else {}
        words = {own.name: draft.name, **kind, **said}
        said_ = [f"{name} := {text}".replace(" ", "\0") for name, text in words.items()]
        lines = textwrap.wrap(", ".join(said_), _WIDTH, break_long_words=False,
                              break_on_hyphens=False)  # fmt: skip
        first = "\n      ".join(lines).replace("\0", " ")
        return f"({first},\n      {own.about} := {_quoted(self._about(draft))})"


def _schema(dialect: str) -> str:
    """Where a table without a schema is: SQLMesh wants every name as long as every other."""
    return DEFAULT_SCHEMAS.get(dialect, "main")


def _block(entries: Iterable[str]) -> str:
    return "MODEL (\n" + ",\n".join(f"  {entry}" for entry in entries) + "\n);"


def _query(sql: str) -> str:
    return f"JINJA_QUERY_BEGIN;\n{sql}\nJINJA_END;" if is_template(sql) else f"{sql};"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "/").replace("'", "''") + "'"


# --- YAML ------------------------------------------------------------------------------------


def _has_gateway(project: Project) -> bool:
    """Whether it can be built as it is: only DuckDB needs no address and no login."""
    return project.dialect in ("", "duckdb")


def _config(project: Project, before_all: Sequence[str]) -> str:
    lines: list[str] = []
    if _has_gateway(project):
        path = "{{ env_var('UNWET_DUCKDB', 'warehouse.duckdb') }}"
        lines += ["gateways:", "  dev:", "    connection:", "      type: duckdb"]
        lines += [f'      database: "{path}"', "default_gateway: dev", ""]
    lines += ["model_defaults:", f"  dialect: {project.dialect or 'duckdb'}", *_AS_WRITTEN, ""]
    if project.placeholders:
        lines.append("variables:")
        lines += [f"  {name}: {_value(name, text)}"
                  for name, text in sorted(project.placeholders.items())]  # fmt: skip
        lines.append("")
    for number, statement in enumerate(before_all):
        lines += ["before_all:"] if number == 0 else []
        lines += ["  - |", *("    " + line for line in statement.splitlines())]
    lines += [""] if before_all else []
    lines.append("disable_anonymized_analytics: true")
    return "\n".join(lines) + "\n"


def _value(name: str, text: str) -> str:
    """A variable's value in YAML that is a Jinja template, too; null where nobody has said one."""
    if text == name:
        return "null"
    return json.dumps(_scalar(text), ensure_ascii=False).replace("{", "\\u007b")


def _scalar(text: str) -> object:
    return int(text) if text.isdecimal() and str(int(text)) == text else text


def _external(project: Project) -> str:
    """The tables that the project reads and does not make: columns as they are declared, or as the
    reports use them."""
    outside = {o.relation: _source(o, project.dialect) for o in project.outside()}
    entries = [
        _table(project, each, named(outside))
        for each in project.outside()
        if "p__" not in each.schema + each.table
    ]
    return yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=100)


def _table(project: Project, outside: Outside, name: Name) -> dict[str, object]:
    entry: dict[str, object] = {"name": name(outside.relation)}
    table = project.catalog.get(outside.relation)
    if table is not None and table.closed:
        entry["columns"] = {c.name: (c.type or "UNKNOWN").lower() for c in table.columns}
    elif known := project.evidence.columns.get(outside.relation, ()):
        entry["description"] = _USED
        entry["columns"] = {c.name: (c.type or "UNKNOWN").lower() for c in known}
    tests = project.evidence.sources.get(outside.relation, ())
    checks = external_audits(tests, project.dialect, name)
    return entry | ({"audits": checks} if checks else {})


def _source(outside: Outside, dialect: str) -> str:
    return source_name(outside, dialect, _schema(dialect))
