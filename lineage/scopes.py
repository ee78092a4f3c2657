"""The values of name resolution: queries, what they read, what they give, what a name means.

A `Query` is built once by `resolve` and not changed afterwards (it is not frozen only because a
recursive CTE reads itself). A CTE that is read twice is one and the same `Query`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from sqlglot import exp

from unwet.lineage.budget import Budget
from unwet.lineage.findings import Span
from unwet.lineage.tables import Table

Certainty = Literal["certain", "inferred", "ambiguous", "unknown"]
Named = exp.Column | exp.Parameter  # a column by its name, or by its position ($1)
QueryKind = Literal["select", "setop", "values", "other"]
BODIES = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)  # nodes that are queries
_STORED = (exp.Identifier, exp.Dot, exp.Parameter)
NO_INDEX: Mapping[str, int] = {}


def index_of(columns: tuple[str, ...]) -> dict[str, int]:
    """Position by name; the first of equal ones."""
    index: dict[str, int] = {}
    for i, column in enumerate(columns):
        index.setdefault(column, i)
    return index


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """One item of FROM.

    Exactly one of these holds: `relation` names a base table; `query` is a CTE or derived table;
    neither, for UNNEST, LATERAL functions and VALUES. `columns` is None while unknown (open);
    `index` maps the known names to positions, also those of an open query. `group` is the
    parenthesised join that the item stands in, None at the top level.
    """

    alias: str
    node: exp.Expression
    relation: str | None
    query: Query | None
    columns: tuple[str, ...] | None
    join: exp.Join | None = None
    table: Table | None = None
    index: Mapping[str, int] = field(default_factory=dict)
    group: exp.Expression | None = None
    named: bool = False  # has an alias of its own: the table's name is hidden

    @property
    def stored(self) -> str | None:
        """The relation when the database has it under that name; not a file or a function."""
        name = self.node.args.get("this") if isinstance(self.node, exp.Table) else None
        return self.relation if isinstance(name, _STORED) else None

    def output(self, name: str) -> Output | None:
        """The query output behind a column name, when this input is a query that has it."""
        at = self.index.get(name)
        return self.query.outputs[at] if self.query is not None and at is not None else None


class Output(NamedTuple):
    """One column a query gives: an expression (without its alias), or a column behind a star.

    `also`: further columns merged into a starred one by a FULL JOIN ... USING; `reads`: further
    expressions the value comes from (VALUES rows, UNPIVOT columns). (A tuple, as `Ref`, because
    there is one for each column of each query; compared by identity all the same.)
    """

    name: str
    expression: exp.Expression | None
    star: tuple[Input, str] | None
    node: exp.Expression
    also: tuple[tuple[Input, str], ...] = ()
    reads: tuple[exp.Expression, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Open:
    """A star over an input whose columns are not all known; `hidden`: names it leaves out;
    `renamed`: new names of columns, and their old ones."""

    input: Input
    hidden: frozenset[str]
    node: exp.Expression
    renamed: Mapping[str, str] = field(default_factory=dict)


class Binder(Protocol):
    """What `resolve` lends a query so that it can answer questions about its inside.

    `variables`: names of the script or of the routine around it, which are no columns. `budget`:
    how wide a query may become.
    """

    @property
    def variables(self) -> frozenset[str]: ...
    @property
    def budget(self) -> Budget: ...

    def nested(self, query: Query, node: exp.Expression) -> Query: ...
    def find(self, query: Query, column: Named, clause: str) -> Ref: ...
    def uses(self, relation: str, decides: bool = True) -> Table | None: ...
    def row(self, name: str) -> Table | None: ...


@dataclass(slots=True, eq=False)
class Query:
    """A SELECT, set operation, VALUES or anything else with inputs and outputs.

    `complete` is False when a star over unknown columns is missing from `outputs`; `open` has it.
    `merged`: names that USING or NATURAL made one column, with the inputs that hold it.
    `scalars`: expressions that WITH names (ClickHouse). `cut`: a star stands for more columns than
    `outputs` may list.
    """

    node: exp.Expression
    kind: QueryKind
    dialect: str
    binder: Binder
    parent: Query | None = None
    ctes: Mapping[str, Query] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    branches: tuple[Query, ...] = ()
    outputs: tuple[Output, ...] = ()
    complete: bool = True
    recursive: bool = False
    open: tuple[Open, ...] = ()
    merged: dict[str, tuple[Input, ...]] = field(default_factory=dict)
    children: dict[int, Query] = field(default_factory=dict)
    aliases: dict[str, Output] | None = None
    firsts: dict[str, int] | None = None  # by names of columns: the first item that reads them
    scalars: Mapping[str, Output] = field(default_factory=dict)
    cut: bool = False
    subqueries: tuple[Query, ...] | None = None  # in its own expressions, once somebody has asked

    def nested(self, node: exp.Expression) -> Query:
        """The query inside an expression of this one (EXISTS, IN, scalar); the same each time."""
        return self.binder.nested(self, node)

    def find(self, column: Named, clause: str = "select") -> Ref:
        """What a column of this query's own clauses means; never raises.

        `clause`: select, from (arguments of FROM items), on, where, group, having, order, qualify.
        """
        return self.binder.find(self, column, clause)


class Ref(NamedTuple):
    """What a name means.

    `level`: 0 for the query's own inputs, 1 for its parent's, and so on. `alias`: an item of the
    select list; `candidates` are then the inputs with unknown columns, which nobody has taken for
    it. `merged`: both sides of a FULL JOIN ... USING column. `path`: struct fields below
    the column. `column` is "*" when the name stands for whole rows. An input with certainty
    "unknown" is a relation whose complete column list lacks the name.
    """

    input: Input | None
    column: str
    level: int
    certainty: Certainty
    candidates: tuple[Input, ...] = ()
    alias: Output | None = None
    merged: tuple[Ref, ...] = ()
    evidence: Span | None = None
    path: tuple[str, ...] = ()


def renamed_columns(columns: tuple[str, ...], names: Sequence[str]) -> tuple[str, ...]:
    """Columns under the names of an alias's list, which may be shorter."""
    return (*names, *columns[len(names) :]) if names else columns


def over(
    item: exp.Expression, alias: str, inner: Query, names: Sequence[str] = (), named: bool = True
) -> Input:
    """A query as an item of FROM, its columns renamed as far as the list goes."""
    columns = renamed_columns(tuple(output.name for output in inner.outputs), names)
    known = columns if inner.complete else None
    return Input(alias, item, None, inner, known, None, None, index_of(columns), None, named)
