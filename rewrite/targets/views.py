"""Plain views, one file each, and all.sql, which makes them in dependency order.

No tool has to know them but the engine's own client. There is no language of macros, so what
several reports share is a view of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import TSQL
from unwet.lineage.printing import render
from unwet.lineage.trees import copied
from unwet.rewrite.compose import Draft, NotComposable
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.project import Project
from unwet.rewrite.script import Report
from unwet.rewrite.script_order import base_reads
from unwet.rewrite.targets.functions import FOLDER, about, needed, printed, rights, schemas
from unwet.rewrite.targets.made_elsewhere import makers
from unwet.rewrite.targets.negations import negated
from unwet.rewrite.targets.placing import (
    Places,
    check_names,
    identifier,
    in_order,
    places,
    references,
    variables,
)
from unwet.rewrite.targets.replaced import read_by, replaced, said_above
from unwet.rewrite.targets.tokens import named
from unwet.rewrite.targets.where_shared import where_shared, wrapped

NAME = "views"
MACROS = False
LISTS = False
UNITS = False
DESCRIBES = False
TEMPLATES = False
SQLFMT = False
CONFIG: Final = "views.toml"
_NO_SCHEMAS: Final = frozenset({"sqlite"})
# How a dialect's client reads a file, and what it is called with; others get the texts themselves.
_CLIENTS: Final[Mapping[str, tuple[str, str]]] = {
    "": (".read {}", "duckdb warehouse.duckdb < all.sql"),
    "duckdb": (".read {}", "duckdb warehouse.duckdb < all.sql"),
    "sqlite": (".read {}", "sqlite3 warehouse.db < all.sql"),
    "postgres": (r"\ir {}", "psql -v ON_ERROR_STOP=1 -f all.sql"),
    "redshift": (r"\ir {}", "psql -v ON_ERROR_STOP=1 -f all.sql"),
    "tsql": (":r {}", "sqlcmd -b -i all.sql"),
    "fabric": (":r {}", "sqlcmd -b -i all.sql"),
    "mysql": ("source {}", "mysql < all.sql"),
    "snowflake": ("!source {}", "snowsql -f all.sql"),
    "spark": ("SOURCE {};", "spark-sql -f all.sql"),
    "oracle": ("@@{}", "sqlplus @all.sql"),
}
_REPLACING: Final = frozenset({"", "duckdb", "postgres", "redshift", "mysql", "snowflake",
                               "spark", "databricks", "bigquery", "oracle", "tsql", "fabric",
                               "clickhouse", "trino", "presto", "athena"})  # fmt: skip
_INTO: Final = "tsql"  # SELECT .. INTO makes a table; Fabric has CREATE TABLE AS
# What is another value each day or each time, so that a stored table is not what a view would be.
_MOVING: Final = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime, exp.CurrentTime,
                  exp.Rand, exp.Randn, exp.Uuid)  # fmt: skip
_STORED: Final = frozenset({"ctas", "insert", "select_into"})


def check(draft: Draft, dialect: str) -> str:
    """Raises NotComposable or RenderError where the draft cannot be a view; says why."""
    check_names(draft, dialect)
    open_ = sorted(variables(draft.tree, draft.outside))
    if open_:
        names = ", ".join(f"p__{name}__p" for name in open_)
        raise NotComposable(f"a view has no parameters: give --param NAME=VALUE for {names}")
    render(draft.tree, dialect)
    return ""


def files(project: Project) -> dict[str, str]:
    """Every file of the project: its path below the root, and its text."""
    where = places(project, project.dialect not in _NO_SCHEMAS)
    drafts = {d.name: d for d in (*project.drafts, *project.intermediates)}
    texts = {name: _view(project, draft, where) for name, draft in drafts.items()}
    paths = {name: f"views/{_folder(project, where, name)}{name}.sql" for name in drafts}
    result = {CONFIG: _config(project)}
    result |= {paths[name]: text for name, text in texts.items()}
    result |= {f"legacy/{path}": text for path, text in project.originals.items()}
    functions = needed(project.functions, texts.values())
    result |= {_place(each): f"-- {about(project, each)}\n{each.sql};\n" for each in functions}
    result["all.sql"] = _all(project, where, drafts, paths, result, functions)
    return result


def _place(function: OwnFunction) -> str:
    return f"{FOLDER}{function.name.rpartition('.')[2]}.sql"


def _folder(project: Project, where: Places, name: str) -> str:
    """The layer, and in it the folder of the old script."""
    own = project.folder(name) if name in project.reports else ""
    return f"{where.layers[name]}/{own}"


def counted(files: Mapping[str, str], functions: Mapping[str, OwnFunction]) -> dict[str, str]:
    """What a maintainer reads to change behaviour: not all.sql where it repeats the views."""
    files = printed(files, functions)
    order = files.get("all.sql", "")
    repeated = any(f"-- {path}\n{text}" in order for path, text in files.items())
    return {p: text for p, text in files.items() if not (repeated and p == "all.sql")}


def how_to_build(project: Project, paths: Collection[str]) -> str:
    """Where what is in the project, and how it is built."""
    _, command = _CLIENTS.get(project.dialect, ("", "all.sql in your client"))
    first = where_shared("A report is a view below views/marts/", "views", paths)
    return f"{wrapped(first)}\n`{command}` makes them all, inputs first." + rights(project)


# --- one view --------------------------------------------------------------------------------


def _view(project: Project, draft: Draft, where: Places) -> str:
    tree = copied(project.library.models[draft.name])
    tree.comments = None
    report = project.reports.get(draft.name)
    head = said_above(draft)
    if report is not None:
        head.append(f"Replaces {', '.join(replaced(project, report))}")
    else:
        head.append(read_by(project, draft.name))
    stored = report is not None and _is_stored(report, tree)
    if stored:
        head.append("A table, as it was: its rows are those of the day on which it is filled.")
    if stored and project.dialect == _INTO:
        _put_into(tree, f"ref__{draft.name}__ref")
    query = where.filled(negated(render(tree, project.dialect, spent=True), project.dialect))
    name = where.model(draft.name)
    comments = "".join(f"-- {line}\n" for line in head)
    return f"{comments}{_create(name, stored, project.dialect)}{query};\n"


def _is_stored(report: Report, tree: exp.Expr) -> bool:
    """Whether the report was a table, and its rows would be others in a view."""
    was_table = any(part.kind in _STORED for part in report.definition.parts)
    return was_table and any(isinstance(node, _MOVING) for node in tree.walk())


def _create(name: str, stored: bool, dialect: str) -> str:
    """What stands before the query."""
    if stored:
        made = "" if dialect == _INTO else f"CREATE TABLE {name} AS\n"
        return f"DROP TABLE IF EXISTS {name};\n{made}"
    if dialect not in _REPLACING:
        return f"DROP VIEW IF EXISTS {name};\nCREATE VIEW {name} AS\n"
    verb = "CREATE OR ALTER" if dialect in TSQL else "CREATE OR REPLACE"
    return f"{verb} VIEW {name} AS\n"


def _put_into(tree: exp.Expr, name: str) -> None:
    """In place: what the query returns becomes a table, as SQL Server has no CREATE TABLE AS."""
    query = tree
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    query.set("into", exp.Into(this=exp.to_table(name)))


def _config(project: Project) -> str:
    return (
        "# Views that all.sql makes in this order; `unwet verify OLD-SCRIPTS .` checks them.\n"
        f'name = "{project.name}"\ndialect = "{project.dialect}"\n'
    )


# --- all of them, in order -------------------------------------------------------------------


def _all(
    project: Project,
    where: Places,
    drafts: Mapping[str, Draft],
    paths: Mapping[str, str],
    texts: Mapping[str, str],
    functions: Sequence[OwnFunction],
) -> str:
    """The schemas, functions, every file after those it reads; kept scripts in their turn."""
    kept = {relation.rpartition(".")[0] for relation in _kept_makers(project)} - {""}
    places = [f"{each};" for each in schemas(functions)]
    # SQL Server wants CREATE VIEW to be the first statement of its batch
    batch = ["GO"] if project.dialect in TSQL else []
    lines = ["-- Makes every view, inputs first.", *_elsewhere(project, drafts)]
    made = [*_schemas(where, kept), *places]
    lines += [*made, *(batch if made else ()), ""]
    include, _ = _CLIENTS.get(project.dialect, ("", ""))
    order = _order(project, drafts, paths)
    for path in (*map(_place, functions), *order):
        lines += _about(project, path)
        lines.append(include.format(path) if include else f"-- {path}\n{texts[path]}")
        lines += batch
    return "\n".join([*lines, *_not_run(project, order)]) + "\n"


def _not_run(project: Project, order: Collection[str]) -> Iterator[str]:
    """The kept scripts that stand in no place, and why."""
    foreign = {m.path for m in makers(project).values() if not m.runs_in(project)}
    left = sorted(f"legacy/{path}" for path in project.originals if f"legacy/{path}" not in order)
    for why, paths in (
        ("they make nothing that a view reads", [path for path in left if path not in foreign]),
        ("they are written for another engine", [path for path in left if path in foreign]),
    ):
        if paths:
            yield from ("", f"-- Not run, as {why} (MIGRATION.md says more):")
            yield from (f"--   {path}" for path in paths)


def _about(project: Project, path: str) -> Iterator[str]:
    """What to know of a kept script: also which of the relations it reads are views now."""
    if not path.startswith("legacy/"):
        return
    yield "-- Kept as it was (MIGRATION.md says why):"
    now = {r.relation: r.name for r in project.reports.values() if r.relation}
    now = {relation: name for relation, name in now.items() if name in project.library.models}
    for read in sorted(_reads_of(project, path) & now.keys()):
        yield f"--   it reads {read}, of which the view {now[read]} has the rows"


def _schemas(where: Places, kept: set[str]) -> Iterator[str]:
    """Makes the schemas of all views, and those that kept scripts write to; not what a placeholder
    stands for, which whoever runs such a script has to say."""
    if not where.schemas:
        return
    for name in sorted({*where.layers.values(), *(each for each in kept if not named(each, "p"))}):
        schema = ".".join(identifier(part, where.dialect) for part in name.split("."))
        if where.dialect in TSQL:
            yield f"IF SCHEMA_ID('{name}') IS NULL EXEC('CREATE SCHEMA {schema}');"
        else:
            yield f"CREATE SCHEMA IF NOT EXISTS {schema};"


def _order(
    project: Project, drafts: Mapping[str, Draft], paths: Mapping[str, str]
) -> tuple[str, ...]:
    """The files to run: a kept script comes before the views that read what it makes."""
    makes = _kept_makers(project)
    reads: dict[str, set[str]] = {}
    for name, draft in drafts.items():
        below = {paths[ref] for ref in references(project.library.models[name]) if ref in paths}
        outside = {makes[each.relation] for each in draft.outside if each.relation in makes}
        reads[paths[name]] = below | outside
    for path in sorted(set(makes.values())):
        below = {makes[read] for read in _reads_of(project, path) if read in makes}
        reads[path] = below - {path}
    return in_order(reads)


def _kept_makers(project: Project) -> dict[str, str]:
    """The kept script that makes each relation that has no view, of those that can run here."""
    found = makers(project).items()
    return {relation: maker.path for relation, maker in found if maker.runs_in(project)}


def _elsewhere(project: Project, drafts: Mapping[str, Draft]) -> Iterator[str]:
    """What views read and nothing here makes, as its script is written for another engine."""
    for relation, maker in sorted(makers(project).items()):
        readers = sorted(
            name for name, draft in drafts.items()
            if relation in {each.relation for each in draft.outside}
        )  # fmt: skip
        if readers and not maker.runs_in(project):
            yield f"-- {relation} has to be there, for {', '.join(readers)}:"
            yield f"--   {maker.path}, which makes it, is written in {maker.dialect or 'SQL'}."


def _reads_of(project: Project, path: str) -> set[str]:
    """The relations that the kept reports of a script read."""
    own = [k.report.definition for k in project.kept]
    parts = [p for d in own if f"legacy/{project.below(d.path)}" == path for p in d.parts]
    return {read for part in parts if part.query is not None for read in base_reads(part.query)}
