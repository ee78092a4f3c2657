"""Members of one list that differ in names or constants only: a loop over what differs.

``SUM(counter.a) AS a, SUM(counter.b) AS b, ...`` is a list of names, and is read as one. The items
of a SELECT, a STRUCT, a COALESCE, an array or an IN, the CTEs of a WITH, the joins of a FROM and
the branches of a UNION are laid side by side as they are printed, calls of macros included;
where a stretch of them is the same but for some words, it is one of them in a loop. Branches may
stand in any order behind the first one, which names the columns: those that are alike stand beside
one another where that makes fewer lines.

looped(tree, dialect, printed) -> the tree with a word in place of each loop, and the loops
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.targets.item_bodies import ItemLoop
from unwet.rewrite.targets.item_stretches import FEWEST, stretches, together
from unwet.rewrite.targets.loops import rebuilt
from unwet.rewrite.unions import branches, is_top, spelled, word

_LISTS: Final = (exp.Select, exp.Struct, exp.In, exp.Array, exp.With, exp.Coalesce)
_QUALIFYING: Final = frozenset({"bigquery", "databricks", "duckdb", "snowflake", "teradata"})
_STRUCT: Final = re.compile(r"STRUCT\((.*)\)", re.DOTALL)
_ELSEWHERE: Final = ("tail", "loop")  # begin words that stand for what is written elsewhere
_WIDE: Final = "_" * 90  # makes the list too long for one line
FIRST: Final = 100_000  # the number of the first loop over branches, behind those of calls

Printed = Callable[[exp.Expr], str]


@dataclass(frozen=True, slots=True)
class Placed:
    """A loop, the pattern of what stands in its place and may end with a comma, and what stands
    between its members; ``over``: the parameter that it goes over, where it has no rows."""

    loop: ItemLoop
    pattern: str
    between: str = ","
    over: str = ""


def looped(tree: exp.Expr, dialect: str, printed: Printed) -> tuple[exp.Expr, tuple[Placed, ...]]:
    """In place but for the tree's root; ``printed``: the template of a tree, whose words it may
    use up."""
    walk = _Walk(dialect, printed, [])
    for union in [node for node in tree.find_all(exp.Union) if is_top(node)]:
        found = walk.united(union)
        tree = found if union is tree else tree
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _LISTS) and len(node.expressions) >= FEWEST and walk.may_loop(node):
            walk.listed(node)
        if isinstance(node, exp.Select) and len(node.args.get("joins") or ()) >= FEWEST:
            walk.joined(node)
        waiting.extend(reversed([*node.iter_expressions()]))
    return tree, tuple(walk.found)


@dataclass(frozen=True, slots=True)
class _Walk:
    """What is known on the way through a tree."""

    dialect: str
    printed: Printed
    found: list[Placed]

    def may_loop(self, node: exp.Expr) -> bool:
        """Whether its items are printed where they stand, and nowhere else."""
        if not isinstance(node, exp.Select):
            return not node.args.get("recursive")
        if node.args.get("qualify") is not None and self.dialect not in _QUALIFYING:
            return False
        distinct = node.args.get("distinct")
        return distinct is None or distinct.args.get("on") is None

    def listed(self, node: exp.Expr) -> None:
        """A list, in place."""
        items: list[exp.Expr] = []
        for part in self._parts(node.expressions, lambda item: self._item(item, node)):
            if not isinstance(part, ItemLoop):
                items.append(part)
            elif isinstance(node, exp.With):
                items.append(self._cte(part))
            else:
                name = f"items_{len(self.found)}{_WIDE}"
                self.found.append(Placed(part, rf"{name}(,?)"))
                items.append(exp.column(name))
        if len(items) < len(node.expressions):
            node.set("expressions", items)

    def joined(self, node: exp.Select) -> None:
        """The joins of a FROM, in place."""
        joins: list[exp.Expr] = []
        old = node.args["joins"]
        for part in self._parts(old, lambda join: self.printed(copied(join)).strip(), ""):
            if not isinstance(part, ItemLoop):
                joins.append(part)
                continue
            name = f"items_{len(self.found)}"
            self.found.append(Placed(part, rf"CROSS JOIN {name}()\b", ""))
            joins.append(exp.Join(this=exp.to_table(name), kind="CROSS"))
        if len(joins) < len(old):
            node.set("joins", joins)

    def united(self, union: exp.Expr) -> exp.Expr:
        """A chain of branches; in place but for its root."""
        parts: list[exp.Expr] = []
        placed: list[Placed] = []
        old, between = branches(union), spelled(word(union), self.dialect)
        for part in self._branches(old, between):
            if isinstance(part, ItemLoop):
                name = f"loop__{FIRST + len(self.found) + len(placed)}__loop"
                placed.append(Placed(part, rf"{name}()", between))
                parts.append(exp.Var(this=name))
            else:
                parts.append(part)
        new = rebuilt(union, parts) if placed else None
        if new is None:
            return union
        self.found.extend(placed)
        union.replace(new)
        return new

    def _branches(self, old: Sequence[exp.Expr], between: str) -> list[ItemLoop | exp.Expr]:
        """Branches and loops, as they stand or with those beside one another that are alike."""
        texts: dict[int, str] = {}

        def text(branch: exp.Expr) -> str:
            if id(branch) not in texts:
                texts[id(branch)] = self.printed(copied(branch))
            return texts[id(branch)]

        def lines(part: ItemLoop | exp.Expr) -> int:
            if isinstance(part, ItemLoop):
                return part.lines + 1
            return text(part).count("\n") + 2 if _is_plain(part) else 0

        found = [*self._parts(old, text, between)]
        if not _repeats([branch for branch in old if _is_plain(branch)]):
            return found
        order = together([text(each) if _is_plain(each) else "" for each in old])
        other = [*self._parts([old[at] for at in order], text, between)]
        return min(found, other, key=lambda parts: sum(map(lines, parts)))

    def _cte(self, loop: ItemLoop) -> exp.Expr:
        name = f"items_{len(self.found)}{_WIDE}"
        # T-SQL's printer gives an output without a name one
        self.found.append(Placed(loop, rf"{name} AS \(\s*SELECT\s+1(?:\s+AS\s+\S+)?\s*\)(,?)"))
        one = exp.Select(expressions=[exp.Literal.number(1)])
        return exp.CTE(this=one, alias=exp.TableAlias(this=exp.to_identifier(name)))

    def _item(self, item: exp.Expr, node: exp.Expr) -> str:
        """An item as it is printed in its list; empty where that is not known."""
        if not isinstance(node, exp.Struct):
            return self.printed(copied(item))
        found = _STRUCT.fullmatch(self.printed(exp.Struct(expressions=[copied(item)])))
        return textwrap.dedent(found[1]).strip("\n") if found else ""

    def _parts(
        self,
        members: Sequence[exp.Expr],
        text: Callable[[exp.Expr], str],
        between: str = ",",
    ) -> Iterator[ItemLoop | exp.Expr]:
        """The members of a list, a loop in place of each stretch that is one."""
        for plain, alike in groupby(members, key=_is_plain):
            group = list(alike)
            if len(group) < FEWEST or not plain or not _repeats(group):
                yield from group
                continue
            for start, stop, loop in stretches([text(member) for member in group], between):
                yield from [loop] if loop is not None else group[start:stop]


def _repeats(members: Sequence[exp.Expr]) -> bool:
    """Whether some of them may be alike: a glance that saves printing the others."""
    kinds = [(type(member), type(member.unalias())) for member in members]
    return max(map(kinds.count, {*kinds}), default=0) >= FEWEST


def _is_plain(member: exp.Expr) -> bool:
    """No star of its own, and nothing in it that is written elsewhere."""
    if member.is_star and not isinstance(member, exp.Query):
        return False
    for node in member.walk():
        if isinstance(node, exp.Literal) and "\n" in node.name:
            return False  # its lines would be indented
        if isinstance(node, exp.Var) and node.name.startswith(_ELSEWHERE):
            return False
    return True
