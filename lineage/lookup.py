"""What a column name means inside a query: its inputs, its aliases, then enclosing queries."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from sqlglot import exp

from unwet.lineage import names
from unwet.lineage.findings import Span
from unwet.lineage.scopes import Certainty, Input, Named, Output, Query, Ref


def find(query: Query, column: Named, clause: str) -> Ref:
    """The meaning of `column` in `clause` of `query`; a certainty says how sure that is.

    A Parameter is Snowflake's `$1`: a column by its position.
    """
    dialect = query.dialect
    inner = column.args.get("this")
    if not isinstance(inner, exp.Identifier) and (position := names.position(column)):
        return _positioned(query, names.qualifiers(column, dialect), position)
    name = "*" if isinstance(inner, exp.Star) else names.folded(inner, dialect)
    qualifiers = names.qualifiers(column, dialect)
    if clause == "from":
        return _in_from(query, column, qualifiers, name)
    if qualifiers:
        return _qualified(query, qualifiers, name)
    if names.is_token(name):
        return Ref(None, name, 0, "certain")
    if query.kind == "setop":
        return _of_set_operation(query, name)
    return _unqualified(query, column, name, clause)


def _in_from(query: Query, column: Named, qualifiers: list[str], name: str) -> Ref:
    """An argument of UNNEST, LATERAL or a table function: it sees only what stands before it."""
    around = set()
    node: exp.Expr | None = column
    while node is not None and node is not query.node:
        around.add(id(node))
        node = node.parent
    before = tuple(takewhile(lambda each: id(each.node) not in around, query.inputs))
    left = replace(query, inputs=before, merged={})
    if qualifiers:
        return _qualified(left, qualifiers, name)
    if names.is_token(name):
        return Ref(None, name, 0, "certain")
    return _in_inputs(left, name) or Ref(None, name, 0, "unknown")


def _positioned(query: Query, qualifiers: list[str], position: int) -> Ref:
    """`$2` and `t.$2`: the second column of the only input, or of t."""
    fitting = [e for e in query.inputs if not qualifiers or e.alias == qualifiers[-1]]
    if len(fitting) != 1:
        return Ref(None, f"${position}", 0, "unknown")
    columns = fitting[0].columns
    if not columns or position > len(columns):
        return Ref(fitting[0], f"${position}", 0, "certain")
    name = columns[position - 1]
    if fitting[0].index[name] != position - 1:  # an earlier column has the same name
        return Ref(None, f"${position}", 0, "unknown")
    return Ref(fitting[0], name, 0, "certain")


def _of_set_operation(query: Query, name: str) -> Ref:
    for output in query.outputs:
        if output.name == name:
            return Ref(None, name, 0, "certain", alias=output)
    return Ref(None, name, 0, "unknown")


# --- qualified: alias.column, schema.table.column, alias.struct.field, struct.field


def _qualified(query: Query, qualifiers: list[str], name: str) -> Ref:
    level, scope = 0, query
    while True:
        for each in scope.inputs:
            ref = _through(each, qualifiers, name, level)
            if ref is not None:
                return ref
        if scope.parent is None:
            break
        level, scope = level + 1, scope.parent
    if isinstance(query.node, exp.MatchRecognize):  # a row of the pattern: last(a.price)
        return _in_inputs(query, name) or Ref(None, name, 0, "unknown")
    ref = _field(query, qualifiers, name)
    ref = ref or _behind_alias(query, qualifiers, name) or _of_loop(query, qualifiers, name)
    if ref is None and name in names.PSEUDO_COLUMNS.get(query.dialect, ()):
        return Ref(None, name, 0, "certain")  # a sequence: seq.nextval
    return ref or Ref(None, name, 0, "unknown")


def _of_loop(query: Query, qualifiers: list[str], name: str) -> Ref | None:
    """`r.a` inside FOR r IN (query) LOOP."""
    if len(qualifiers) != 1:
        return None
    row = query.binder.row(qualifiers[0])
    if row is None or name not in row.index:
        return None
    item = Input(row.name, query.node, row.name, None, row.names, None, row, row.index)
    return Ref(item, name, 0, "certain")


def _behind_alias(query: Query, qualifiers: list[str], name: str) -> Ref | None:
    """`t.a` although t has an alias: no engine takes it, but only t can be meant."""
    dotted = ".".join(qualifiers)
    for each in query.inputs:
        if each.relation and (each.relation == dotted or each.relation.endswith("." + dotted)):
            return _member(each, name, (), 0)._replace(certainty="inferred")
    return None


def _through(each: Input, qualifiers: list[str], name: str, level: int) -> Ref | None:
    """The column when the qualifiers, or the first of them, name this input."""
    first, *path = qualifiers
    if each.alias == first:
        head, *rest = (*path, name)
        return _member(each, head, tuple(rest), level)
    if path and not each.named and each.relation is not None:
        dotted = ".".join(qualifiers)
        if each.relation == dotted or each.relation.endswith("." + dotted):
            return _member(each, name, (), level)
        if each.alias == qualifiers[-1] and dotted.endswith("." + each.relation):
            return _member(each, name, (), level)
    return None


def _member(each: Input, name: str, path: tuple[str, ...], level: int) -> Ref:
    known = name in each.index or name == "*" or each.columns is None
    known = known and not (_is_element(each) and name != "*")
    if not known and isinstance(each.node, exp.Unnest) and each.alias in each.index:
        # UNNEST(...) AS item: item.sku is a field of the element, item.sku.size a field of that
        return Ref(each, each.alias, level, "certain", path=(name, *path))
    return Ref(each, name, level, "certain" if known else "unknown", path=path)


def _is_element(each: Input) -> bool:
    """Whether an alias is the element itself, as in BigQuery, and no table with a column for it:
    `item.item` is a field of it, and so is what is called like its offset."""
    alias = each.node.args.get("alias") if isinstance(each.node, exp.Unnest) else None
    return isinstance(alias, exp.TableAlias) and not alias.this and each.alias in each.index


def _field(query: Query, qualifiers: list[str], name: str) -> Ref | None:
    if query.dialect not in names.STRUCTS:
        return None
    head, *path = (*qualifiers, name)
    ref = _in_inputs(query, head)
    if ref is None or ref.column == "*":
        return None
    return Ref(
        ref.input,
        head,
        ref.level,
        ref.certainty,
        ref.candidates,
        path=tuple(path),
        evidence=ref.evidence,
    )


# --- unqualified


def _unqualified(query: Query, column: Named, name: str, clause: str) -> Ref:
    level, outer = 0, query
    while True:
        if name in outer.scalars:
            return Ref(None, name, level, "certain", alias=outer.scalars[name])
        if outer.parent is None:
            break
        level, outer = level + 1, outer.parent
    alias = _alias(query, column, name, clause) if query.kind == "select" else None
    if alias is not None and names.alias_wins(query.dialect, clause):
        return _named(alias, name)
    ref = _in_inputs(query, name, clause)
    if alias is not None and _hides(query, alias, ref, clause):
        return _named(alias, name, _instead(ref))
    if clause == "group" and _may_be_item(column, ref):
        ref = _implicit(query, name) or ref
    if ref is None or ref.certainty != "certain":
        pseudo = names.PSEUDO_COLUMNS.get(query.dialect, ())
        if name in query.binder.variables or name in pseudo:
            return Ref(None, name, 0, "certain")
    return ref or Ref(None, name, 0, "unknown")


def _may_be_item(column: Named, ref: Ref | None) -> bool:
    """Whether no table of those that are known has a column that is the whole key."""
    if ref is not None and ref.certainty == "ambiguous":
        return True
    sure = ref is not None and (ref.certainty == "certain" or ref.merged)
    return isinstance(column.parent, exp.Group) and not sure


def _implicit(query: Query, name: str) -> Ref | None:
    """The item `t.a` as `a`: BigQuery gives a path the alias that is its last word, which GROUP BY
    may say even where several tables have such a column (its manual, "Implicit aliases"). Were
    another column meant, `t.a` would be neither grouped nor aggregated, which is an error."""
    output = _aliases(query).get(name) if query.dialect == "bigquery" else None
    if output is None or output.star is not None or not isinstance(output.node, exp.Column):
        return None
    return _named(output, name)


def _hides(query: Query, alias: Output, ref: Ref | None, clause: str) -> bool:
    """Whether an alias is meant although a column may be; where the dialect is not known, an
    alias of the select list only if nothing else can be."""
    if ref is None:
        return True
    if query.dialect == "" and clause == "select":
        return False
    if clause == "group" and ref.input is not None and ref.level == 0 and _is_read(query, alias):
        return False
    return ref.level > 0 or (ref.certainty != "certain" and not _is_seen(query, ref))


def _is_seen(query: Query, ref: Ref) -> bool:
    """Whether other queries read a column of that name from the only table that may have it."""
    table = query.binder.uses(ref.input.relation or "") if ref.input is not None else None
    return table is not None and ref.column in table.index


def _is_read(query: Query, alias: Output) -> bool:
    """Whether an item up to the one with the alias reads a column of its name: there is one."""
    if query.firsts is None:
        query.firsts = _firsts(query)
    first = query.firsts.get(alias.name)
    if first is None:
        return False
    return not any(item is alias.node for item in query.node.expressions[:first])


def _firsts(query: Query) -> dict[str, int]:
    """The first item that reads a column without a qualifier, by the names of these."""
    firsts: dict[str, int] = {}
    for at, item in enumerate(query.node.expressions):
        for column in item.find_all(exp.Column) if isinstance(item, exp.Expr) else ():
            if not column.table:
                firsts.setdefault(names.folded(column.this, query.dialect), at)
    return firsts


def _instead(ref: Ref | None) -> tuple[Input, ...]:
    """The relations of which nobody knows whether they have that column, which then is meant."""
    if ref is None or ref.level > 0:
        return ()
    return ref.candidates or ((ref.input,) if ref.input is not None else ())


def _named(alias: Output, name: str, instead: tuple[Input, ...] = ()) -> Ref:
    return Ref(None, name, 0, "certain", instead, alias)


def _in_inputs(query: Query, name: str, clause: str = "select") -> Ref | None:
    """Innermost query that knows the name; else the innermost that could have it."""
    maybe: tuple[int, list[Input]] | None = None
    level, scope = 0, query
    while True:
        visible = _visible(scope, clause)
        ref = _known(scope, visible, name, level)
        if ref is not None:
            return ref
        if maybe is None:
            unknown = [each for each in visible if each.columns is None]
            maybe = (level, unknown) if unknown else None
        if scope.parent is None:
            break
        level, scope = level + 1, scope.parent
    return _guess(query, name, *maybe) if maybe else None


def _known(scope: Query, visible: Sequence[Input], name: str, level: int) -> Ref | None:
    merged = scope.merged.get(name)
    if merged:
        return _merged(merged, name, level)
    having = [each for each in visible if name in each.index]
    if not having and name != name.lower():  # quoted, but given in a schema without its case
        cased = [e for e in visible if _given(e, name.lower())]
        if len(cased) == 1:
            return Ref(cased[0], name.lower(), level, "inferred")
    if len(having) > 1 and scope.dialect == "clickhouse":  # ARRAY JOIN arr hides the array
        having = [e for e in having if isinstance(e.node, exp.Column | exp.Alias)] or having
    if len(having) == 1:
        return Ref(having[0], name, level, "certain")
    if having:
        return Ref(None, name, level, "ambiguous", tuple(having))
    if scope.dialect in names.ROWS:
        for each in scope.inputs:
            if each.alias == name:
                return Ref(each, "*", level, "certain")
    return None


def _given(each: Input, name: str) -> bool:
    """Whether a column is known from a given schema, which rarely says how names are quoted."""
    return name in each.index and each.table is not None and each.table.origin == "schema"


def _visible(scope: Query, clause: str) -> Sequence[Input]:
    """Inputs whose columns a clause sees: those of a semi or anti join only inside ON."""
    if clause == "on":
        return scope.inputs
    return [each for each in scope.inputs if each.join is None or not is_semi(each.join)]


def is_semi(join: exp.Join) -> bool:
    """Whether the join only filters its left side."""
    kind = join.args.get("kind")
    return bool(kind) and str(kind).upper() in ("SEMI", "ANTI")


def _merged(inputs: tuple[Input, ...], name: str, level: int) -> Ref:
    """A USING column: the left one, the right one of a RIGHT JOIN, both of a FULL JOIN."""
    refs = [Ref(each, name, level, _sure(each, name)) for each in inputs]
    sides = [each.join.side if each.join is not None else "" for each in inputs]
    if "FULL" in sides:
        return Ref(inputs[0], name, level, refs[0].certainty, merged=tuple(refs))
    return refs[sides.index("RIGHT")] if "RIGHT" in sides else refs[0]


def _sure(each: Input, name: str) -> Certainty:
    return "certain" if name in each.index or each.columns is None else "unknown"


def _guess(query: Query, name: str, level: int, inputs: list[Input]) -> Ref:
    """A name nobody declares: the only input that could have it, or the one seen to have it."""
    seen: list[tuple[Input, Span | None]] = []
    for each in inputs:
        table = query.binder.uses(each.relation, len(inputs) > 1) if each.relation else None
        if table is not None and name in table.index:
            seen.append((each, table.columns[table.index[name]].seen))
    if len(inputs) == 1:
        return Ref(inputs[0], name, level, "inferred", evidence=seen[0][1] if seen else None)
    if len(seen) == 1:
        return Ref(seen[0][0], name, level, "inferred", tuple(inputs), evidence=seen[0][1])
    candidates = [each for each, _ in seen] or inputs
    return Ref(None, name, level, "ambiguous", tuple(candidates))


# --- select-list aliases


def _alias(query: Query, column: Named, name: str, clause: str) -> Output | None:
    if not names.sees_aliases(query.dialect, clause):
        return None
    output = _aliases(query).get(name)
    if output is None or output.star is not None:
        return output if clause == "order" else None
    if clause == "select":
        return output if _before(query, output, column) else None
    if clause != "order" and not isinstance(output.node, exp.Alias):
        return None
    return None if _aggregated(query, column) else output


def _aliases(query: Query) -> dict[str, Output]:
    if query.aliases is None:
        query.aliases = {output.name: output for output in reversed(query.outputs)}
    return query.aliases


def _before(query: Query, output: Output, column: Named) -> bool:
    """Whether `output` is an alias to the left of the select item that holds `column`.

    An alias that hides the very column it is made of (`upper(x) AS x, x || 'a'`) does not count.
    """
    item: exp.Expr | None = column
    while item is not None and item.parent is not query.node:
        item = item.parent
    if item is None or item.arg_key != "expressions" or not isinstance(output.node, exp.Alias):
        return False
    here, there = item.index, output.node.index
    if here is None or there is None or there >= here:
        return False
    name = output.name
    return not any(
        not used.table and names.folded(used.this, query.dialect) == name
        for used in output.node.find_all(exp.Column)
    )


def _aggregated(query: Query, column: Named) -> bool:
    """Whether the column is an argument of an aggregate: those see rows, not results."""
    node = column.parent
    while node is not None and node is not query.node:
        if isinstance(node, exp.AggFunc):
            return not isinstance(node.parent, exp.Window)
        node = node.parent
    return False
