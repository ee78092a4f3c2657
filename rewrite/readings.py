"""Rows of one table that many queries read for themselves, each with other columns and conditions.

    JOIN (SELECT client, url AS page FROM technologies WHERE category = 'CMS') USING (client, page)
 -> JOIN ({{ technologies_rows(category='CMS') }}) USING (client, page)

Nobody wants to look up what columns of one table and a filter are; but what a dozen queries read,
everybody soon knows by its name. They begin with one column and test another one, which the macro
says; what else they have is an argument. Two by two they have too little in common for that.

Some may say DISTINCT, or be totals: GROUP BY ALL does both (`group_all`), and is one parameter.

with_readings(library, ...) -> the library with such macros
what_is_read(host, source, ...) -> what the tables that such a macro reads have in common
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import conjuncts, copied, in_line, texts
from unwet.rewrite.abstract import fill
from unwet.rewrite.group_all import is_by_all
from unwet.rewrite.grouped_rows import ALL, group_by, group_by_all, rows_of
from unwet.rewrite.inner_queries import inner_queries, with_calls
from unwet.rewrite.library import (
    HOLE,
    LINE,
    LISTED,
    NO_CONDITION,
    Library,
    Macro,
    MacroCall,
    called_by,
    numbers_of,
)
from unwet.rewrite.limits import Limits
from unwet.rewrite.naming import free_macro, free_parameter, snake
from unwet.rewrite.placed_calls import height_of, letters_of
from unwet.rewrite.saying import Saying
from unwet.rewrite.shapes import ITEM, Leaf, after_tables, as_leaf
from unwet.rewrite.side_by_side import beside, distinct_of, is_hole
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.source_tables import Parameter, source_of, table_parameters
from unwet.rewrite.told_of import is_trivial, listed

KNOWN: Final = 12
"""Uses of what everybody soon knows by its name, however short it is."""
_MANY: Final = 8  # of those that are left in the end, where others of their kind are known
_SEVERAL: Final = 5  # other queries: fewer are compared with each other
_OVERHEAD: Final = 3  # the macro's first and last line, and one more name to know
_AROUND: Final = 8  # signs of a call beside its words, and what it stands behind
_CLAUSES: Final = frozenset(
    {"expressions", "from_", "joins", "where", "distinct", "operation_modifiers", "group"}
)
_IS: Final = " ="
_ANY: Final = ""  # in place of a test: all conditions are a parameter
_COLUMNS: Final = "columns"
_CONDITION: Final = "condition"
_RELATION: Final = "relation"
_DISTINCT: Final = "all_or_distinct"
_GROUP_BY: Final = "group_by"


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """A query inside of a model or a macro: where it stands, what it begins with and reads, and
    what it says for each parameter that a macro of it might have."""

    host: str
    at: int
    query: exp.Select
    key: tuple[str, ...]
    said: Mapping[str, Leaf]
    tests: Mapping[str, exp.Expr]  # by the column that is to be one value, or by their text
    others: Sequence[exp.Expr]  # conditions of which a parameter is a part
    grouped: Leaf | None  # how its rows are, where those of another one are grouped by all outputs


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A macro, and the calls of it in place of the readings."""

    macro: Macro
    calls: Sequence[tuple[_Reading, MacroCall]]


def with_readings(
    library: Library,
    dialect: str,
    names: AbstractSet[str],
    stay: AbstractSet[str],
    limits: Limits,
    late: bool = False,
) -> Library:
    """``names``: what no macro may be called; ``stay``: models that keep their words; ``limits``:
    of what a macro is, and there is none where some are forbidden by name; ``late``: whether what
    such queries test may be all different."""
    if limits.forbidden:
        return library
    groups: dict[tuple[str, ...], list[_Reading]] = defaultdict(list)
    for each in _readings(library, dialect, stay):
        groups[each.key].append(each)
    found, places = library, dict[tuple[str, int], int]()
    for key in sorted(groups, key=lambda each: (-len(groups[each]), each)):
        left, looked_at = groups[key], set[str]()
        while (test := _next_test(left, looked_at, late)) is not None:
            looked_at.add(test)
            group = [each for each in left if test == _ANY or test in each.tests]
            made = _made(found, dialect, names, limits, test, group)
            if made is None:
                continue
            many = len(found.calls)
            own = {(r.host, r.at): many + n for n, (r, _) in enumerate(made.calls)}
            left = [each for each in left if (each.host, each.at) not in own]
            places |= own
            calls = (*found.calls, *(call for _, call in made.calls))
            found = replace(found, macros=(*found.macros, made.macro), calls=calls)
            if len(made.calls) >= KNOWN:
                break  # everybody knows that one, and what is left may be calls of it, too
    return _placed(found, places)


