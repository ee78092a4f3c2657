"""MATCH_RECOGNIZE: row patterns are one more query between the table and its reader."""

from sqlglot import exp

from unwet.lineage.names import alias_of, folded
from unwet.lineage.scopes import Input, Output, Query, over
from unwet.lineage.stars import all_columns


def matched(inner: Query, match: exp.Expression, inputs: tuple[Input, ...]) -> Input:
    """What MATCH_RECOGNIZE makes of `inputs`; `inner` is its empty query.

    ONE ROW PER MATCH gives the partition columns and the measures, ALL ROWS all columns besides.
    """
    inner.inputs = inputs
    measures = [_measure(each, inner.dialect) for each in match.args.get("measures") or ()]
    rows = match.args.get("rows")
    if rows is not None and "ALL ROWS" in str(rows.name).upper():
        all_columns(inner, match)
        inner.outputs = (*inner.outputs, *measures)
    else:
        keys = match.args.get("partition_by") or ()
        inner.outputs = (
            *(Output(folded(each, inner.dialect), each, None, each) for each in keys),
            *measures,
        )
    return over(match, alias_of(match, inner.dialect), inner)


def _measure(measure: exp.Expression, dialect: str) -> Output:
    alias = measure.this
    value = alias.this if isinstance(alias, exp.Alias) else alias
    return Output(folded(alias, dialect), value, None, alias)
