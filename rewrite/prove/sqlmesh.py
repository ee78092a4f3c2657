"""Read a SQLMesh project back without SQLMesh: every model as plain SQL.

Understood: models/**/*.sql of kind VIEW, FULL and EMBEDDED with their blueprints; queries in SQL
with `@x` variables, or between JINJA_QUERY_BEGIN and JINJA_END with the Jinja macros of
macros/**/*.sql, `var` and `blueprint_var`; the settings of config.yaml. Not
understood, and said so per model: other macros, models in Python, kinds that keep earlier rows,
statements around a query that may change rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlglot import exp

from unwet.lineage.errors import UnknownDialect
from unwet.lineage.parse import check_dialect
from unwet.rewrite.prove.hooks import is_harmless, on_start
from unwet.rewrite.prove.macro_files import load_macros
from unwet.rewrite.prove.mesh_settings import (
    runs_besides,
    unfollowed,
    variables_of,
    with_defaults,
)
from unwet.rewrite.prove.model_files import ModelFile, filled, misread, read_model
from unwet.rewrite.prove.project_files import below, mapping, text_of, yaml_of
from unwet.rewrite.prove.rendered import (
    BadProject,
    Relation,
    RenderedModel,
    RenderedProject,
    RenderFailure,
    failure_of,
    ordered,
    plain,
)
from unwet.rewrite.prove.rewired import rewired
from unwet.rewrite.prove.sandbox import Budget, Sandbox, TemplateFailure, guarded

CONFIGS = ("config.yaml", "config.yml")
_KINDS = {"": "view", "VIEW": "view", "FULL": "table", "EMBEDDED": "ephemeral"}
_GIVEN = re.compile(r"@VAR\(\s*'(\w+)'\s*\)\s+IS\s+NULL", re.IGNORECASE)
_SWITCH = re.compile(
    r"@IF\(\s*@VAR\('\w+'\) IS NULL(?: OR @VAR\('\w+'\) IS NULL)*\s*,\s*FALSE\s*,\s*TRUE\s*\)",
    re.IGNORECASE,
)


def render_project(
    root: Path, vars: Mapping[str, str] | None = None, relation: Relation = plain
) -> RenderedProject:
    """Every model below `root`. Raises BadProject."""
    project = _Project(root, vars or {}, relation)
    models = [model for each in project.drafts for model in project.model(each)]
    kept = ordered(models, project.failures)
    name = str(project.settings.get("project") or root.resolve().name)
    macros = frozenset(project.macros)
    return RenderedProject(
        name,
        kept,
        (),
        tuple(project.failures),
        project.variables,
        macros=macros,
        doubt=project.doubt(),
        functions=project.on_start.functions,
    )


def _as_it_is(statement: str) -> str:
    """Raises TemplateFailure for one that is a template or a macro."""
    if "@" in statement or "{{" in statement or "{%" in statement:
        raise TemplateFailure("it is a template")
    return statement


@dataclass(frozen=True, slots=True)
class _Draft:
    """One model, or one of a file's blueprints: its name as SQL calls it, in lower case."""

    path: Path
    file: ModelFile
    full: str
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.full.rpartition(".")[2]


