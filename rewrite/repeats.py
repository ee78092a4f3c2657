"""What is still there more than once in a project: blocks over the same relations.

No proof and no family: where several models or macros select from the same relations, a person
may see what the rules did not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.rewrite.project import Project
from unwet.rewrite.sizes import tree_lines

SHOWN: Final = 5
_LEAST: Final = 8  # lines; less is what every query over these relations looks like


@dataclass(frozen=True, slots=True)
class Repeat:
    """Blocks over the same `relations`, in `hosts` (models and macros); `lines`: of all of them
    without the largest one."""

    relations: tuple[str, ...]
    hosts: tuple[str, ...]
    lines: int


def repeats(project: Project) -> tuple[Repeat, ...]:
    """The largest ones first."""
    found: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    macros = {macro.name: macro.tree for macro in project.library.macros}
    for host, tree in sorted({**project.library.models, **macros}.items()):
        for block in tree.find_all(exp.Select):
            relations = tuple(sorted(map(project.said, set(_read(block)))))
            if relations:
                lines = tree_lines(block, project.dialect)
                found[relations][host] = max(lines, found[relations].get(host, 0))
    made = (_repeat(relations, hosts) for relations, hosts in found.items())
    worth = [each for each in made if each is not None]
    return tuple(sorted(worth, key=lambda each: (-each.lines, each.relations))[:SHOWN])


def _repeat(relations: tuple[str, ...], hosts: dict[str, int]) -> Repeat | None:
    large = {host: lines for host, lines in hosts.items() if lines >= _LEAST}
    if len(large) < 2:
        return None
    return Repeat(relations, tuple(sorted(large)), sum(large.values()) - max(large.values()))


def _read(block: exp.Select) -> Iterator[str]:
    """The models and sources that a block selects from by itself."""
    sources = [block.args.get("from_"), *block.args.get("joins", ())]
    for source in sources:
        table = source.this if isinstance(source, exp.From | exp.Join) else None
        name = table.name if isinstance(table, exp.Table) else ""
        if name.lower().startswith(("ref__", "src__")):
            yield name
