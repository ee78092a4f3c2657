"""Run the legacy scripts as they are, on DuckDB, in one world.

Sources run in the order of what they create and read, each on its own: a failure ends its source
and nothing else. Statements write into the world only; writing to a table of the data first makes
a copy of it there. A table of the data that the pile only declares (CREATE without rows, and none
put in later) keeps the rows of the data: it is an input, and the script its DDL. So does one whose
rows are changed or deleted, as there would be none to change. Kept of bare queries: their rows, as
tables in the schema `unwet_results`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlglot import exp

from unwet.lineage.errors import EngineError, UnwetError
from unwet.lineage.parse import Script, Statement
from unwet.rewrite.prove.adapt import name_parts
from unwet.rewrite.prove.engines import DATA, DuckEngine
from unwet.rewrite.prove.lacking import as_written, lacking
from unwet.rewrite.prove.places import Places, Site, target
from unwet.rewrite.prove.schedule import Touched, in_order, into_of
from unwet.rewrite.prove.sequence import Key, sequence_of

RESULTS = "unwet_results"


@dataclass(frozen=True, slots=True)
class LegacyFailure:
    """Why a source was not run to its end; line 1-based; `detail`: the engine's own words, with
    the place that they are about."""

    path: str
    line: int
    reason: str
    detail: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a bare query: a table, the columns (0-based) that it gave no name, and its
    order."""

    place: tuple[str, ...]
    unnamed: tuple[int, ...]
    order: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class LegacyRun:
    """What running the scripts left behind.

    `answers`: (path, line) of a bare query -> its rows. `writers`: relation as (schema, table) in
    lower case -> paths that write it. `cycles`: sources that need each other, run as given.
    `empty`: tables that scripts declare and nobody fills, neither a script nor the data. `owned`:
    those that scripts create and fill, as `writers` names them: all their rows are the scripts'.
    """

    failures: tuple[LegacyFailure, ...]
    answers: Mapping[tuple[str, int], Answer]
    writers: Mapping[tuple[str, ...], tuple[str, ...]]
    cycles: tuple[tuple[str, ...], ...]
    empty: tuple[str, ...] = ()
    owned: frozenset[tuple[str, ...]] = frozenset()


def run_legacy(
    engine: DuckEngine, world: str, scripts: Sequence[Script], clock: datetime
) -> LegacyRun:
    """Execute all statements of all scripts in `world`, which must exist."""
    engine.use(world)
    return run_scripts(Places(engine, world), engine.tables(DATA), scripts, clock)


def run_scripts(
    site: Site, data: Iterable[tuple[str, str]], scripts: Sequence[Script], clock: datetime
) -> LegacyRun:
    """Execute all statements of all scripts; `data`: (schema, table) of what is given."""
    ordered, cycles = in_order(scripts)
    failures: list[LegacyFailure] = []
    answers: dict[tuple[str, int], Answer] = {}
    lost: dict[str, LegacyFailure] = {}
    touched = {id(script): Touched(script) for script in scripts}
    inputs = Inputs(data, touched.values())
    runner = _Runner(site, clock, answers, inputs)
    for script in ordered:
        if found := _run_source(runner, script, lost):
            failures += found
            lost |= {name[-1]: found[-1] for name in touched[id(script)].written}
        runner.forget_temporaries()
    writers: dict[tuple[str, ...], tuple[str, ...]] = {}
    for script in scripts:
        for name in touched[id(script)].written:
            writers[name] = (*writers.get(name, ()), script.source.path)
    return LegacyRun(tuple(failures), answers, writers, cycles, inputs.lacked(), inputs.owned)


