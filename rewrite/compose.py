"""One query per report, in its author's words: the statement's own tree with its names rewired.

Temporary tables become CTEs of the reports that read them, several INSERTs one UNION ALL, and
every relation a token that the target prints in its own way: ``ref__x__ref`` for another report
of the pile, ``src__schema__table__src`` for a relation from outside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from sqlglot import exp

from unwet.lineage.resolve import Query, Resolved
from unwet.lineage.targets import into_of
from unwet.lineage.trees import copied
from unwet.rewrite.dead_code import without_dead_code
from unwet.rewrite.merges import is_default
from unwet.rewrite.naming import snake
from unwet.rewrite.opaque import is_cte
from unwet.rewrite.reads import relations
from unwet.rewrite.scalars import column_type
from unwet.rewrite.script import Definition, Report
from unwet.rewrite.script_variables import session_value, variable_read
from unwet.rewrite.typed_nothing import typed_nothing

# Where the case of a table's name matters even without quotes.
_EXACT = frozenset({"bigquery", "clickhouse", "mysql"})
_HINT = re.compile(r"\s*HINT\b", re.IGNORECASE)
_ROWS = 100  # of constants that a model may hold; more of them are a seed
_PLACEHOLDER = re.compile(r"p__(\w+?)__p(?![a-z])", re.IGNORECASE)  # is called by its name
_PLAIN = re.compile(r"[A-Za-z_]\w*")  # needs no quotes
# Words in the form of our own tokens, which would be read as such when the model is printed.
_TAKEN = re.compile(r"(ref|src|h|list|p|call|tail)__\w+?__\1|range__\d+__\d+__range", re.IGNORECASE)


class NotComposable(Exception):
    """No single query can stand for the report; the message says why."""


@dataclass(frozen=True, slots=True)
class Outside:
    """A relation the project reads but does not make: its legacy name cut in schema and table;
    ``called``: the source's name if it is not that of the whole schema."""

    relation: str
    schema: str
    table: str
    called: str = ""

    @property
    def token(self) -> str:
        """The identifier that stands for it in a tree."""
        table = _PLACEHOLDER.sub(r"\1", self.table)
        return f"src__{self.source}__{_word(table)}__src"

    @property
    def source(self) -> str:
        """What a project calls the schema."""
        return self.called or re.sub("__+", "_", _word(_PLACEHOLDER.sub(r"\1", self.schema)))

    @property
    def staging(self) -> str:
        """What a project calls a model that reads nothing else."""
        parts = (snake(_PLACEHOLDER.sub(r"\1", part)) for part in (self.schema, self.table))
        return f"stg_{'__'.join(parts)}"


@dataclass(frozen=True, slots=True)
class Draft:
    """The query of one model before it is printed; nobody changes the tree in place."""

    name: str
    tree: exp.Query
    outside: tuple[Outside, ...]
    refs: tuple[str, ...]
    comments: tuple[str, ...] = ()


def compose(report: Report, models: Mapping[str, str]) -> Draft:
    """The report's query. ``models`` maps the relations that are models of the project to their
    model names; any other relation is a source. Raises NotComposable with the reason."""
    if report.definition.problem:
        raise NotComposable(report.definition.problem)
    composer = _Composer(models)
    tree = composer.definition(report.definition)
    _drop_comments(tree, _above(report.definition))
    return Draft(
        report.name,
        tree,
        tuple(sorted(composer.outside.values(), key=lambda o: o.token)),
        tuple(sorted(composer.refs)),
        leading_comments(report.definition),
    )


def _drop_comments(tree: exp.Expr, said: tuple[str, ...]) -> None:
    """Takes off engine hints, old SQL, and what is said at the top of the model anyway."""
    for node in tree.walk():
        if node.comments:
            left = [c for c in node.comments if not _HINT.match(c) and c.strip() not in said]
            node.comments = [*without_dead_code(left)] or None


def leading_comments(definition: Definition) -> tuple[str, ...]:
    """What the author wrote above the report's first statement, without old SQL."""
    return without_dead_code(_above(definition))


