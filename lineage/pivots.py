"""PIVOT and UNPIVOT: one more query between a FROM item and its reader.

The value columns come from what is aggregated or melted. The column of names that UNPIVOT makes
holds names of columns: no value flows into it, but which columns are not NULL decides which names
there are (CONDITIONAL).
"""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from unwet.lineage.names import alias_columns, alias_of, folded
from unwet.lineage.scopes import Input, Output, Query, over
from unwet.lineage.stars import all_columns

# dialects in which the values of UNPIVOT stand before the names that they had (BigQuery's and
# SQL Server's references); elsewhere behind them
_VALUES_FIRST = frozenset({"bigquery", "tsql", "fabric"})


def pivoted(inner: Query, pivot: exp.Expression, base: Input) -> Input:
    """`base` seen through `pivot`; `inner` is the empty query of the pivot."""
    inner.inputs = (base,)
    made = _fill(inner, pivot, base)
    renamed = alias_columns(pivot, inner.dialect)
    if renamed and not inner.complete and len(renamed) >= len(made):
        kept = renamed[: len(renamed) - len(made)]
        rest = (Output(name, None, (base, "*"), pivot) for name in kept)
        inner.outputs = (*rest, *made)
        inner.open, inner.complete = (), True
    alias = alias_of(pivot, inner.dialect) or base.alias
    return over(pivot, alias, inner, renamed)


def _fill(inner: Query, pivot: exp.Expression, base: Input) -> list[Output]:
    """Set the outputs of the pivot's query; returns those that the pivot makes."""
    all_columns(inner, pivot)
    if isinstance(pivot.args.get("into"), exp.UnpivotColumns) or pivot.args.get("unpivot"):
        made = list(_melted(pivot, inner.dialect))
        used = _names(pivot.args.get("fields") or pivot.expressions, inner.dialect)
    elif pivot.args.get("fields"):
        made = _spread(pivot, inner.dialect)
        used = _names((*pivot.expressions, *pivot.args["fields"]), inner.dialect)
    else:
        made = list(_crossed(pivot, inner.dialect))
        used = _names((*pivot.expressions, *(pivot.args.get("using") or ())), inner.dialect)
    group = pivot.args.get("group")
    if isinstance(group, exp.Expression):
        keys = _names(group.expressions, inner.dialect)
        kept = [output for output in inner.outputs if output.name in keys]
        inner.open, inner.complete = (), True
        known = {output.name for output in kept}
        kept += [Output(n, None, (base, n), pivot) for n in sorted(keys - known)]
    else:
        kept = [output for output in inner.outputs if output.name not in used]
    inner.outputs = (*kept, *made)
    return made


def _names(parts: Sequence[exp.Expression], dialect: str) -> set[str]:
    return {folded(column.this, dialect) for p in parts for column in p.find_all(exp.Column)}


def _spread(pivot: exp.Expression, dialect: str) -> list[Output]:
    """PIVOT: every aggregate once for each value; `columns` names them value by value."""
    aggregates = [each.this if isinstance(each, exp.Alias) else each for each in pivot.expressions]
    columns = pivot.args.get("columns") or []
    return [
        Output(folded(name, dialect), aggregates[i % len(aggregates)], None, pivot)
        for i, name in enumerate(columns)
        if aggregates
    ]


def _crossed(pivot: exp.Expression, dialect: str) -> Iterator[Output]:
    """DuckDB: PIVOT t ON m IN ('a', 'b') USING sum(v) AS s names its columns a_s, b_s."""
    aggregates = pivot.args.get("using") or []
    for on in pivot.expressions:
        for value in on.expressions if isinstance(on, exp.In) else ():
            for each in aggregates:
                tail = f"_{folded(each.args['alias'], dialect)}" if each.alias else ""
                inner = each.this if isinstance(each, exp.Alias) else each
                label = folded(value.args.get("alias"), dialect) or value.name
                yield Output(label + tail, inner, None, pivot)


def _melted(pivot: exp.Expression, dialect: str) -> Iterator[Output]:
    """UNPIVOT: the column of names, and value columns; the i-th of several reads the i-th of
    each group of melted columns."""
    into = pivot.args.get("into")
    if isinstance(into, exp.UnpivotColumns):
        groups = [_group(each) for each in pivot.expressions]
        values = into.expressions
        names = [_name_column(into.this, groups, pivot, dialect)]
    else:
        fields = pivot.args.get("fields") or ()
        own = [[_group(melted) for melted in each.expressions] for each in fields]
        names = [_name_column(each.this, many, pivot, dialect)
                 for each, many in zip(fields, own, strict=True)]  # fmt: skip
        groups = [group for many in own for group in many]
        values = [
            name
            for value in pivot.expressions
            for name in (value.expressions if isinstance(value, exp.Tuple) else [value])
        ]
    made = [
        Output(folded(name, dialect), None, None, pivot,
               reads=tuple(group[i] for group in groups if i < len(group)))
        for i, name in enumerate(values)
    ]  # fmt: skip
    yield from (*made, *names) if dialect in _VALUES_FIRST else (*names, *made)


def _name_column(
    name: exp.Expression, groups: list[list[exp.Expression]], pivot: exp.Expression, dialect: str
) -> Output:
    tested = [column.copy() for group in groups for column in group]
    choice = exp.If(this=exp.Tuple(expressions=tested), true=exp.Literal.string("name"))
    return Output(folded(name, dialect), None, None, pivot, reads=(choice,))


def _group(melted: exp.Expression) -> list[exp.Expression]:
    """The columns that become one row: one, or as many as there are value columns."""
    if isinstance(melted, exp.Alias | exp.PivotAlias):
        melted = melted.this
    if isinstance(melted, exp.Tuple):
        return list(melted.expressions)
    return [melted]
