"""Read a project of plain views back: one file each, and all.sql, which makes them in order.

Understood: CREATE VIEW and CREATE TABLE ... AS with a query and without a list of columns, SELECT
... INTO a table, CREATE SCHEMA, and DROP ... IF EXISTS of what is made next. A view that all.sql
does not make, makes before what it reads, or makes of another text, is a failure.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from unwet.lineage.errors import UnknownDialect
from unwet.lineage.lexer import CODE, pieces
from unwet.lineage.names import INTO_VARIABLES
from unwet.lineage.parse import Statement, check_dialect, parse
from unwet.lineage.sources import Source
from unwet.lineage.targets import into_of
from unwet.lineage.templating import verbatim
from unwet.lineage.tokenizing import Stretch, tokenize
from unwet.rewrite.prove.project_files import below, text_of
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
from unwet.rewrite.prove.sandbox import TemplateFailure, Unparsed
from unwet.rewrite.prove.view_order import ORDER, Order, misplaced, read_order

CONFIG = "views.toml"
_MAKING = re.compile(
    r"\s*CREATE\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?:MATERIALIZED\s+)?(?:VIEW|TABLE)\s",
    re.IGNORECASE,
)
# of a view or table; any other may keep rows out, merge or hide them
_HARMLESS = (
    exp.CopyGrantsProperty,
    exp.FileFormatProperty,
    exp.LocationProperty,
    exp.PartitionedByProperty,
    exp.SchemaCommentProperty,
    exp.SqlSecurityProperty,
    exp.ViewAttributeProperty,
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
    try:
        order = read_order(root)
    except TemplateFailure as failure:
        raise BadProject(f"{root / ORDER}: {failure.message}") from failure
    files = {path.relative_to(root.resolve()).as_posix() for path in project.paths}
    failures.extend(misplaced(root, kept, order, files))
    failures.extend(_with_others(kept, project.wild, {each.name for each in failures}))
    scripts = tuple(path for path in order.at if path.startswith("legacy/"))
    name = str(settings.get("name", root.name))
    made = _functions(root, order, files)
    return RenderedProject(name, kept, (), tuple(failures), scripts=scripts, functions=made)


def _functions(root: Path, order: Order, views: Collection[str]) -> tuple[str, ...]:
    """The texts of functions that all.sql makes before all views; others come too late."""
    first = min((at for path in views for at in order.at.get(path, ())), default=0)
    paths = below(root, "functions", ".sql")
    named = {path.relative_to(root.resolve()).as_posix(): path for path in paths}
    found = [(lines[0], path) for path, lines in order.at.items() if path.startswith("functions/")]
    return tuple(text_of(named[path]) for at, path in sorted(found) if path in named and at < first)


def _with_others(
    models: Sequence[RenderedModel], wild: Sequence[RenderFailure], failed: set[str]
) -> Iterator[RenderFailure]:
    """What files do besides making views may change the rows of every view."""
    for first in wild[:1]:
        why = f"{Path(first.path).name} is run with it, of which {first.reason}"
        for model in models:
            if model.name not in failed:
                yield RenderFailure(model.name, first.path, first.line, why)


class _NoView(TemplateFailure):
    """A statement that may change what other views have."""


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
    wild: list[RenderFailure] = field(default_factory=list)  # that are no views only

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
            yield RenderedModel(
                name, str(path), found.sql, found.refs, found.sources, kind, self.dialect
            )

    def _read(self, path: Path) -> tuple[_View, ...]:
        try:
            return tuple(self._parsed(path))
        except TemplateFailure as failure:
            self._fail(path, failure, path.stem)
            if isinstance(failure, _NoView):
                self.wild.append(self.failures[-1])
            return ()

    def _parsed(self, path: Path) -> Iterator[_View]:
        text = text_of(path)
        script = parse(verbatim(Source(str(path), text, self.dialect)), self.dialect)
        for finding in script.findings:
            kind = Unparsed if _makes_views(text, self.dialect) else _NoView
            raise kind(str(finding.message), finding.at.line)
        dropped = ""
        for statement in script.statements:
            if isinstance(statement.tree, exp.Drop) and not dropped:
                dropped = _dropped(statement.tree, statement.span.line)
                continue
            view = _view(statement)
            if dropped and (view is None or view.name != dropped):
                raise _NoView(f"{dropped} is dropped and not made", statement.span.line)
            dropped = ""
            if view is not None:
                yield view
        if dropped:
            raise _NoView(f"{dropped} is dropped and not made")

    def _fail(self, path: Path, failure: TemplateFailure, name: str) -> None:
        self.failures.append(failure_of(name, path, failure))


def _view(statement: Statement) -> _View | None:
    """What a statement makes; None where that is no rows. Raises TemplateFailure for others."""
    tree, line = statement.tree, statement.span.line
    kind = str(tree.args.get("kind") or "").upper()
    if isinstance(tree, exp.Create) and kind == "SCHEMA":
        return None
    if isinstance(tree, exp.Query) and (into := into_of(tree)) is not None:
        return _into(statement, into)
    if not isinstance(tree, exp.Create) or kind not in ("VIEW", "TABLE"):
        raise _NoView(f"a {tree.key} is no view", line)
    if not isinstance(tree.this, exp.Table):
        raise TemplateFailure("a list of columns behind the name is not understood", line)
    if tree.args.get("expression") is None or tree.args.get("exists"):
        raise TemplateFailure("its rows are not those of one query", line)
    properties = tree.args.get("properties")
    for each in properties.expressions if properties is not None else ():
        if not isinstance(each, _HARMLESS):
            said = each.sql(statement.dialect or None, comments=False)
            raise TemplateFailure(f"{said} may change its rows", line)
    return _View(_name(tree.this), _query(statement), line, kind == "TABLE")


def _makes_views(text: str, dialect: str) -> bool:
    """Whether each statement of a text that nobody could parse begins as one that makes a view."""
    code = "".join(
        text[piece.start : piece.end] if piece.kind == CODE else " "
        for piece in pieces(text, dialect)
    )
    return all(_MAKING.match(each) for each in code.split(";") if each.strip())


def _dropped(tree: exp.Drop, line: int) -> str:
    """What a DROP VIEW or TABLE IF EXISTS drops. Raises TemplateFailure for any other."""
    kind = str(tree.args.get("kind") or "").upper()
    if kind not in ("VIEW", "TABLE") or not tree.args.get("exists") or tree.args.get("cascade"):
        raise _NoView("a drop is no view", line)
    dropped = tree.args.get("tables") or [tree.this]
    if len(dropped) != 1 or not isinstance(dropped[0], exp.Table):
        raise _NoView("it drops more than it makes", line)
    return _name(dropped[0])


def _name(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts).lower()


def _into(statement: Statement, into: exp.Expr) -> _View:
    """What SELECT .. INTO makes. Raises TemplateFailure where that is no table that lasts."""
    name, line = into.this, statement.span.line
    if not isinstance(name, exp.Table) or statement.dialect in INTO_VARIABLES:
        raise _NoView("an INTO that makes no table", line)
    if into.args.get("temporary") or name.name.startswith("#"):
        raise _NoView("a temporary table is no view", line)
    before, behind = _around("INTO", statement)
    size = 2 * len(name.parts) - 1  # with the dots between them
    parts = tokenize(behind, statement.dialect)
    rest = next(part for part in parts if isinstance(part, Stretch))
    query = before + rest.text[rest.tokens[size - 1].end + 1 :]
    return _View(_name(name), query.strip().removesuffix(";").strip(), line, True)


def _query(statement: Statement) -> str:
    """The text behind the AS of CREATE ... AS."""
    return _around("AS", statement)[1].strip().removesuffix(";").strip()


def _around(word: str, statement: Statement) -> tuple[str, str]:
    """What stands before and behind the first such word."""
    for part in tokenize(statement.text, statement.dialect):
        if isinstance(part, Stretch):
            for token in part.tokens:
                if token.text.upper() == word and part.text[token.start : token.end + 1].isalpha():
                    return part.text[: token.start], part.text[token.end + 1 :]
    raise TemplateFailure("nobody can tell where its query begins", statement.span.line)


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