def _above(definition: Definition) -> tuple[str, ...]:
    """The lines of comments above the report's first statement."""
    if not definition.parts:
        return ()
    node = definition.statements[0].statement.tree
    first = node.args.get("with_")  # what stands above its last SELECT is not above the query
    found = (first.comments if first is not None else None) or node.comments
    lines = (line.strip() for comment in found or () for line in comment.splitlines())
    return tuple(line for line in lines if line and not _HINT.match(line))


class _Composer:
    """Collects what the query of one report reads."""

    def __init__(self, models: Mapping[str, str]) -> None:
        self.models = models
        self.outside: dict[str, Outside] = {}
        self.refs: set[str] = set()
        self.names: dict[int, str] = {}  # of the CTE for each state of a temporary table

    def definition(self, definition: Definition) -> exp.Query:
        """The query of a report; the temporary tables behind it are its first CTEs."""
        temps = _temps(definition)
        names: list[str] = []
        for temp in temps:
            names.append(_numbered(_cte_name(temp.relation), names))
        self.names = {id(temp): name for temp, name in zip(temps, names, strict=True)}
        tree = self._own(definition)
        for temp, name in zip(reversed(temps), reversed(names), strict=True):
            tree = _with_first(tree, name, self._own(temp), frozenset(names))
        return tree

    def _own(self, definition: Definition) -> exp.Query:
        """The query of a report or temporary table, without those it reads."""
        if definition.problem:
            raise NotComposable(definition.problem)
        bodies = [self._part(definition, part) for part in definition.parts]
        if not bodies and definition.temp and definition.columns:
            return _empty(definition)
        if not bodies:
            raise NotComposable(f"{definition.relation} has no rows in the end")
        tree = bodies[0]
        for body in bodies[1:]:
            tree = exp.Union(this=_branch(tree), expression=_branch(body), distinct=False)
        return tree

    def _part(self, definition: Definition, part: Resolved) -> exp.Query:
        if part.query is None:
            raise NotComposable("its query could not be read")
        _check_words(part)
        if variable := variable_read(part):
            raise NotComposable(f"it reads the variable {variable} of its script")
        if said := session_value(part):
            raise NotComposable(f"it reads the variable {said} of its session")
        body = self._body(part.query, definition)
        _check_with(part)
        names = _target_names(definition, part)
        if names is not None:
            body = _renamed(body, part, names, definition)
        return body

    def _body(self, query: Query, definition: Definition) -> exp.Query:
        copy = copied(query.node)
        twins = dict(zip(map(id, query.node.walk()), copy.walk(), strict=True))
        qualifiers = frozenset(c.table.lower() for c in copy.find_all(exp.Column) if c.table)
        for column in copy.find_all(exp.Column):
            _plain_qualifier(column)
        temps = self._temps_read(definition)
        own = {d.of: d.relation for d in definition.reads if d.of}
        found = [(twins.get(id(item.node)), item) for item in relations(query)]
        _check_followed(copy, {id(twin) for twin, _ in found}, query.dialect)
        for twin, item in found:
            if isinstance(twin, exp.Table) and item.stored is not None:
                stored = own.get(item.stored, item.stored)
                self._rewire(twin, stored, qualifiers, temps, query.dialect)
        _shorten(copy, {item.stored for item in relations(query) if item.stored})
        into = into_of(copy)
        if into is not None:
            into.pop()
        if isinstance(copy, exp.Values):
            return _constant_rows(copy, definition.columns)
        if not isinstance(copy, exp.Query):
            raise NotComposable(f"a {copy.key} is no query")
        return copy

    def _temps_read(self, definition: Definition) -> dict[str, str]:
        """The CTE that stands for each temporary table a definition reads."""
        found: dict[str, str] = {}
        for read in definition.reads:
            if read.temp:
                name = self.names[id(read)]
                if found.setdefault(read.relation, name) != name:
                    raise NotComposable(f"it reads {read.relation} as it was at two times")
        return found

    def _rewire(
        self,
        table: exp.Table,
        relation: str,
        qualifiers: frozenset[str],
        temps: Mapping[str, str],
        dialect: str,
    ) -> None:
        written = table.name
        if relation in temps:
            token = temps[relation]
        else:
            token = self._token(relation, table if dialect in _EXACT else None)
        table.set("this", exp.to_identifier(token))
        table.set("db", None)
        table.set("catalog", None)
        if not table.alias and written.lower() in qualifiers:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(written.lstrip("#"))))

    def _token(self, relation: str, spelling: exp.Table | None) -> str:
        model = self.models.get(relation)
        if model is not None:
            self.refs.add(model)
            return f"ref__{model}__ref"
        schema, _, table = _spelled(relation, spelling).rpartition(".")
        outside = Outside(relation, schema or "main", table)
        known = self.outside.setdefault(outside.token, outside)
        if known.relation != relation:
            raise NotComposable(f"{relation} and {known.relation} cannot be told apart as sources")
        return outside.token