class _Project:
    """A SQLMesh project being read; collects failures, shares one budget."""

    def __init__(self, root: Path, vars: Mapping[str, str], relation: Relation) -> None:
        self.root, self.relation = root, relation
        self.failures: list[RenderFailure] = []
        self.settings = _configuration(root)
        self.dialect = str(mapping(self.settings.get("model_defaults")).get("dialect") or "")
        self.given = {name.lower(): value for name, value in vars.items()}
        self.configured = variables_of(self.settings)
        self.variables = {**self.configured, **self.given}
        self.environment = Sandbox(Budget())
        functions = {"var": self._var, "blueprint_var": self._blueprint_var}
        self._functions, self._values = functions, dict[str, str]()
        paths = below(root, "macros", ".sql")
        self.macros = load_macros(self.environment, paths, functions, self._fail)
        self.drafts = [d for path in below(root, "models", ".sql") for d in self._read(path)]
        for path in below(root, "models", ".py"):
            self._fail(path, TemplateFailure("models in Python are not understood"))
        self._names = {draft.full: draft.name for draft in self.drafts}
        self.on_start = on_start(self.settings.get("before_all"), _as_it_is, "before_all")

    def model(self, draft: _Draft) -> Iterator[RenderedModel]:
        """The model as SQL; nothing when it is disabled or failed."""
        try:
            if not self._is_enabled(draft):
                return
            kind = self._kind(draft)
            if why := unfollowed(self._settings(draft), date.today()):
                raise TemplateFailure(why)
            sql = self._query(draft)
            found = rewired(str(draft.path), sql, self._of(draft), self._names, self.relation)
        except TemplateFailure as failure:
            failure.line = failure.line and failure.line + draft.file.above
            self._fail(draft.path, failure, draft.name)
            return
        yield RenderedModel(
            draft.name,
            str(draft.path),
            found.sql,
            found.refs,
            found.sources,
            kind,
            self._of(draft),
        )

    def doubt(self) -> str:
        """Why no model need have the rows of its query; empty where nothing speaks for that."""
        found = self.on_start.doubt or runs_besides(
            self.settings, (self.root / "config.py").is_file()
        )
        for draft in self.drafts:
            if not is_harmless([*draft.file.besides]):
                found = (
                    found or f"a statement beside the query of {draft.path.name} may change rows"
                )
        return found

    def _settings(self, draft: _Draft) -> dict[str, str]:
        return with_defaults(self.settings, draft.file.settings)

    def _read(self, path: Path) -> Iterator[_Draft]:
        try:
            file = read_model(text_of(path), self.dialect)
            for values in file.blueprints or ({},):
                name = filled(file.settings.get("name", ""), values, self.dialect)
                yield _Draft(path, file, _unquoted(name).lower(), values)
        except TemplateFailure as failure:
            self._fail(path, failure)

    def _of(self, draft: _Draft) -> str:
        return draft.file.settings.get("dialect", "").strip("'\"").lower() or self.dialect

    def _query(self, draft: _Draft) -> str:
        text = draft.file.query
        if draft.file.jinja:
            self._values = dict(draft.values)
            names = {**self.macros, **self._functions}
            text = guarded(lambda: self.environment.from_string(text, names).render()).strip()
        # what a template prints is read for variables, too
        values = {**self._sql_values(), **draft.values}
        if why := misread(text, values, self._of(draft)):
            raise TemplateFailure(why)
        return filled(text, values, self._of(draft))

    def _sql_values(self) -> dict[str, str]:
        """Variables as `@x` puts them into SQL: texts of config.yaml are texts there, too."""
        written = {name: _literal(value) for name, value in self.configured.items()}
        return {**written, **self.given}

    def _is_enabled(self, draft: _Draft) -> bool:
        said = self._settings(draft).get("enabled", "TRUE").strip()
        if said.upper() in ("TRUE", "FALSE"):
            return said.upper() == "TRUE"
        if not _SWITCH.fullmatch(said):
            raise TemplateFailure(f"whether it is enabled is not understood: {said}")
        return all(name.lower() in self.variables for name in _GIVEN.findall(said))

    def _kind(self, draft: _Draft) -> str:
        said = filled(self._settings(draft).get("kind", ""), draft.values, self.dialect)
        kind = (re.match(r"\w*", said.strip()) or [""])[0].upper()
        if re.search(r"\bmaterialized\s+(?!false\b)", said, re.IGNORECASE):
            raise TemplateFailure("the rows of materialized views are those of an earlier day")
        if kind not in _KINDS:
            raise TemplateFailure(f"the rows of {kind} models are not those of one query")
        return _KINDS[kind]

    def _var(self, name: str, default: object = None) -> object:
        if name.lower() == "gateway":
            raise TemplateFailure("var gateway is what SQLMesh calls its connection")
        value = self.variables.get(name.lower(), default)
        if value is None:
            raise TemplateFailure(f"no value for var {name}; give --param {name}=VALUE")
        return value

    def _blueprint_var(self, name: str, default: object = None) -> object:
        value = self._values.get(name.lower(), default)
        if value is None:
            raise TemplateFailure(f"no blueprint says {name}")
        return value

    def _fail(self, path: Path, failure: TemplateFailure, name: str = "") -> None:
        self.failures.append(failure_of(name or path.stem, path, failure))


def _literal(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str):
        return str(value).upper() if isinstance(value, bool) else str(value)
    return exp.Literal.string(value).sql()


def _unquoted(name: str) -> str:
    return re.sub(r"[\"`\[\]]", "", name).strip()


def _configuration(root: Path) -> dict[str, Any]:
    path = next((root / name for name in CONFIGS if (root / name).is_file()), root / CONFIGS[0])
    try:
        settings = yaml_of(path)
        check_dialect(str(mapping(settings.get("model_defaults")).get("dialect") or ""))
    except TemplateFailure as failure:
        raise BadProject(f"{path}: {failure.message}") from failure
    except UnknownDialect as error:
        raise BadProject(f"{path}: {error.message}", error.help) from error
    return settings