# --- what there is


def _readings(library: Library, dialect: str, stay: AbstractSet[str]) -> Iterator[_Reading]:
    closed = {*stay, *called_by(library, stay)}
    schemas = table_parameters(library)
    plain = {macro.name: macro.tree for macro in library.macros if not macro.uncounted}
    work = Saying(library.calls, dialect, 0)
    for host, tree in sorted((dict(library.models) | plain).items()):
        if host in closed or isinstance(tree, exp.Var):
            continue
        for _, at, query in inner_queries(host, tree, trivial=True):
            found = None
            if isinstance(query, exp.Select):
                found = _reading(host, at, query, work, schemas)
            if found is not None:
                yield found


def _reading(
    host: str, at: int, query: exp.Select, work: Saying, schemas: Mapping[Parameter, str]
) -> _Reading | None:
    said = {name for name, value in query.args.items() if value}
    source, where = query.args.get("from_"), query.args.get("where")
    if not said <= _CLAUSES or where is None or source is None or len(query.expressions) < 2:
        return None
    if any(node.comments for node in query.walk()) or where.find(exp.Query):
        return None
    if any(ITEM in text or LISTED.search(text) for text in texts(query)):
        return None  # a word that means something where it stands only
    relation, distinct = _relation(source.this), _distinct(query)
    columns = work.list(query.expressions[1:])
    what = what_is_read(host, source.this, schemas)
    joins = _joins(query, work)
    if relation is None or distinct is None or columns is None or joins is None or not what:
        return None
    tests = dict[str, exp.Expr]()
    others = list[exp.Expr]()
    for test in conjuncts(where.this):
        name = _tested(test) or in_line(test, work.dialect)
        if name not in tests and "h__" not in name:
            tests[name] = test
        else:
            others.append(test)
    first = in_line(query.expressions[0], work.dialect)
    if HOLE.search(first) or HOLE.search(joins):
        return None  # what that is, only the macro around knows
    grouped = rows_of(query, work.dialect)
    leaves = {_RELATION: relation, _DISTINCT: distinct, _COLUMNS: columns}
    return _Reading(host, at, query, (what, first, joins), leaves, tests, others, grouped)


def _distinct(query: exp.Select) -> Leaf | None:
    """The word for whether rows may come twice; None where that says more."""
    return ALL if is_by_all(query) else None if query.args.get("group") else distinct_of(query)


def _relation(source: exp.Expr) -> Leaf | None:
    """The name of a table that is read without another one."""
    if not isinstance(source, exp.Table) or {k for k, v in source.args.items() if v} != {"this"}:
        return None
    leaf = as_leaf(source.this)
    return leaf if leaf is not None and not leaf.quoted else None


def what_is_read(host: str, source: exp.Expr, schemas: Mapping[Parameter, str]) -> str:
    """What tables have in common that one macro reads, of the table in a FROM of the ``host``;
    empty where that is none, or its own only. ``schemas``: of tables that are parameters."""
    relation = _relation(source)
    return _what(host, relation, schemas) if relation is not None else ""


def _what(host: str, relation: Leaf, schemas: Mapping[Parameter, str]) -> str:
    """What tables that may be one parameter have in common: tables of one schema that are called
    by a date or a number. All others are themselves."""
    if (hole := HOLE.fullmatch(relation.text)) is not None:
        return schemas.get((host, hole[1]), "")
    if HOLE.search(relation.text) is not None:
        return ""  # what it is, only the macro around knows
    found = source_of(relation.text)
    if found is not None and any(sign.isdigit() for sign in found[1]):
        return found[0].lower()
    return relation.text if "__" in relation.text else ""  # a CTE is not everybody's


def _joins(query: exp.Select, work: Saying) -> str | None:
    """The arrays of its own that a query goes over; None where it reads something else."""
    joins = query.args.get("joins") or []
    if any(not isinstance(join.this, exp.Unnest) or join.args.get("on") for join in joins):
        return None
    return " ".join(in_line(join, work.dialect) for join in joins)