class Inputs:
    """Tables of the data that no script fills."""

    def __init__(self, data: Iterable[tuple[str, str]], touched: Iterable[Touched]) -> None:
        ones = [*touched]
        self._changed = {name for one in ones for name in one.changed}
        self._created = {name for one in ones for name in one.created}
        self._read = {name for one in ones for name in one.read}
        written = {name for one in ones for name in one.written}
        self._made = {name[-1] for name in written}
        self._named = Counter(name[-1] for name in written | self._read)
        given = [(schema.lower(), table.lower()) for schema, table in data]
        self._given = frozenset(given)
        self._tables = Counter(table for _, table in given)
        self._filled = {self._meant(name) for one in ones for name in one.filled}
        self.owned = frozenset(self._filled & self._created)

    def _meant(self, name: tuple[str, ...]) -> tuple[str, ...]:
        """The table that a script fills under a name without its schema, or with another one."""
        known = self._created | self._given
        same = {each for each in known if each[-1] == name[-1]}
        return next(iter(same)) if name not in known and len(same) == 1 else name

    def has(self, place: tuple[str, ...]) -> bool:
        """Whether the data has it, under this or (once) another schema, and no script fills it."""
        key = tuple(part.lower() for part in place)
        if len(key) < 2 or key in self._filled:
            return False
        if key in self._changed and self._named[key[-1]] > 1:  # the rows of another one are not its
            return key in self._given
        return key in self._given or self._tables[key[-1]] == 1

    def gives(self, place: tuple[str, ...]) -> bool:
        """The same of a name as it is written, perhaps without a schema."""
        return self.has(place[-2:]) or (len(place) == 1 and self._tables[place[0].lower()] == 1)

    def makes(self, place: tuple[str, ...]) -> bool:
        """Whether a script makes a table of that name, in whatever schema."""
        return place[-1].lower() in self._made

    def lacked(self) -> tuple[str, ...]:
        """Tables that other scripts read, that are only declared, and that the data do not have;
        none where there are no data at all."""
        if not self._given:
            return ()
        left = self._created - self._filled
        return tuple(sorted(".".join(name) for name in left & self._read if not self.has(name)))


def _run_source(
    runner: _Runner, script: Script, lost: Mapping[str, LegacyFailure]
) -> list[LegacyFailure]:
    """`lost`: tables that sources should have made, and why these were not run to their end."""
    bad = [f for f in script.findings if f.code in ("PARSE", "TOKENIZE")]
    failures = [LegacyFailure(f.at.path, f.at.line, f"not parsed: {f.message}") for f in bad]
    for statement in script.statements:
        try:
            runner.run(statement)
        except UnwetError as error:
            reason = _unbound(statement, error.message) or runner.lacking(statement, error.message)
            reason = reason or _not_made(statement.tree, error.message, lost) or error.message
            detail = str(error.__cause__ or "")
            failures.append(LegacyFailure(statement.path, statement.span.line, reason, detail))
            break
    return failures


def _unbound(statement: Statement, message: str) -> str:
    """That a placeholder without a value is what the message is about; else empty."""
    told = message.lower()
    for place in statement.masked.placeholders:
        if place.token.lower() in told:
            return f"{place.text} has no value: give one with --param {place.name}=VALUE"
    return ""


def _not_made(tree: exp.Expr, message: str, lost: Mapping[str, LegacyFailure]) -> str:
    """That a script should have made what is not there, and why it did not."""
    missing = re.search(r"(?:with name )?\"?([^\s\"]+?)\"? does not exist", message)
    failure = lost.get(missing[1].rpartition(".")[2].lower()) if missing else None
    if missing is None or failure is None:
        return ""
    name, place = as_written(missing[1], tree), f"{failure.path}:{failure.line}"
    return f"{name} was not made: {place}: {failure.reason}"


# --- statements -------------------------------------------------------------------------------


# Commands that change no rows.
_HARMLESS = frozenset(
    {"SET", "USE", "PRINT", "GRANT", "REVOKE", "ANALYZE", "COMMENT", "EXPLAIN", "VACUUM", "CACHE"}
    | {"UNCACHE", "REFRESH", "OPTIMIZE", "SHOW", "DESCRIBE", "COMMIT", "BEGIN", "DECLARE"}
)
_IDLE = (exp.Set, exp.Use, exp.Grant, exp.Revoke, exp.Analyze, exp.Comment, exp.Describe,
         exp.Transaction, exp.Commit, exp.Cache, exp.Uncache, exp.Refresh, exp.Show,
         exp.Semicolon)  # fmt: skip


