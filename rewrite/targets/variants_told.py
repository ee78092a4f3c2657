"""In what shared models differ that join the same relations, and columns of one that differ by a
number in their names:

    charge_day    CAST(a.created AT TIME ZONE 'UTC' AS DATE)
    charge_day_2  CAST(a.created AS DATE)  -> Unlike charge_day: without `AT TIME ZONE 'UTC'`.

    int_net_orders  .. LEFT JOIN refunds ..    read by most
    int_facts       .. INNER JOIN refunds ..   -> Unlike int_net_orders: `INNER` for `LEFT`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from unwet.lineage.errors import RenderError
from unwet.lineage.printing import render
from unwet.lineage.trees import copied
from unwet.rewrite.compose import Draft
from unwet.rewrite.conjuncts import all_of
from unwet.rewrite.project import Project
from unwet.rewrite.targets.told_apart import NUMBERED, told_apart, unlike, unlike_column


def models_told(
    project: Project, texts: Mapping[str, str], readers: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """By shared model: in what it differs from that which is called alike, or else from the most
    read one over the same relations. ``texts``: of models, as they are printed."""
    groups: dict[tuple[object, ...], list[Draft]] = defaultdict(list)
    for draft in project.intermediates:
        if draft.name in texts:
            groups[draft.refs, draft.outside].append(draft)
    found = told_apart(texts)
    for group in groups.values():
        names = sorted((d.name for d in group), key=lambda n: (-len(readers.get(n, ())), n))
        for name in names:
            stem = _stem(name)
            like = stem if stem in texts else names[0]
            if like != name and (stem not in texts or stem in names):
                found[name] = project.said(_unlike(project, like, name, texts))
    return found


def columns_told(project: Project, name: str) -> dict[str, str]:
    """By column of a shared model: in what it differs from the one that is called alike."""
    columns = _columns(project.library.models[name])
    found: dict[str, str] = {}
    for column, made in columns.items():
        if (stem := _stem(column)) in columns:
            for old, new in zip(columns[stem], made, strict=True):
                if old != new and column not in found:
                    said = [_text(each, project.dialect) for each in (old, new)]
                    found[column] = project.said(unlike_column(stem, *said)) if all(said) else ""
    return {column: said for column, said in found.items() if said}


def _stem(name: str) -> str:
    hit = NUMBERED.fullmatch(name)
    return hit["stem"] if hit else ""


def _columns(tree: exp.Expr) -> dict[str, tuple[exp.Expr, ...]]:
    """The columns of a query by their names in the first branch, each as all branches have it."""
    branches = [*_branches(tree)]
    rows = [[item.unalias() for item in branch.expressions] for branch in branches]
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return {}
    names = [item.output_name for item in branches[0].expressions]
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def _branches(tree: exp.Expr) -> Iterator[exp.Select]:
    match tree:
        case exp.SetOperation():
            yield from _branches(tree.this)
            yield from _branches(tree.expression)
        case exp.Subquery():
            yield from _branches(tree.this)
        case exp.Select():
            yield tree


def _unlike(project: Project, like: str, name: str, texts: Mapping[str, str]) -> str:
    """Of queries only the columns that both have: which ones there are is seen at a glance."""
    one, other = (project.library.models[each] for each in (like, name))
    if isinstance(one, exp.Select) and isinstance(other, exp.Select):
        both = [column for column in one.named_selects if column in other.named_selects]
        said = [_text(_plain(tree, both), project.dialect) for tree in (one, other)]
        if both and all(said) and said[0] != said[1]:
            return unlike(like, *said)
    return unlike(like, texts[like], texts[name])


def _plain(tree: exp.Expr, both: Sequence[str]) -> exp.Expr:
    """A query with some of its columns, as if all authors wrote such things in one way."""
    tree = copied(tree)
    items = {item.output_name: item for item in tree.expressions}
    named = [exp.alias_(items[name].unalias(), name, copy=False) for name in both]
    tree.set("expressions", named)
    for case in list(tree.find_all(exp.Case)):
        if (said := _coalesced(case)) is not None:
            case.replace(said)
    for join in tree.args.get("joins") or ():
        join.set("kind", join.args.get("kind") if _is_odd(join) else "" if join.side else "INNER")
        if join.args.get("on") is not None:
            join.set("on", _sorted(join.args["on"]))
    if (where := tree.args.get("where")) is not None:
        where.set("this", _sorted(where.this))
    for table in tree.find_all(exp.Table):
        table.set("alias", None)
    return tree


def _coalesced(case: exp.Case) -> exp.Expr | None:
    """COALESCE(x, y) for CASE WHEN x IS NULL THEN y ELSE x END."""
    match case.args.get("this"), case.args.get("ifs"), case.args.get("default"):
        case None, [exp.If(this=exp.Is(this=x, expression=exp.Null())) as first], other:
            if x == other:
                return exp.Coalesce(this=x, expressions=[first.args["true"]])
    return None


def _is_odd(join: exp.Join) -> bool:
    return (join.args.get("kind") or "INNER") not in ("INNER", "OUTER")


def _sorted(condition: exp.Expr) -> exp.Expr:
    """Its conjuncts in an order of their own, and what is equal in them, too."""
    for equal in list(condition.find_all(exp.EQ)):
        sides = sorted(
            (equal.this, equal.expression), key=lambda side: (side.name, _text(side, ""))
        )
        equal.set("this", sides[0])
        equal.set("expression", sides[1])
    tests = [*condition.flatten()] if isinstance(condition, exp.And) else [condition]
    return all_of(sorted(tests, key=lambda each: _text(each, "")))


def _text(tree: exp.Expr, dialect: str) -> str:
    """In a line; nothing where the dialect has no words for it, as for some calls that stand for
    queries."""
    try:
        return render(tree, dialect, pretty=False, comments=False)
    except RenderError:
        return ""
