"""Queries that the algebra does not express, kept as canonical text over their inputs.

Two opaque queries are the same when their text is, letter for letter after names are unified,
and their inputs hold the same rows under the same names. Only whole statements become opaque
here, so the text holds every CTE it reads and no name in it depends on anything outside but the
relations. The text ends with a digest of the whole tree, as printing may leave something out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from sqlglot import Dialect, exp

from unwet.lineage.names import SELF_REFERENCE, fold, relation_name
from unwet.lineage.resolve import Query
from unwet.lineage.trees import conjuncts, copied, found_in
from unwet.rewrite.algebra import Opaque, Plan, Rel, Scan
from unwet.rewrite.clauses import trim
from unwet.rewrite.group_all import by_all
from unwet.rewrite.grouping_sets import as_sets
from unwet.rewrite.idle_nulls import without_idle_nulls
from unwet.rewrite.parentheses import without_idle_parentheses
from unwet.rewrite.positions import by_expression
from unwet.rewrite.reads import relations
from unwet.rewrite.unions import branches, is_top, word


def opaque(query: Query, definitions: Mapping[str, Plan], reason: str) -> Plan:
    """The whole query as one Opaque node; `reason` says what was not understood."""
    tree = copied(query.node)
    tables = list(_outside_tables(query, tree))
    tree.set("into", None)
    _shorten(tree, [table for table, _ in tables])
    for raw in list(tree.find_all(exp.RawString)):
        raw.replace(exp.Literal.string(raw.this))  # as the same text is written without an r
    for branch in list(tree.find_all(exp.Subquery)):
        if _is_bare_branch(branch):
            branch.replace(branch.this)
    _capitals(tree, query.dialect)
    without_idle_parentheses(tree, query.dialect)
    without_idle_nulls(tree)
    read = names_read(tree)
    inputs: dict[str, tuple[Rel, tuple[str, ...]]] = {}
    for table, name in tables:
        defined = definitions.get(name)
        inputs[name] = (trim(defined), defined.names) if defined else (Scan(name, ()), ())
        _number(table, list(inputs).index(name), read)
    _drop_idle_aliases([table for table, _ in tables], tree)
    shown = _shows_names(tree)
    for identifier in tree.find_all(exp.Identifier):
        _unify(identifier, query.dialect, shown)
    if not shown:
        _number_ctes(tree)
    _sort_conjuncts(tree)
    _drop_idle_tests(tree)
    as_sets(tree)
    by_all(tree, query.dialect)
    by_expression(tree, query.dialect)
    _sort_branches(tree, query.dialect)
    text = f"{_printed(tree, query.dialect)} -- {tree_digest(tree)}"
    names = tuple(output.name for output in query.outputs)
    rels, columns = zip(*inputs.values(), strict=True) if inputs else ((), ())
    return Plan(names, Opaque(text, rels, columns, len(names), reason))


def _capitals(tree: exp.Expr, dialect: str) -> None:
    """In place: the words of a frame are as they were written; `rows` is ROWS. So are functions
    that the parser does not know, which most engines find in any case."""
    if Dialect.get_or_raise(dialect or None).NORMALIZE_FUNCTIONS:
        for call in tree.find_all(exp.Anonymous):
            if isinstance(call.this, str):
                call.set("this", call.this.upper())
    for spec in tree.find_all(exp.WindowSpec):
        for key, value in [*spec.args.items()]:
            spec.set(key, value.upper() if isinstance(value, str) else value)


def _drop_idle_tests(tree: exp.Expr) -> None:
    """In place: WHERE TRUE goes, which keeps every row. (HAVING TRUE makes one group of all rows,
    and BigQuery wants a WHERE beside its QUALIFY.)"""
    for select in tree.find_all(exp.Select):
        where = select.args.get("where")
        if where is not None and _is_true(where.this) and select.args.get("qualify") is None:
            select.set("where", None)


def _sort_conjuncts(tree: exp.Expr) -> None:
    """In place: a AND (b AND TRUE) as b AND a is, which has the same value whatever a and b are,
    NULL too."""
    for node in reversed([each for each in tree.find_all(exp.And) if not _is_conjunct(each)]):
        parts = [part for part in conjuncts(node) if not _is_true(part)] or [exp.true()]
        parts.sort(key=lambda part: part.sql(comments=False))
        node.replace(exp.and_(*parts, copy=False))


def _sort_branches(tree: exp.Expr, dialect: str) -> None:
    """In place: a UNION ALL c UNION ALL b as a UNION ALL b UNION ALL c is, which has the same bag
    of rows. The first branch names the columns, so that it stays; of a recursive query, all, as
    engines take only what it begins with before what reads itself."""
    if any(_is_recursive(cte, dialect) for cte in tree.find_all(exp.CTE)):
        return
    for union in reversed([node for node in tree.find_all(exp.Union) if is_top(node)]):
        if word(union) == "UNION ALL":
            rest = branches(union)[1:]
            kept = sorted(map(copied, rest), key=lambda branch: _printed(branch, dialect))
            for old, new in zip(rest, kept, strict=True):
                old.replace(new)


def _is_conjunct(node: exp.Expr) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.And)


def _is_true(node: exp.Expr) -> bool:
    """TRUE, or 1 = 1 as engines without that word say it."""
    if isinstance(node, exp.EQ):
        return all(isinstance(side, exp.Literal) and not side.is_string and side.this == "1"
                   for side in (node.this, node.expression))  # fmt: skip
    return isinstance(node, exp.Boolean) and bool(node.this)


def _is_bare_branch(node: exp.Subquery) -> bool:
    """(SELECT a) in a UNION, which says the same without its parentheses."""
    query = node.this
    if not isinstance(node.parent, exp.SetOperation) or not isinstance(query, exp.Select):
        return False
    bare = all(key == "this" for key, value in node.args.items() if value)
    return bare and not any(map(query.args.get, ("with_", "order", "limit", "offset", "fetch")))


def _printed(tree: exp.Expr, dialect: str) -> str:
    try:
        return copied(tree).sql(comments=False, copy=False)
    except ValueError:  # a clause that only its own dialect can print
        return copied(tree).sql(dialect, comments=False, copy=False)


def tree_digest(tree: exp.Expr) -> str:
    """A hash of everything a tree says, comments left out."""
    state = blake2b(digest_size=16)
    stack: list[object] = [tree]
    while stack:
        item = stack.pop()
        match item:
            case exp.Expr():
                # sorted, as a parser fills the slots in the order of the text
                said = [(k, v) for k, v in sorted(item.args.items()) if _says_something(v)]
                state.update(f"<{type(item).__name__} {' '.join(k for k, _ in said)}>".encode())
                stack.extend(value for _, value in reversed(said))
            case list() | tuple():
                state.update(b"[%d]" % len(item))
                stack.extend(reversed(item))
            case _:
                word = repr(item).encode("utf-8", "surrogatepass")
                state.update(b"%d:" % len(word) + word)
    return state.hexdigest()


def _says_something(value: object) -> bool:
    return not (value is None or value is False or value == [])


def _number(table: exp.Expr, number: int, read: frozenset[str]) -> None:
    """A table becomes ``$number``; the name that its columns are qualified with stays."""
    written = table.name
    table.set("db", None)
    table.set("catalog", None)
    if not table.alias and written.lower() in read:
        table.set("alias", exp.TableAlias(this=table.this.copy()))
    table.set("this", exp.to_identifier(f"${number}"))


def _number_ctes(tree: exp.Expr) -> None:
    """In place: a CTE's name is its number, as it is private to the query, where nothing says it
    but the CTE and what reads it: ``x.a`` may be a field of a column x, and ``x`` a row."""
    said: dict[str, list[exp.Expr]] = {}
    for each in tree.find_all(exp.Identifier, exp.Var):
        said.setdefault(each.name.lower(), []).append(each)
    for number, cte in enumerate(tree.find_all(exp.CTE)):
        names = said.get(cte.alias.lower(), [])
        if all(_says_cte(name, cte) for name in names):
            for name in names:
                name.replace(exp.to_identifier(f"$cte_{number}", quoted=True))


def _says_cte(name: exp.Expr, cte: exp.CTE) -> bool:
    parent = name.parent
    if name.arg_key != "this" or not isinstance(name, exp.Identifier):
        return False
    if isinstance(parent, exp.TableAlias):
        return parent.parent is cte
    return isinstance(parent, exp.Table) and not parent.args.get("db")


def _drop_idle_aliases(tables: Sequence[exp.Expr], tree: exp.Expr) -> None:
    """Another name of a table goes where nothing in the whole query but such names says it."""
    said = Counter(word.name.lower() for word in tree.find_all(exp.Identifier))
    said.update(word.name.lower() for word in tree.find_all(exp.Var))
    said.subtract(table.alias.lower() for table in tables)
    for table in tables:
        alias = table.args.get("alias")
        bare = alias is not None and not alias.args.get("columns") and not table.args.get("pivots")
        if bare and said[table.alias.lower()] == 0:
            table.set("alias", None)


def _shorten(tree: exp.Expr, tables: Sequence[exp.Expr]) -> None:
    """``schema.table.column`` is ``table.column`` where only one table could be meant."""
    every = tree.find_all(exp.Table, exp.CTE, exp.Subquery)
    names = Counter(n.lower() for each in every for n in {each.name, each.alias})
    known = {tuple(p.name.lower() for p in t.parts) for t in tables if isinstance(t, exp.Table)}
    for column in tree.find_all(exp.Column):
        said = tuple(part.name.lower() for part in column.parts[:-1])
        if len(said) > 1 and said in known and names[said[-1]] == 1:
            column.set("db", None)
            column.set("catalog", None)


def names_read(tree: exp.Expr) -> frozenset[str]:
    """Every word that a column reference contains: a bare table name may be its row."""
    columns = found_in(tree, exp.Column)
    return frozenset(part.name.lower() for column in columns for part in column.parts)


def _shows_names(tree: exp.Expr) -> bool:
    """Whether names of columns may become part of a value, with the letters that they are written
    in: TO_JSON(q), SELECT AS STRUCT, a star as an argument."""
    alone = {column.name.lower() for column in tree.find_all(exp.Column) if not column.table}
    tables = {each.alias_or_name.lower() for each in tree.find_all(exp.Table, exp.Subquery)}
    stars = (star.parent for star in tree.find_all(exp.Star))
    holders = (each.parent if isinstance(each, exp.Column) else each for each in stars)
    return (
        bool(alone & tables)
        or any(select.args.get("kind") for select in tree.find_all(exp.Select))
        or any(not isinstance(each, exp.Select | exp.Count) for each in holders)
    )


def _unify(identifier: exp.Identifier, dialect: str, shown: bool) -> None:
    """Folds a name, and leaves quotes only where the name needs them to be what it is. Of names
    that are `shown` in values no letter is changed that the engine would keep."""
    quoted = bool(identifier.args.get("quoted"))
    name = fold(identifier.name, quoted, dialect)
    if shown and fold("Ab", True, dialect) == "ab":
        name = identifier.name  # compared without its case, but kept with it
    plain = name.isidentifier() and name == fold(name, False, dialect)
    if quoted and name == identifier.name and _folds_up(dialect):
        plain = False  # a quoted lower-case name is another one than the unquoted
    identifier.set("this", name)
    identifier.set("quoted", not plain)


def _folds_up(dialect: str) -> bool:
    return fold("Ab", True, dialect) == "Ab" and fold("AB", True, dialect) == "ab"


def _outside_tables(query: Query, tree: exp.Expr) -> Iterator[tuple[exp.Expr, str]]:
    """The tables of the copy that stand for relations, with the relations' names."""
    nodes = zip(query.node.walk(), tree.walk(), strict=True)
    twins = {id(node): twin for node, twin in nodes}
    found: set[int] = set()
    for item in relations(query):
        twin = twins.get(id(item.node))
        if isinstance(twin, exp.Table) and item.stored and id(twin) not in found:
            found.add(id(twin))
            yield twin, item.stored
    for table in tree.find_all(exp.Table):
        named = isinstance(table.this, exp.Identifier) and not isinstance(table.parent, exp.Into)
        if named and id(table) not in found and not is_cte(table, query.dialect):
            # somewhere that nobody resolved: an argument of a table function, for example
            yield table, relation_name(table, query.dialect)