class _Runner:
    """Runs the statements of one source."""

    def __init__(
        self,
        places: Site,
        clock: datetime,
        answers: dict[tuple[str, int], Answer],
        inputs: Inputs,
    ) -> None:
        self._places, self._clock = places, clock
        self._answers, self._inputs = answers, inputs

    def run(self, statement: Statement) -> None:
        """Raises EngineError and RenderError."""
        tree = statement.tree
        if isinstance(tree, exp.Query) and into_of(tree) is None:
            self._answer(statement, tree)
        else:
            self._effect(tree)

    def lacking(self, statement: Statement, message: str) -> str:
        """What the data lack when a statement cannot be run for this reason; else empty."""
        return lacking(message, statement.tree, self._inputs.gives, self._inputs.makes)

    def forget_temporaries(self) -> None:
        """What #tables do at the end of their session; ##tables stay."""
        for place in self._places.temporaries():
            if not place[-1].startswith("##"):
                self._places.drop(place)

    def _effect(self, tree: exp.Expr) -> None:
        match tree:
            case exp.Select() | exp.SetOperation():
                self._select_into(tree)
            case exp.Create():
                self._create(tree)
            case exp.Insert():
                self._insert(tree)
            case exp.Update() | exp.Delete() | exp.Merge():
                self._own(tree.this)
                self._places.run(self._sql(tree))
            case exp.TruncateTable():
                for table in tree.expressions:
                    place = self._own(table)
                    self._places.run(f"DELETE FROM {self._places.full(place)}")
            case exp.Drop():
                self._drop(tree)
            case exp.Alter():
                self._own(tree.this)
                self._places.run(self._sql(tree))
                self._places.refresh()
            case exp.IfBlock() if tree.this.find(exp.ObjectId):
                self._guarded(tree)
            case exp.Command() if str(tree.this).upper() in _HARMLESS:
                pass
            case _ if not isinstance(tree, _IDLE):
                raise EngineError(f"{_word(tree)} is not run here")

    def _answer(self, statement: Statement, tree: exp.Query) -> None:
        place = (RESULTS, f"q{len(self._answers) + 1}")
        self._make("TABLE", place, self._sql(tree))
        at = (statement.path, statement.span.line)
        self._answers.setdefault(at, Answer(place, _unnamed(tree), sequence_of(tree)))

    def _select_into(self, tree: exp.Query) -> None:
        copy = tree.copy()
        into = into_of(copy)
        assert into is not None
        table = into.this
        into.pop()
        parts = name_parts(table)
        if into.args.get("temporary") and not parts[-1].startswith("#"):
            parts = ("#" + parts[-1],)
        self._make("TABLE", target(parts), self._sql(copy))

    def _create(self, tree: exp.Create) -> None:
        kind = str(tree.args.get("kind", "")).upper()
        if kind in ("SCHEMA", "DATABASE", "INDEX", "CATALOG"):
            return  # schemas come with their first table; an index changes no rows
        if kind in ("FUNCTION", "MACRO"):
            self._places.function(tree, self._clock)
            return
        if kind not in ("TABLE", "VIEW"):
            raise EngineError(f"CREATE {kind} is not run here")
        schema = tree.this
        table = schema.this if isinstance(schema, exp.Schema) else schema
        place = target(name_parts(table))
        if _creates_temporary(tree):
            place = place[-1:]
        existing = self._places.kind(place)
        declared = not isinstance(tree.expression, exp.Query) and self._inputs.has(place)
        if declared or (tree.args.get("exists") and existing):
            return
        if tree.args.get("replace") and existing:
            self._places.drop(place)
        self._fill(kind, place, tree, schema if isinstance(schema, exp.Schema) else None)

    def _fill(
        self, kind: str, place: tuple[str, ...], tree: exp.Create, schema: exp.Schema | None
    ) -> None:
        like = next(tree.find_all(exp.LikeProperty), None)
        if isinstance(tree.expression, exp.Query):
            names = [column.name for column in schema.expressions] if schema else []
            self._make(kind, place, self._sql(tree.expression), names)
        elif like is not None:
            parts = name_parts(like.this)
            known = self._places.find(parts)
            if known is None:
                raise EngineError(f"{_word(like.this)} does not exist")
            self._make(kind, place, f"SELECT * FROM {self._places.full(known)} LIMIT 0")
        elif schema is not None:
            columns = ", ".join(self._column(c) for c in schema.find_all(exp.ColumnDef))
            self._make(kind, place, "", definition=columns)
        else:
            raise EngineError(f"CREATE {kind} without columns or a query")

    def _column(self, column: exp.ColumnDef) -> str:
        """Name, type and default: keys and checks are not needed to hold rows."""
        copy = column.copy()
        kept = [
            constraint
            for constraint in copy.args.get("constraints") or ()
            if isinstance(constraint.kind, exp.DefaultColumnConstraint)
        ]
        copy.set("constraints", kept)
        return self._sql(copy)

    def _insert(self, tree: exp.Insert) -> None:
        schema = tree.this
        table = schema.this if isinstance(schema, exp.Schema) else schema
        if not isinstance(table, exp.Table):
            raise EngineError(f"INSERT into {_word(table)} is not run here")
        if self._places.find(name_parts(table)) is None:
            # nobody creates it in the pile: its columns are those of the first INSERT
            names = [column.name for column in schema.expressions] if schema is not table else []
            query = _with_ctes(tree)
            self._make("TABLE", target(name_parts(table)), self._sql(query), names)
            return
        place = self._own(table)
        copy = tree.copy()
        if copy.args.get("overwrite"):
            if copy.args.get("partition"):
                raise EngineError("INSERT OVERWRITE of a partition is not run here")
            self._places.refill(place, self._sql(copy.expression))
            return
        self._places.run(self._sql(copy))

    def _drop(self, tree: exp.Drop) -> None:
        kind = str(tree.args.get("kind", "")).upper()
        if kind in ("INDEX", "SCHEMA", "DATABASE", "PROCEDURE", "FUNCTION", "MACRO", "TRIGGER"):
            return
        # sqlglot 30.30 has all of them in `tables`, but those of a few dialects in `this`
        for table in (tree.this, *tree.expressions, *(tree.args.get("tables") or ())):
            if isinstance(table, exp.Table):
                place = self._places.exact(name_parts(table))
                # on a fresh database there may be nothing to drop yet
                if place is not None and not self._inputs.has(place):
                    self._places.drop(place)

    def _guarded(self, tree: exp.IfBlock) -> None:
        """IF OBJECT_ID('t') IS NOT NULL DROP TABLE t: drops only what is there, as always here."""
        block = tree.args.get("true")
        for inner in block.expressions if isinstance(block, exp.Block) else [block]:
            if isinstance(inner, exp.Expr):
                self._effect(inner)

    def _own(self, table: exp.Expr) -> tuple[str, ...]:
        """The place of a table about to be changed; a view onto the data becomes a copy of it."""
        if isinstance(table, exp.Schema):
            table = table.this
        place = self._places.find(name_parts(table)) if isinstance(table, exp.Table) else None
        if place is None:
            raise EngineError(f"{_word(table)} does not exist")
        self._places.own(place)
        return place

    def _make(
        self,
        kind: str,
        place: tuple[str, ...],
        query: str,
        names: Sequence[str] = (),
        definition: str = "",
    ) -> None:
        """CREATE kind place; a view onto the data of that name gives way."""
        self._places.make(kind, place, query, names, definition)

    def _sql(self, tree: exp.Expr) -> str:
        return self._places.sql(tree, self._clock)


def _creates_temporary(tree: exp.Create) -> bool:
    properties = tree.args.get("properties")
    kinds = (exp.TemporaryProperty, exp.VolatileProperty)
    return properties is not None and any(isinstance(p, kinds) for p in properties.expressions)


def _with_ctes(tree: exp.Insert) -> exp.Expr:
    """The query of an INSERT, together with the WITH that may stand before the INSERT."""
    query: exp.Expr = tree.expression.copy()
    clause = tree.args.get("with_")
    if clause is not None and query.args.get("with_") is None:
        query.set("with_", clause.copy())
    return query


def _unnamed(tree: exp.Query) -> tuple[int, ...]:
    """Positions of outputs that every engine names its own way; none when a star hides them."""
    outputs = tree.selects
    if any(output.is_star for output in outputs):
        return ()
    return tuple(
        i for i, output in enumerate(outputs) if not isinstance(output, exp.Alias | exp.Column)
    )


def _word(node: exp.Expr) -> str:
    if isinstance(node, exp.Table):
        return ".".join(name_parts(node))
    return str(node.this).upper() if isinstance(node, exp.Command) else node.key.upper()