def _check_words(part: Resolved) -> None:
    """Raises where the author's own words look like tokens."""
    assert part.query is not None
    known = {place.token.lower() for place in part.statement.masked.placeholders}
    for node in part.query.node.find_all(exp.Identifier, exp.Literal, exp.Var):
        for found in _TAKEN.finditer(node.name):
            if found.group().lower() not in known:
                raise NotComposable(f"the word {found.group()} means something in a model")


def _plain_qualifier(column: exp.Column) -> None:
    """`#x.a` becomes `x.a`: the temporary table is a CTE of that name."""
    table = column.args.get("table")
    if table is not None and (table.args.get("temporary") or table.args.get("global_")):
        table.set("temporary", None)
        table.set("global_", None)


def _check_followed(tree: exp.Expr, followed: set[int], dialect: str) -> None:
    """Raises where a query reads something that nobody can rewire or that its script sets."""
    for variable in tree.find_all(exp.Parameter, exp.SessionParameter):
        raise NotComposable(f"it reads the variable {variable.sql()} of its script")
    for table in tree.find_all(exp.Table):
        named = isinstance(table.this, exp.Identifier) and not isinstance(table.parent, exp.Into)
        if named and id(table) not in followed and not is_cte(table, dialect):
            raise NotComposable(f"it reads {table.name} in a place that is not followed")


def _shorten(tree: exp.Expr, read: set[str]) -> None:
    """schema.table.column becomes table.column: the table has another name in the project."""
    for column in tree.find_all(exp.Column):
        parts = [
            column.args[k].name.lower() for k in ("catalog", "db", "table") if column.args.get(k)
        ]
        dotted = ".".join(parts)
        if len(parts) > 1 and any(r == dotted or r.endswith("." + dotted) for r in read):
            if sum(r.rpartition(".")[2] == parts[-1] for r in read) > 1:
                raise NotComposable(f"two tables called {parts[-1]}, told apart by their schema")
            column.set("db", None)
            column.set("catalog", None)
            _without_idle_quotes(column)


def _without_idle_quotes(column: exp.Column) -> None:
    """`schema.table`.column had one pair of quotes for its path: what is left of that needs none,
    but those that the printer sets for itself."""
    if column.meta.pop("quoted_column", False):
        for part in column.find_all(exp.Identifier):
            part.set("quoted", not _PLAIN.fullmatch(part.name))


def _spelled(relation: str, table: exp.Table | None) -> str:
    """The relation's name as it was written, where it is the same name."""
    if table is None:
        return relation
    written = ".".join(part.name for part in table.parts)
    return written if written.lower() == relation.lower() else relation


def _temps(definition: Definition) -> tuple[Definition, ...]:
    """The temporary tables behind a definition, each once, before those that read it."""
    found: dict[Definition, None] = {}
    for read in definition.reads:
        if read.temp and read not in found:
            found.update(dict.fromkeys(_temps(read)))
            found[read] = None
    return tuple(found)