def is_cte(table: exp.Table, dialect: str) -> bool:
    """Whether a table may be a CTE that is visible where it stands."""
    if table.args.get("db"):
        return False
    name, node = table.name.lower(), table.parent
    own: exp.CTE | None = None
    while node is not None:
        if isinstance(node, exp.CTE):
            own = node
        block = node.args.get("with_")
        if block is not None and name in _visible(block, own, dialect):
            return True
        node = node.parent
    return False


def _visible(block: exp.Expr, own: exp.CTE | None, dialect: str) -> set[str]:
    """The names a WITH gives to a place: all, or inside one of its CTEs those before it."""
    names: set[str] = set()
    for cte in block.expressions:
        if own is not None and cte is own and not _is_recursive(own, dialect):
            break
        names.add(cte.alias.lower())
    return names


def _is_recursive(cte: exp.CTE, dialect: str) -> bool:
    """Whether a CTE may read itself. Some dialects have no word for it: there a branch behind the
    first one does."""
    if cte.parent is not None and cte.parent.args.get("recursive"):
        return True
    body, name = cte.this, cte.alias.lower()
    while dialect in SELF_REFERENCE and isinstance(body, exp.SetOperation):
        tables = body.expression.find_all(exp.Table)
        if any(each.name.lower() == name and not each.args.get("db") for each in tables):
            return True
        body = body.this
    return False