def _tested(test: exp.Expr) -> str:
    """The column that is to be one constant, or what a parameter says, and the sign for that."""
    if not isinstance(test, exp.EQ) or not isinstance(test.this, exp.Column) or test.this.table:
        return ""
    value = as_leaf(test.expression)
    constant = value is not None and value.kind in ("string", "number")
    return f"{test.this.name.lower()}{_IS}" if constant else ""


def _next_test(group: Sequence[_Reading], without: AbstractSet[str], late: bool) -> str | None:
    """What most of them test of those that are left; ``late``: whatever they test, once."""
    if late:
        return None if _ANY in without else _ANY
    many = Counter(name for each in group for name in each.tests if name not in without)
    return min(many, key=lambda name: (-many[name], name)) if many else None


# --- one macro


def _made(
    library: Library,
    dialect: str,
    names: AbstractSet[str],
    limits: Limits,
    test: str,
    group: Sequence[_Reading],
) -> _Made | None:
    """The macro for readings that make one test, or test one column, or test anything, if it
    pays."""
    if len(group) < (_MANY if test == _ANY else KNOWN):
        group = [each for each in group if not is_trivial(each.query)]
    work = Saying(library.calls, dialect, 0)
    grouped = _with_groups(group)
    group = grouped if grouped is not None else group
    tested = {n for each in group for n in each.tests if all(n in own.tests for own in group)}
    tests = [test, *sorted(tested - {test})] if test != _ANY else []
    said = [(each, _grouped(each, leaves) if grouped is not None else leaves)
            for each in group if (leaves := _leaves(each, tests, work)) is not None]  # fmt: skip
    if len(said) < max(_SEVERAL, limits.sharing.min_uses):
        return None
    varied = [n for n in said[0][1] if len({leaves[n] for _, leaves in said}) > 1]
    if len(varied) > limits.sharing.max_parameters:
        return None
    macro = _macro(library, names, said, varied, tests)
    calls = [(each, _call(macro, leaves, varied)) for each, leaves in said]
    lines = tree_lines(macro.tree, dialect)
    if lines < limits.sharing.min_lines:
        return None
    saved = -lines - _OVERHEAD
    for each, call in calls:
        within = sum(height_of(library.calls[n]) - 1 for n in numbers_of(each.query))
        saved += tree_lines(each.query, dialect) + within - _height(call)
    return _Made(macro, calls) if saved >= limits.sharing.min_saved else None


def _leaves(reading: _Reading, tested: Sequence[str], work: Saying) -> dict[str, Leaf] | None:
    """What a reading says for each parameter, by what these are called first."""
    rest = [test for name, test in reading.tests.items() if name not in tested]
    condition = work.condition([*rest, *reading.others])
    if condition is None:
        return None
    if tested and len([*filter(is_hole, reading.others)]) > 1:
        return None  # of two parameters, which may be one yet
    said = dict(reading.said)
    for name in (name for name in tested if name.endswith(_IS)):
        leaf = as_leaf(reading.tests[name].args["expression"])
        assert leaf is not None
        said[name] = leaf
    return {**said, _CONDITION: condition}


def _with_groups(group: Sequence[_Reading]) -> Sequence[_Reading] | None:
    """Those of which a parameter may say whether they are grouped by all outputs, where some are
    or all may be; None where nothing is a question of that."""
    known = [each for each in group if each.grouped is not None]
    if any(is_by_all(each.query) for each in group):
        return known
    return known if len(known) == len(group) and ALL in {e.grouped for e in known} else None


def _grouped(reading: _Reading, leaves: Mapping[str, Leaf]) -> dict[str, Leaf]:
    """The same, where what says DISTINCT is grouped by all outputs."""
    assert reading.grouped is not None
    said = {name: leaf for name, leaf in leaves.items() if name != _DISTINCT}
    return {_GROUP_BY: reading.grouped, **said}