def _with_first(tree: exp.Query, name: str, body: exp.Query, reserved: frozenset[str]) -> exp.Query:
    """``tree`` with one more CTE in front, whose own CTEs are lifted where no name is taken."""
    block = tree.args.get("with_")
    taken = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    if name in taken:
        raise NotComposable(f"a CTE is already called {name}")
    inner = body.args.get("with_")
    lifted: list[exp.Expr] = []
    if inner is not None and not inner.args.get("recursive"):
        names = {cte.alias.lower() for cte in inner.expressions}
        if not names & (taken | reserved | _table_names(tree)):
            body.set("with_", None)
            lifted = list(inner.expressions)
    alias = exp.TableAlias(this=exp.to_identifier(name))
    first = [*lifted, exp.CTE(this=body, alias=alias)]
    rest = list(block.expressions) if block is not None else []
    recursive = bool(block is not None and block.args.get("recursive"))
    tree.set("with_", exp.With(expressions=[*first, *rest], recursive=recursive))
    return tree


def _table_names(tree: exp.Expr) -> set[str]:
    return {table.name.lower() for table in tree.find_all(exp.Table) if not table.args.get("db")}


def _check_with(part: Resolved) -> None:
    """Raises NotComposable for WITH x AS (...) INSERT INTO t SELECT ..."""
    block = part.statement.tree.args.get("with_")
    if block is not None and part.query is not None and part.statement.tree is not part.query.node:
        raise NotComposable("a WITH in front of INSERT")


def _target_names(definition: Definition, part: Resolved) -> tuple[str, ...] | None:
    """The names a part's columns get from its target, where they differ from its own."""
    own = tuple(output.name for output in part.query.outputs) if part.query else ()
    names = part.target_columns or (definition.columns if part.kind == "insert" else own)
    if part.kind == "insert" and tuple(names) != definition.columns:
        raise NotComposable("INSERT into some of the columns, or in another order")
    casts = part.kind == "insert" and any(definition.types)
    return None if names == own and not casts else names


def _renamed(
    body: exp.Query, part: Resolved, names: tuple[str, ...], definition: Definition
) -> exp.Query:
    """The part's query with its target's column names, and their types where they are declared."""
    query = part.query
    if query is None or not query.complete or len(query.outputs) != len(names):
        raise NotComposable("the number of columns is not known")
    select: exp.Expr = body
    while isinstance(select, exp.SetOperation):
        select = select.this.unnest() if isinstance(select.this, exp.Subquery) else select.this
    if not isinstance(select, exp.Select) or len(select.expressions) != len(names):
        raise NotComposable("a star where column names have to be set")
    if any(definition.types) and part.kind == "insert":
        return _cast(body, select, names, definition.types)
    select.set(
        "expressions",
        [_aliased(item, name) for item, name in zip(select.expressions, names, strict=True)],
    )
    return body


def _aliased(item: exp.Expr, name: str) -> exp.Expr:
    inner = item.this if isinstance(item, exp.Alias) else item
    if isinstance(inner, exp.Column) and inner.name == name:
        return inner
    return exp.alias_(inner, name)


def _called(item: exp.Expr, name: str) -> exp.Expr:
    return item if isinstance(item, exp.Alias | exp.Column) else exp.alias_(item, name)


def _cast(
    body: exp.Query, select: exp.Select, names: tuple[str, ...], types: tuple[str, ...]
) -> exp.Query:
    """INSERT casts to the declared types: said in the select list, or around a set operation and
    what is grouped by its outputs, which are not those that are cast."""
    if body is not select or select.args.get("distinct") or _groups_by_outputs(select):
        return _cast_around(body, select, names, types)
    items = []
    for item, name, kind in zip(select.expressions, names, types, strict=True):
        inner = item.this if isinstance(item, exp.Alias) else item
        said = exp.cast(inner, column_type(kind), copy=False) if kind else inner
        items.append(exp.alias_(said, name, copy=False))
    select.set("expressions", items)
    return body


