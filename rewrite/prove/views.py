"""Read a project of plain views back: one file each, and all.sql, which makes them in order.

Understood: CREATE VIEW and CREATE TABLE ... AS with a query and without a list of columns, CREATE
SCHEMA, and DROP ... IF EXISTS of what is made next. A view that all.sql does not make, makes before
what it reads, or makes of another text, is a failure.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from unwet.lineage.errors import UnknownDialect
from unwet.lineage.parse import Statement, check_dialect, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.lineage.tokenizing import Stretch, tokenize
from unwet.rewrite.prove.project_files import below, text_of
from unwet.rewrite.prove.rendered import (
    BadProject,
    Relation,
    RenderedModel,
    RenderedProject,
    RenderFailure,
    ordered,
    plain,
)
from unwet.rewrite.prove.rewired import rewired
from unwet.rewrite.prove.sandbox import TemplateFailure

CONFIG = "views.toml"
_ORDER = "all.sql"
_INCLUDE = re.compile(
    r"\s*(?:\\ir|\\i|\.read|:r|!source|source|@@|--)\s*'?((?:views|legacy)/[^\s';]+)'?\s*;?\s*",
    re.IGNORECASE,
)


def render_project(
    root: Path, vars: Mapping[str, str] | None = None, relation: Relation = plain
) -> RenderedProject:
    """Every view below `root`. Raises BadProject. Views have no variables: `vars` are nobody's."""
    settings = _settings(root)
    project = _Project(root, settings, relation)
    models = [model for path in project.paths for model in project.models(path)]
    failures = project.failures
    kept = ordered(models, failures)
    failures.extend(_misplaced(root, kept))
    return RenderedProject(str(settings.get("name", root.name)), kept, (), tuple(failures))


@dataclass(frozen=True, slots=True)
class _View:
    """A view as its file makes it: its name in lower case, and the text of its query."""

    name: str
    query: str
    line: int
    stored: bool


@dataclass
class _Project:
    """The files of a project, read once; collects failures."""

    root: Path
    settings: Mapping[str, Any]
    relation: Relation
    failures: list[RenderFailure] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dialect = str(self.settings.get("dialect", ""))
        self.paths = below(self.root, "views", ".sql")
        self._views = {path: self._read(path) for path in self.paths}
        everything = [view.name for views in self._views.values() for view in views]
        self._names = {name: name.rpartition(".")[2] for name in everything}

    def models(self, path: Path) -> Iterator[RenderedModel]:
        """The views that a file makes."""
        for view in self._views[path]:
            name = self._names[view.name]
            try:
                found = rewired(str(path), view.query, self.dialect, self._names, self.relation)
            except TemplateFailure as failure:
                self._fail(path, failure, name)
                continue
            kind = "table" if view.stored else "view"
            yield RenderedModel(name, str(path), found.sql, found.refs, found.sources, kind)

    def _read(self, path: Path) -> tuple[_View, ...]:
        try:
            return tuple(self._parsed(path))
        except TemplateFailure as failure:
            self._fail(path, failure, path.stem)
            return ()

    def _parsed(self, path: Path) -> Iterator[_View]:
        script = parse(verbatim(Source(str(path), text_of(path), self.dialect)), self.dialect)
        for finding in script.findings:
            raise TemplateFailure(str(finding.message), finding.at.line)
        for statement in script.statements:
            view = _view(statement)
            if view is not None:
                yield view

    def _fail(self, path: Path, failure: TemplateFailure, name: str) -> None:
        self.failures.append(RenderFailure(name, str(path), failure.line, failure.message))


def _view(statement: Statement) -> _View | None:
    """What a statement makes; None where that is no rows. Raises TemplateFailure for others."""
    tree, line = statement.tree, statement.span.line
    kind = str(tree.args.get("kind") or "").upper()
    if isinstance(tree, exp.Drop) and tree.args.get("exists"):
        return None
    if isinstance(tree, exp.Create) and kind == "SCHEMA":
        return None
    if not isinstance(tree, exp.Create) or kind not in ("VIEW", "TABLE"):
        raise TemplateFailure(f"a {tree.key} is no view", line)
    if not isinstance(tree.this, exp.Table):
        raise TemplateFailure("a list of columns behind the name is not understood", line)
    if tree.args.get("expression") is None or tree.args.get("exists"):
        raise TemplateFailure("its rows are not those of one query", line)
    name = ".".join(part.name for part in tree.this.parts).lower()
    return _View(name, _query(statement), line, kind == "TABLE")


def _query(statement: Statement) -> str:
    """The text behind the AS of CREATE ... AS."""
    for part in tokenize(statement.text, statement.dialect):
        if isinstance(part, Stretch):
            for token in part.tokens:
                if token.text.upper() == "AS" and part.text[token.start : token.end + 1].isalpha():
                    return part.text[token.end + 1 :].strip().removesuffix(";").strip()
    raise TemplateFailure("nobody can tell where its query begins", statement.span.line)


# --- the order in which all.sql makes them ---------------------------------------------------


def _misplaced(root: Path, models: tuple[RenderedModel, ...]) -> Iterator[RenderFailure]:
    """Views that all.sql does not make as their files say, after those that they read."""
    path = root / _ORDER
    lines = text_of(path).splitlines() if path.is_file() else []
    found = ((number, _INCLUDE.fullmatch(line)) for number, line in enumerate(lines, 1))
    at = {hit[1]: number for number, hit in found if hit is not None}
    home = root.resolve()
    paths = {model.name: Path(model.path).relative_to(home).as_posix() for model in models}
    for model in models:
        line = at.get(paths[model.name], 0)
        why = "" if line else f"{_ORDER} does not make it"
        for ref in model.refs:
            if line and at.get(paths.get(ref, ""), line + 1) > line:
                why = f"{_ORDER} makes it before {ref}, which it reads"
        if line and lines[line - 1].lstrip().startswith("--") and not why:
            why = _copied(lines, line, text_of(Path(model.path)))
        if why:
            yield RenderFailure(model.name, str(path), line, why)


def _copied(lines: list[str], line: int, text: str) -> str:
    """Where all.sql holds the texts themselves: whether it holds this one."""
    wanted = text.splitlines()
    same = lines[line : line + len(wanted)] == wanted
    return "" if same else f"{_ORDER} says something else than its file"


def _settings(root: Path) -> dict[str, Any]:
    path = root / CONFIG
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        check_dialect(str(settings.get("dialect", "")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadProject(f"{path}: {error}", "it says name and dialect") from error
    except UnknownDialect as error:
        raise BadProject(f"{path}: {error.message}", error.help) from error
    return settings
