"""All relations of a pile: given schema, DDL, and the outputs of statements in any file order.

A view is resolved when somebody first asks for its columns, so that the order of files does not
matter; views that read each other in a circle get a few more rounds.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from unwet.lineage.budget import BUDGET, Budget
from unwet.lineage.ddl import altered, declared, table_variable
from unwet.lineage.findings import Finding
from unwet.lineage.names import (
    DEEP,
    INTO_VARIABLES,
    deep_stack,
    is_token,
    relation_name,
    table_part,
)
from unwet.lineage.parse import Script, Statement
from unwet.lineage.resolve import Resolved, resolve
from unwet.lineage.schema import Schema, read_schema
from unwet.lineage.scopes import BODIES
from unwet.lineage.tables import CALLED, Catalog, Column, Table, tail
from unwet.lineage.targets import (
    function_query,
    into_of,
    is_temporary,
    made_name,
    new_name,
    renamed_by_text,
)

__all__ = ["Catalog", "Column", "Table", "build_catalog", "relation_name", "study"]

_ROUNDS = 3  # over statements that read each other in a circle


def build_catalog(
    scripts: Sequence[Script], schema: Schema | None = None, default_schema: str = ""
) -> tuple[Catalog, tuple[Finding, ...]]:
    """Everything known about the relations of the pile; findings are contradictions."""
    studied = study(scripts, schema, default_schema)
    return studied.catalog(), studied.findings


def study(
    scripts: Sequence[Script],
    schema: Schema | None = None,
    default_schema: str = "",
    budget: Budget = BUDGET,
) -> "Studied":
    """Resolve every statement of the pile against all the others."""
    dialect = next((s.dialect for script in scripts for s in script.statements), "")
    inner = [each for script in scripts for each in script.inner]
    # those in strings last: what a script makes itself is better known
    statements = [*(each for script in scripts for each in script.statements), *inner]
    studied = Studied(read_schema(schema, dialect), statements, default_schema, budget)
    studied.inner = frozenset(map(id, inner))
    studied.run()
    return studied


@dataclass(slots=True, eq=False)
class _Maker:
    """A statement that makes a relation; `table` once its columns are known."""

    name: str
    statement: Statement
    temp: bool
    relation: str
    table: Table | None = None


@dataclass(slots=True, eq=False)
class Studied:
    """A pile's relations while they are being learned, and its resolved statements.

    `resolved` is in the order of the statements.
    """

    schema: tuple[Table, ...]
    statements: Sequence[Statement]
    default_schema: str = ""
    budget: Budget = BUDGET
    inner: frozenset[int] = frozenset()  # ids of the statements that stand in strings and loops
    resolved: tuple[Resolved, ...] = ()
    findings: tuple[Finding, ...] = ()
    asked: set[str] = field(default_factory=set)  # relations whose uses decide what names mean
    _known: Catalog = field(default_factory=Catalog)
    _makers: dict[str, _Maker] = field(default_factory=dict)
    _local: dict[tuple[str, str], list[_Maker]] = field(default_factory=dict)
    _done: dict[int, Resolved] = field(default_factory=dict)
    _active: list[Statement] = field(default_factory=list)
    _circular: dict[int, Statement] = field(default_factory=dict)
    _uses: dict[str, Table] = field(default_factory=dict)
    _apart: dict[str, Table] = field(default_factory=dict)

    def run(self) -> None:
        """Resolve everything; afterwards `find` and `uses` only look up."""
        with deep_stack(DEEP + 40 * len(self.statements)):  # one may wait for all the others
            self._resolve_all()
        self.resolved = tuple(self._done[id(statement)] for statement in self.statements)
        self.findings += tuple(f for each in self.resolved for f in _unsupported(each))

    def _resolve_all(self) -> None:
        self._declare()
        for statement in self.statements:
            self._resolve(statement)
        made = self._made()
        for _ in range(_ROUNDS):
            again, self._circular = self._circular, {}
            for key in again:
                self._done.pop(key, None)
            for statement in again.values():
                self._resolve(statement)
            before, made = made, self._made()
            if made == before:
                return  # another round would say the same

    def _made(self) -> list[Table | None]:
        """What is known of all that the pile makes."""
        local = (maker for makers in self._local.values() for maker in makers)
        return [maker.table for maker in (*self._makers.values(), *local)]

    def catalog(self) -> Catalog:
        """What is known now, as a value."""
        declared_ = {n: t for n, t in self._known.tables.items() if t.origin != "made"}
        tables = self._apart | self._uses | declared_
        for name, maker in self._makers.items():
            table = _elsewhere(maker, maker.table)
            if table is not None and (name not in tables or not tables[name].closed):
                tables[name] = table
        temps = {
            key: tuple((m.statement.index, m.table) for m in makers if m.table is not None)
            for key, makers in self._local.items()
        }
        return Catalog(tables, self.default_schema, temps, self._known.spellings)

    def learn(self, uses: Iterable[tuple[str, Column]]) -> None:
        """Take columns that relations without a declaration were seen with as theirs."""
        columns: dict[str, dict[str, Column]] = {}
        for relation, column in uses:
            columns.setdefault(relation, {}).setdefault(column.name, column)
        self._uses = {
            relation: Table(relation, tuple(found[name] for name in sorted(found)), False, "use")
            for relation, found in columns.items()
        }

    # --- what resolution asks

    def find(self, name: str, path: str = "", before: int = -1) -> tuple[str, Table | None]:
        """The relation a name means in statement `before` of `path`, and what is known of it."""
        maker, relation, table = self._maker(name, path, before)
        if maker is None:
            return relation, table
        made = self._table(maker)
        return relation, made if maker.statement.path == path else _elsewhere(maker, made)

    def relation(self, name: str, path: str = "", before: int = -1) -> str:
        """The relation that `find` finds; nothing is resolved for it."""
        return self._maker(name, path, before)[1]

    def _maker(self, name: str, path: str, before: int) -> tuple[_Maker | None, str, Table | None]:
        """The statement that makes what a name means, if any; the relation; what is declared."""
        for maker in reversed(self._local.get((path, name), ())):
            if before < 0 or maker.statement.index < before:
                return maker, maker.relation, None
        relation, table = self._known.find(name)
        source = self._makers.get(table.name if table is not None else relation)
        if source is None or (table is not None and table.origin in ("ddl", "schema")):
            return None, relation, table
        return source, source.relation, None

    def uses(self, relation: str, decides: bool = True) -> Table | None:
        """Columns that an undeclared relation was seen with."""
        if decides:
            self.asked.add(relation)
        return self._uses.get(relation)

    @property
    def made(self) -> frozenset[str]:
        """The names of the relations that the statements make, temporary ones included."""
        local = (maker.name for makers in self._local.values() for maker in makers)
        return frozenset(maker.name for maker in self._makers.values()) | frozenset(local)

    # --- learning

    def _table(self, maker: _Maker) -> Table | None:
        if maker.table is None or id(maker.statement) in self._circular:
            if any(active is maker.statement for active in self._active):
                for statement in self._active:
                    self._circular[id(statement)] = statement
                return maker.table
            self._resolve(maker.statement)
        return maker.table

    def _resolve(self, statement: Statement) -> Resolved:
        done = self._done.get(id(statement))
        if done is None:
            self._active.append(statement)
            done = self._done[id(statement)] = resolve(statement, self, self.budget)
            self._active.pop()
            self._publish(done)
        return done

    def _publish(self, resolved: Resolved) -> None:
        """Outputs of a statement become the columns of what it makes."""
        header = _header(resolved.statement)
        made = next((each for each in resolved.all() if each.query is not None), None)
        if header is None or made is None or made.query is None:
            return
        names = [output.name for output in made.query.outputs]
        given = made.target_columns or ()
        columns = tuple(Column(name) for name in (*given, *names[len(given) :]))
        closed = made.query.complete
        for maker in self._makers_of(header[0], resolved.statement):
            maker.table = Table(
                maker.relation, columns, closed, "statement", (), resolved.statement.span
            )

    def _makers_of(self, name: str, statement: Statement) -> list[_Maker]:
        local = self._local.get((statement.path, name), [])
        known = self._makers.get(self._known.qualified(name))
        makers = [*local, *([known] if known is not None else [])]
        return [maker for maker in makers if maker.statement is statement]

    def _declare(self) -> None:
        """Collect names first: what the pile makes, declares, and is given."""
        headers = [(s, *h) for s in self.statements if (h := _header(s)) is not None]
        tables, found = self._declared_tables(headers)
        self.findings = tuple(found)
        names = {*tables, *(self._qualified(name) for _, name, temp in headers if not temp)}
        self._apart = _apart(names, self.statements)
        self._known = _catalog_of(self._apart | tables, names, self.default_schema)
        self._collect_makers(headers)

    def _qualified(self, name: str) -> str:
        return Catalog(default_schema=self.default_schema).qualified(name)

    def _declared_tables(
        self, headers: list[tuple[Statement, str, bool]]
    ) -> tuple[dict[str, Table], list[Finding]]:
        tables = {table.name: table for table in self.schema}
        found: list[Finding] = []
        for statement, name, temp in headers:
            table = declared(statement) if not temp else None
            if table is None:
                continue
            name = self._qualified(name)
            table = replace(table, name=name)
            if (given := tables.get(name)) is not None:
                found.extend(_contradiction(given, table))
            tables.setdefault(name, table)
        for statement in self.statements:
            tree = statement.tree
            if isinstance(tree, exp.Alter) and isinstance(tree.this, exp.Table):
                name = self._qualified(relation_name(tree.this, statement.dialect))
                if name in tables and tables[name].origin == "ddl":
                    tables[name] = altered(tables[name], tree, statement.dialect)
        return tables, found

    def _collect_makers(self, headers: list[tuple[Statement, str, bool]]) -> None:
        paths: dict[str, set[str]] = {}
        times: dict[str, int] = {}
        for statement, name, _ in headers:
            paths.setdefault(name, set()).add(statement.path)
            times[name] = times.get(name, 0) + 1
        for statement, name, temp in headers:
            known = self._known.qualified(name)
            relation = known.removesuffix(CALLED)
            if temp:
                relation = f"{name}@{statement.path}" if len(paths[name]) > 1 else name
            filled = isinstance(statement.tree.args.get("expression"), BODIES)
            table = declared(statement) if not filled else None  # a query may give more columns
            if table is not None:
                table = replace(table, name=relation)
            maker = _Maker(name, statement, temp, relation, table)
            if temp or times[name] > 1:
                self._local.setdefault((statement.path, name), []).append(maker)
            shared = len(paths[name]) == 1 and id(statement) not in self.inner
            if not temp or shared:  # scripts of one session may share it
                self._makers.setdefault(known, maker)


def _elsewhere(maker: _Maker, table: Table | None) -> Table | None:
    """What a temporary table tells about its name in other scripts: there may be another relation
    of just that name, unless the name says that it is temporary."""
    if table is None or not maker.temp or maker.name[:1] in ("#", "@"):
        return table
    return replace(table, closed=False)


def _unsupported(resolved: Resolved) -> list[Finding]:
    """Statements that move data in a way that is not traced: said, not passed over."""
    moving = isinstance(resolved.statement.tree, _MOVING)
    if not moving or any(each.query is not None for each in resolved.more):
        return []
    what = " ".join(resolved.statement.text.split()[:3]).upper()
    return [Finding("UNSUPPORTED", f"lineage of {what} ... is not traced", resolved.statement.span)]


_MOVING = (exp.MultitableInserts, exp.Copy, exp.LoadData, exp.Export)


def _header(statement: Statement) -> tuple[str, bool] | None:
    """Name of the relation a statement makes, and whether it is temporary."""
    tree, dialect = statement.tree, statement.dialect
    if isinstance(tree, exp.Create):
        if isinstance(tree.this, exp.UserDefinedFunction):
            return _function_header(tree, dialect)
        if str(tree.args.get("kind") or "").upper() not in ("TABLE", "VIEW"):
            return None
        target = table_part(tree.this)
        temp = is_temporary(tree)
    elif isinstance(tree, exp.Declare):
        name = table_variable(tree)
        return (name, True) if name else None
    elif isinstance(tree, exp.Select | exp.SetOperation) and (into := into_of(tree)) is not None:
        if dialect in INTO_VARIABLES:
            return None
        target, temp = into.this, bool(into.args.get("temporary"))
    elif isinstance(tree, exp.Alter) and (renamed := _new_name(tree, dialect)) is not None:
        target, temp = renamed, False
    elif isinstance(tree, exp.Cache):
        target, temp = tree.this, True
    elif isinstance(tree, exp.Command | exp.Execute):
        moved = renamed_by_text(tree, dialect)
        if len(moved) != 1 or moved[0][2]:
            return None
        target, temp = moved[0][1], False
    else:
        return None
    name = made_name(tree, target, dialect)
    return (name, temp or name.startswith("#")) if name else None


def _function_header(tree: exp.Create, dialect: str) -> tuple[str, bool] | None:
    """A function that is one query."""
    name = relation_name(tree.this.this, dialect) if function_query(tree) is not None else ""
    return (name + CALLED, False) if name else None


def _new_name(tree: exp.Alter, dialect: str) -> exp.Table | None:
    """The table that ALTER ... RENAME TO makes."""
    for action in tree.args.get("actions") or ():
        tables = isinstance(tree.this, exp.Table) and isinstance(action.this, exp.Table)
        if isinstance(action, exp.AlterRename) and tables:
            return new_name(tree.this, action.this, dialect)
    return None


def _catalog_of(tables: dict[str, Table], names: set[str], default_schema: str) -> Catalog:
    """A catalog in which a short name stands for the only longer one that the pile has, unless
    the pile has a relation of just that name as well."""
    longer: dict[str, set[str]] = {}
    for name in names:
        parts = name.split(".")
        for i in range(1, len(parts)):
            longer.setdefault(".".join(parts[i:]), set()).add(name)
    spellings = {
        short: next(iter(full))
        for short, full in longer.items()
        if len(full) == 1 and short not in names
    }
    placeholders = {name: Table(name, (), False, "made") for name in names if name not in tables}
    return Catalog({**placeholders, **tables}, default_schema, {}, spellings)


_DOTTED = re.compile(r"\.\s*[`\"\[]?([#@]*\w+)")


def _apart(names: set[str], statements: Sequence[Statement]) -> dict[str, Table]:
    """Relations that no known name stands for, though it ends theirs: a.t and b.t are two, so t
    cannot be both."""
    bare = {name for name in names if "." not in name and not name.endswith(CALLED)}
    read: dict[str, set[str]] = {}
    plain = {name.lower() for name in bare if re.fullmatch(r"[#@]*\w+", name)}
    odd = len(plain) < len(bare)
    for statement in statements if bare else ():
        if not odd and plain.isdisjoint(_DOTTED.findall(statement.text.lower())):
            continue  # most statements; walking every tree takes long
        for table in statement.tree.find_all(exp.Table):
            if table.args.get("db") is not None:
                name = relation_name(table, statement.dialect)
                read.setdefault(tail(name), set()).add(name)
    found: set[str] = set()
    for short in bare & read.keys():
        full = {n for n in read[short] if not is_token(n.partition(".")[0])}
        longest = [n for n in full if not any(other.endswith("." + n) for other in full)]
        found |= full if len(longest) > 1 else set()
    return {name: Table(name, (), False, "made") for name in sorted(found - names)}


def _contradiction(given: Table, declared_: Table) -> list[Finding]:
    """A declaration that lists other columns than what was given or declared before."""
    missing = [c for c in declared_.names if c not in given.index]
    extra = [c for c in given.names if c not in declared_.index]
    if (not missing and not extra) or declared_.at is None:
        return []
    place = f" at {given.at}" if given.at is not None else ""
    source = ("the given schema" if given.origin == "schema" else "its declaration") + place
    said = [f"lacks {', '.join(missing)}"] if missing else []
    said += [f"has {', '.join(extra)} besides"] if extra else []
    text = f"{declared_.name} is declared differently: {source} {' and '.join(said)}"
    also = (given.at,) if given.at is not None else ()
    return [Finding("SCHEMA", text, declared_.at, "the earlier one is used", also)]