def _groups_by_outputs(select: exp.Select) -> bool:
    """GROUP BY ALL, by a number, or by a name that only an output has."""
    group = select.args.get("group")
    if group is None:
        return False
    own = {item.unalias().name.lower() for item in select.expressions
           if isinstance(item.unalias(), exp.Column)}  # fmt: skip
    named = {item.alias.lower() for item in select.expressions if isinstance(item, exp.Alias)} - own
    keys = [key.unnest() for key in group.expressions]
    by_name = (key for key in keys if isinstance(key, exp.Column) and not key.table)
    return (
        bool(group.args.get("all"))
        or any(isinstance(key, exp.Literal) for key in keys)
        or any(key.name.lower() in named for key in by_name)
    )


def _cast_around(
    body: exp.Query, select: exp.Select, names: tuple[str, ...], types: tuple[str, ...]
) -> exp.Query:
    """What becomes one row after it was put together is cast after it, too."""
    if select is body:
        items = zip(select.expressions, names, strict=True)
        select.set("expressions", [_called(item, name) for item, name in items])
    own = [item.name if isinstance(item, exp.Column) else item.alias for item in select.expressions]
    if not all(own) or len({name.lower() for name in own}) < len(own):
        raise NotComposable("INSERT of columns without a name of their own into declared types")
    if body.args.get("order") or body.args.get("limit"):
        raise NotComposable("INSERT of ordered rows into declared types")
    block = body.args.get("with_")
    body.set("with_", None)
    cast = []
    for item, name, kind in zip(own, names, types, strict=True):
        column = exp.column(item, table="filled")
        cast.append(exp.alias_(exp.cast(column, column_type(kind)) if kind else column, name))
    rows = exp.Subquery(this=body, alias=exp.TableAlias(this=exp.to_identifier("filled")))
    return exp.Select(expressions=cast, from_=exp.From(this=rows), with_=block)


def _empty(definition: Definition) -> exp.Query:
    """A table that is declared and never filled, or emptied again."""
    found = typed_nothing(definition.columns, definition.types)
    if found is None:
        types = f"{definition.relation} is empty, and the types of its columns are not known"
        raise NotComposable(types)
    return found


def _constant_rows(values: exp.Values, columns: Sequence[str]) -> exp.Query:
    """Rows of INSERT ... VALUES as a query."""
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
    if len(rows) > _ROWS:
        raise NotComposable(f"more than {_ROWS} rows of constants are data, not a query")
    if any(len(row) != len(columns) for row in rows):
        raise NotComposable("VALUES for some of the columns")
    if any(is_default(cell) for row in rows for cell in row):
        raise NotComposable("VALUES with a DEFAULT, which is no value of a query")
    if len(rows) == 1:
        items = [exp.alias_(cell, name) for cell, name in zip(rows[0], columns, strict=True)]
        return exp.Select(expressions=items)
    names = [exp.to_identifier(name) for name in columns]
    alias = exp.TableAlias(this=exp.to_identifier("given"), columns=names)
    source = exp.Values(expressions=values.expressions, alias=alias)
    named = [exp.column(name) for name in columns]
    return exp.Select(expressions=named, from_=exp.From(this=source))


def _branch(tree: exp.Query) -> exp.Query:
    """A query fit to stand in a UNION: its own WITH or ORDER BY needs parentheses."""
    plain = not (tree.args.get("with_") or tree.args.get("order") or tree.args.get("limit"))
    return tree if plain else exp.Subquery(this=tree)


def _numbered(name: str, taken: Sequence[str]) -> str:
    """The name, with a number where an earlier state of the same table has it."""
    numbers = (name if n == 1 else f"{name}_{n}" for n in count(1))
    return next(each for each in numbers if each not in taken)


def _cte_name(relation: str) -> str:
    # where several scripts have one of that name, its path stands behind it
    return _word(relation.lstrip("#@").partition("@")[0])


def _word(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").lower() or "x"
