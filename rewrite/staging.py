"""Which shared models are staging models: one source each, cleaned and nothing more.

The word and the name, `stg_SOURCE__TABLE`, are those of dbt's guide to the structure of a project:
a staging model reads one source, renames, casts, filters and deduplicates; it joins, groups and
unites nothing, and nothing but staging models should read that source.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.project import Project

_MORE_THAN_CLEANING: Final = (
    exp.Join,
    exp.Lateral,
    exp.Group,
    exp.Having,
    exp.SetOperation,
    exp.Limit,
    exp.Fetch,
    exp.Pivot,
    exp.Unnest,
)


def staged_source(draft: Draft) -> Outside | None:
    """The source that a shared model cleans; None where it does something else."""
    if len(draft.outside) != 1 or draft.refs:
        return None
    if draft.tree.find(*_MORE_THAN_CLEANING) is not None or not _is_chain(draft.tree):
        return None
    windows = {id(node) for over in draft.tree.find_all(exp.Window) for node in over.walk()}
    groups = any(id(node) not in windows for node in draft.tree.find_all(exp.AggFunc))
    return None if groups else draft.outside[0]


def _is_chain(tree: exp.Query) -> bool:
    """Whether each query in it reads one other, the last one the source, and nothing else does."""
    steps = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    read = [table.name for table in tree.find_all(exp.Table)]
    inner = (node.parent for node in tree.find_all(exp.Select) if node is not tree)
    return (
        sum(name not in steps for name in read) == 1
        and len(read) == len(set(read))
        and all(
            isinstance(parent, exp.CTE)
            or (isinstance(parent, exp.Subquery) and isinstance(parent.parent, exp.From))
            for parent in inner
        )
    )


def staging(project: Project) -> frozenset[str]:
    """The names of the project's staging models."""
    return frozenset(d.name for d in project.intermediates if staged_source(d) is not None)