def _macro(
    library: Library,
    names: AbstractSet[str],
    said: Sequence[tuple[_Reading, Mapping[str, Leaf]]],
    varied: Sequence[str],
    tests: Sequence[str],
) -> Macro:
    macros = {macro.name for macro in library.macros}
    params = {param for macro in library.macros for param in macro.params}
    called = free_macro(_name(said, macros), {*names, *library.models, *macros, *params})
    own: dict[str, str] = {}
    for each in varied:
        wanted = snake(each.removesuffix(_IS))
        hidden = {*macros, called, *own.values()}
        own[each] = free_parameter(f"{wanted}_value" if wanted in hidden else wanted, hidden)
    tree = _tree(said[0][0], own, tests)
    if _GROUP_BY in said[0][1] and _GROUP_BY not in own:
        group_by_all(tree)
    defaults = {own[n]: leaf.text for n in varied if (leaf := _usual(n, said)) is not None}
    hosts = [*dict.fromkeys(each.host for each, _ in said)]
    about = f"{len(said)} queries of the same table: {listed(hosts, len(said))}"
    return Macro(called, tuple(own.values()), tree, "query", about, defaults)


def _name(
    said: Sequence[tuple[_Reading, Mapping[str, Leaf]]], taken: AbstractSet[str] = frozenset()
) -> str:
    """After the table that is read, and after the first column where that name is ``taken``."""
    query = said[0][0].query
    what = said[0][0].key[0]
    name = after_tables(query.args["from_"].this) if "__" in what else f"{snake(what)}_rows"
    first = snake(query.expressions[0].alias_or_name).strip("_")
    return f"{name.removesuffix('_rows')}_by_{first}" if name in taken and first else name


def _tree(reading: _Reading, own: Mapping[str, str], tested: Sequence[str]) -> exp.Select:
    """The query with parameters."""
    query = copied(reading.query)
    assert isinstance(query, exp.Select)
    if _CONDITION in own:
        tests = [copied(reading.tests[name]) for name in tested]
        query.set("where", exp.Where(this=beside(tests, own[_CONDITION])))
    waiting = {name: own[name] for name in tested if name in own}
    for test in conjuncts(query.args["where"].this):
        if (name := waiting.pop(_tested(test), None)) is not None:
            fill(test.args["expression"], name)
    if _RELATION in own:
        fill(query.args["from_"].this.this, own[_RELATION])
    if _COLUMNS in own:
        word = exp.Var(this=f"h__{own[_COLUMNS]}__h")
        query.set("expressions", [query.expressions[0], word])
    if _DISTINCT in own:
        query.set("distinct", None)
        query.set("operation_modifiers", [exp.Var(this=f"h__{own[_DISTINCT]}__h")])
    if _GROUP_BY in own:
        group_by(query, own[_GROUP_BY])
    return query


def _usual(name: str, said: Sequence[tuple[_Reading, Mapping[str, Leaf]]]) -> Leaf | None:
    """What a parameter is where a call says nothing."""
    many = Counter(leaves[name] for _, leaves in said)
    if name == _CONDITION and NO_CONDITION in many:
        return NO_CONDITION
    plain = {leaf: times for leaf, times in many.items() if "__" not in leaf.text}
    if not plain or name == _RELATION or name.endswith(_IS):
        return None
    leaf = min(plain, key=lambda each: (-plain[each], each))
    return leaf if 2 * plain[leaf] > len(said) or name != _CONDITION else None


def _call(macro: Macro, leaves: Mapping[str, Leaf], varied: Sequence[str]) -> MacroCall:
    values = [(param, leaves[n]) for param, n in zip(macro.params, varied, strict=True)]
    args = tuple(each for each in values if macro.defaults.get(each[0]) != each[1].text)
    unsaid = tuple(each for each in values if macro.defaults.get(each[0]) == each[1].text)
    return MacroCall(macro.name, args, unsaid)


def _height(call: MacroCall) -> int:
    """The lines of a call, which stands in a line of its own between parentheses."""
    return 1 if letters_of(call) + _AROUND <= LINE else height_of(call) + 2


# --- the library then


def _placed(library: Library, places: Mapping[tuple[str, int], int]) -> Library:
    """The library with calls in these places of its models and macros."""
    numbers: dict[str, dict[int, int]] = defaultdict(dict)
    for (host, at), number in places.items():
        numbers[host][at] = number
    made = {host: with_calls(library.hosts[host], own) for host, own in numbers.items()}
    models = {name: made.get(name, tree) for name, tree in library.models.items()}
    macros = (replace(each, tree=made.get(each.name, each.tree)) for each in library.macros)
    return replace(library, models=models, macros=tuple(macros))
