"""Branches of a set operation that say the same of one word after the other: a loop over the words.

    SELECT id FROM a INTERSECT SELECT id FROM b
    SELECT id FROM a INTERSECT SELECT id FROM b INTERSECT SELECT id FROM c

are one query with a list of relations, and so is ``SELECT id FROM a``, where other queries have
such branches. A node stands in for the branches: a word for the list, which is a leaf of the
query's shape, what stands between them, and the branch that is said of each, with
`item__column__item` for the word; of sources, the word is the table, and all are of one schema.
What became no parameter is put back by `put_back`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, found_in
from unwet.rewrite.abstract import BRANCH, Family, role
from unwet.rewrite.item_runs import NAME, said_of
from unwet.rewrite.shapes import HOLE, LIST, Leaf, Survey, leaf_nodes
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.told_of import label_of
from unwet.rewrite.unions import says_more, word

_NODE: Final = "branches__of"
_BRANCHES: Final = "branches"  # note on a word: the query that it stands in for
_MORE: Final = "more"  # note beside it: how many lines more than one branch that has
_PLAIN: Final = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*")
_LONGEST: Final = 40  # leaves of a branch
_SOURCE: Final = re.compile(r"(src__[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*__)(\w+)(__src)")

_Around = tuple[str, str]
_NONE: Final = ("", "")


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What branches have in common: so many outputs, and the leaves; where each says its own word,
    what stands around that: the schema of a source, or nothing."""

    width: int
    digest: bytes
    leaves: tuple[Leaf | _Around, ...]


def say_branch_runs(hosts: MutableMapping[str, exp.Expr], dialect: str) -> list[str]:
    """In place: nodes stand in for branches that say the same of other words. Gives back the hosts
    in which there are such."""
    changed: list[str] = []
    known: dict[_Pattern, str] = {}
    for host, tree in hosts.items():
        for chain in [node for node in tree.find_all(exp.SetOperation) if _is_top(node)]:
            found = _run_of(chain)
            if found is not None:
                words, pattern, first = found
                known.setdefault(pattern, _between(chain))
                new = _stand_in(chain, words, _between(chain), pattern, first, dialect)
                hosts[host] = new if chain is tree else hosts[host]
                changed.append(host)
    digests = {pattern.digest: pattern for pattern in known}
    widths = {pattern.width for pattern in known}
    for host, tree in hosts.items() if known else ():
        for query in [*tree.find_all(exp.Select)]:
            if len(query.expressions) not in widths or is_branch_run(query):
                continue
            if label_of(query) in ("", BRANCH):
                continue
            bare = _bare(query)
            like = digests.get(Survey(bare).digest(bare))
            if like is not None and (alone := _word_in(bare, like)):
                _stand_in(query, [alone], known[like], like, bare, dialect)
                changed.append(host)
    return [*dict.fromkeys(changed)]


def put_back(hosts: MutableMapping[str, exp.Expr]) -> None:
    """In place: the branches of the runs that are no parameter."""
    for host, tree in hosts.items():
        for node in [each for each in tree.find_all(exp.Select) if is_branch_run(each)]:
            was = (_listed(node)._meta or {}).get(_BRANCHES)
            if was is not None:
                was = _with_parameters(node, was)
                hosts[host] = was if node is tree else hosts[host]
                node.replace(was)


def _with_parameters(node: exp.Expr, was: exp.Expr) -> exp.Expr:
    """The branches; where the one that is said of each word has got parameters, they have these."""
    words, _, branch = branch_run(node)
    if "h__" not in branch.sql():
        return was
    places = [was] if isinstance(was, exp.Select) else _branches(was)
    for place, each in zip(places, words.split(", "), strict=True):
        new = said_of(each, branch)
        was = new if place is was else was
        place.replace(new)
    return was


def _branches(chain: exp.Expr) -> list[exp.Expr]:
    """Those of a run, in their order."""
    found: list[exp.Expr] = []
    while isinstance(chain, exp.SetOperation):
        found.append(chain.expression)
        chain = chain.this
    return [chain, *reversed(found)]


def is_branch_run(node: exp.Expr) -> bool:
    """Whether a node stands in for branches of a set operation."""
    items = node.expressions if isinstance(node, exp.Select) else ()
    return len(items) == 1 and isinstance(items[0], exp.Anonymous) and items[0].this == _NODE


def branch_run(node: exp.Expr) -> tuple[str, str, exp.Expr]:
    """The word for the list that a node has, what stands between the branches, and the branch that
    is said of each word."""
    listed, between, branch = node.expressions[0].expressions
    return listed.name, between.name, branch.this


def run_of_branches(parameter: str, between: str, branch: exp.Expr) -> exp.Select:
    """A node for the branches that a macro has for each word of a list, its parameter."""
    listed, operation = exp.Var(this=f"h__{parameter}__h"), exp.Var(this=between)
    said = [listed, operation, exp.Subquery(this=branch)]
    return exp.Select(expressions=[exp.Anonymous(this=_NODE, expressions=said)])


def has_branch_runs(tree: exp.Expr) -> bool:
    """Whether nodes stand in for branches."""
    return any(node.this == _NODE for node in found_in(tree, exp.Anonymous))


def branch_lines(query: exp.Expr) -> int:
    """How many lines more than one branch each the branches have that nodes stand in for."""
    runs = (node for node in query.find_all(exp.Select) if is_branch_run(node))
    return sum((_listed(node)._meta or {}).get(_MORE, 0) for node in runs)


def vary_in_length(family: Family) -> bool:
    """Whether copies have lists of other lengths in a run, which no other parameter can say."""
    return any(
        hole.values[0].kind == LIST and len({leaf.text.count(",") for leaf in hole.values}) > 1
        for hole in family.holes
    )


def around(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The queries of a tree that may be a macro and have such nodes in them."""
    found: dict[int, exp.Expr] = {}
    for node in (each for each in tree.find_all(exp.Select) if is_branch_run(each)):
        above: exp.Expr | None = node
        while above is not None:
            if isinstance(above, exp.Query) and (above is tree or label_of(above)):
                found[id(above)] = above
            above = above.parent
    yield from found.values()


def _listed(node: exp.Expr) -> exp.Expr:
    listed: exp.Expr = node.expressions[0].expressions[0]
    return listed


def _between(chain: exp.Expr) -> str:
    """What stands between the branches; empty for operations that are no runs."""
    if isinstance(chain, exp.Intersect):
        odd = any(map(chain.args.get, ("by_name", "side", "kind", "on")))
        return "" if odd or chain.args.get("distinct") is False else "INTERSECT"
    return "" if (said := word(chain)) != "UNION ALL" else said


def _is_top(node: exp.Expr) -> bool:
    return bool(_between(node)) and not isinstance(node.parent, exp.SetOperation)


def _run_of(chain: exp.Expr) -> tuple[list[str], _Pattern, exp.Select] | None:
    """The words of the branches, what these have in common, and the first; None where they say more
    of others."""
    branches: list[exp.Expr] = []
    node = chain
    while _between(node) == _between(chain) and not says_more(node):
        branches.append(node.expression)
        node = node.this
    branches.append(node)
    selects = [_bare(each) for each in reversed(branches) if isinstance(each, exp.Select)]
    if len(selects) < len(branches) or any(_says_more(each) for each in selects):
        return None
    shapes = [Survey(each).shape(each) for each in selects]
    if len({shape.digest for shape in shapes}) > 1 or len(shapes[0].leaves) > _LONGEST:
        return None
    columns = [*zip(*(shape.leaves for shape in shapes), strict=True)]
    varying = [column for column in columns if len({*column}) > 1]
    if not varying or len({tuple(_word(leaf) for leaf in column) for column in varying}) > 1:
        return None
    if not all(map(_may_be_said, (leaf for column in varying for leaf in column))):
        return None
    if any(len({_split(leaf)[0] for leaf in column}) > 1 for column in varying):
        return None  # of several schemas
    leaves = tuple(_split(c[0])[0] if len({*c}) > 1 else c[0] for c in columns)
    pattern = _Pattern(len(selects[0].expressions), shapes[0].digest, leaves)
    return [_word(leaf) for leaf in varying[0]], pattern, selects[0]


def _split(leaf: Leaf) -> tuple[_Around, str]:
    """What stands around a word, and the word: of a source its table, else all that is said."""
    source = _SOURCE.fullmatch(leaf.text) if leaf.kind == "name" else None
    return ((source[1], source[3]), source[2]) if source is not None else (_NONE, leaf.text)


def _word(leaf: Leaf) -> str:
    return _split(leaf)[1]


def _says_more(query: exp.Expr) -> bool:
    return any(query.args.get(name) for name in ("with_", "order", "limit", "offset"))


def _may_be_said(leaf: Leaf) -> bool:
    plain = _PLAIN.fullmatch(_word(leaf)) is not None
    return plain and not leaf.quoted and leaf.kind in ("name", "string", "number")


def _word_in(query: exp.Expr, pattern: _Pattern) -> str:
    """The word that a query says where branches say theirs; empty where it is another query."""
    words: list[str] = []
    for mine, theirs in zip(Survey(query).shape(query).leaves, pattern.leaves, strict=True):
        around, said = _split(mine)
        if isinstance(theirs, Leaf):
            if mine != theirs:
                return ""
        elif around != theirs or not _may_be_said(mine):
            return ""
        else:
            words.append(said)
    return words[0] if len({*words}) == 1 else ""


def _bare(query: exp.Select) -> exp.Select:
    """A copy in which no output is named after the column that it is."""
    query = copied(query)
    for item in query.expressions:
        named = isinstance(item, exp.Alias) and isinstance(item.this, exp.Column)
        if named and item.this.this == item.args["alias"]:
            item.replace(item.this)
    return query


def _stand_in(
    query: exp.Expr,
    words: Sequence[str],
    between: str,
    pattern: _Pattern,
    branch: exp.Select,
    dialect: str,
) -> exp.Expr:
    """In place, but for a root: the node that stands in for the branches."""
    text, was = ", ".join(words), query.copy()
    lines = tree_lines(branch, dialect) + 1
    places = [(node, leaf) for node, leaf in zip(leaf_nodes(branch), pattern.leaves, strict=True)
              if not isinstance(leaf, Leaf)]  # fmt: skip
    of_sources = any(around != _NONE for _, around in places)
    name = "table" if of_sources else role(places[0][0])
    _say_word(places)
    listed = exp.Var(this=text)
    listed.meta.update({LIST: text, HOLE: f"{name}_values" if name.endswith("s") else f"{name}s",
                        _BRANCHES: was, _MORE: (len(words) - 1) * lines})  # fmt: skip
    said = [listed, exp.Var(this=between), exp.Subquery(this=branch)]
    new = exp.Select(expressions=[exp.Anonymous(this=_NODE, expressions=said)])
    query.replace(new)
    return new


def _say_word(places: Iterable[tuple[exp.Expr, _Around]]) -> None:
    """In place: `NAME` where a branch says its word."""
    for node, around in places:
        if isinstance(node, exp.Literal) and not node.is_string:
            node.replace(exp.Var(this=NAME))
        else:
            node.set("this", NAME.join(around))
