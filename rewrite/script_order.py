"""In which order scripts run: whoever makes a relation before those who fill or read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from unwet.lineage.parse import Script
from unwet.lineage.resolve import Query, Resolved
from unwet.rewrite.reads import relations

CREATING = frozenset({"ctas", "view", "select_into", "create_table"})
_FILLING = frozenset({"ctas", "view", "select_into", "insert"})
EDITING = frozenset({"update", "delete", "merge"})
_CHANGING = frozenset({"truncate", "update", "delete", "merge"})


@dataclass(frozen=True, slots=True)
class Unit:
    """The statements of one script, and what they do to relations that other scripts see.

    ``makes`` creates, ``fills`` puts rows in, ``resets`` may take rows of others away, ``needs``
    has to be there before; ``scratch`` is made and dropped again by the script itself; ``edits``
    changes rows that are there, and does nothing else to them. ``creating``: the statements that
    create a relation, by it.
    """

    script: Script
    statements: tuple[Resolved, ...]
    makes: frozenset[str]
    fills: frozenset[str]
    resets: frozenset[str]
    needs: frozenset[str]
    scratch: frozenset[str]
    edits: frozenset[str] = frozenset()
    creating: Mapping[str, Sequence[Resolved]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.script.source.path


def unit(script: Script, statements: Sequence[Resolved]) -> Unit:
    """What a script does; ``statements`` are its own."""
    lasting = [w for r in statements for w in r.all() if w.target and not w.temp]
    scratch = _scratch(lasting)
    makes = _targets(lasting, CREATING) - scratch
    fills = _targets(lasting, _FILLING) - scratch
    changes = _targets(lasting, _CHANGING) - scratch
    resets = changes | _targets(lasting, frozenset({"ctas", "view", "select_into"})) - scratch
    resets |= (_targets(lasting, frozenset({"drop"})) & makes) | _overwritten(lasting)
    reads = {name for r in statements if r.query is not None for name in base_reads(r.query)}
    temps = {r.target for r in statements if r.target and r.temp}
    # a table that is only declared here (IF NOT EXISTS) gets its rows from others
    needs = (reads | fills | changes) - (makes & fills) - scratch - temps
    edits = frozenset(name for name in changes if _only_edits(lasting, name))
    creating: dict[str, list[Resolved]] = {}
    for each in (w for r in statements for w in r.all() if w.target and w.kind in CREATING):
        creating.setdefault(each.target or "", []).append(each)
    some = tuple(statements), makes, fills, resets, frozenset(needs), scratch, edits
    return Unit(script, *some, creating)


def _only_edits(statements: Sequence[Resolved], name: str) -> bool:
    """Whether all that is done to a relation is UPDATE, DELETE of some rows, or MERGE."""
    own = [each for each in statements if each.target == name]
    some = (each.kind != "delete" or each.statement.tree.args.get("where") for each in own)
    return {each.kind for each in own} <= EDITING and all(some)


def _targets(statements: Sequence[Resolved], kinds: frozenset[str]) -> frozenset[str]:
    return frozenset(r.target for r in statements if r.target and r.kind in kinds)


def _overwritten(statements: Sequence[Resolved]) -> frozenset[str]:
    found = (r for r in statements if r.kind == "insert" and r.statement.tree.args.get("overwrite"))
    return frozenset(r.target for r in found if r.target)


def _scratch(statements: Sequence[Resolved]) -> frozenset[str]:
    """Relations that a script makes and in the end drops: temporary in all but name."""
    left: dict[str, bool] = {}
    for statement in statements:
        if statement.target and statement.kind in CREATING | _FILLING:
            left[statement.target] = True
        elif statement.target in left and statement.kind == "drop":
            left[statement.target] = False
    return frozenset(name for name, remains in left.items() if not remains)


def conflicts(units: Sequence[Unit]) -> dict[str, str]:
    """Relations whose rows depend on the order of scripts, with the reason."""
    writers: dict[str, list[Unit]] = {}
    for each in units:
        for name in each.fills | each.resets | each.scratch:
            writers.setdefault(name, []).append(each)
    last = edited_last(units)
    told = ((name, _conflict(name, many)) for name, many in writers.items()
            if len(many) > 1 and name not in last)  # fmt: skip
    return {name: reason for name, reason in told if reason}


def edited_last(units: Sequence[Unit]) -> dict[str, str]:
    """Relations that one script makes and fills, and one other changes, for which there is no table
    before: the path of that other one. With a third one, nobody knows which is first."""
    writers: dict[str, list[Unit]] = {}
    for each in units:
        for name in each.makes | each.fills | each.resets | each.scratch:
            writers.setdefault(name, []).append(each)
    found: dict[str, str] = {}
    for name, several in writers.items():
        makers = [each for each in several if makes_table(each, name)]
        edits = [each for each in several if name in each.edits]
        if len(several) == 2 and len(makers) == len(edits) == 1:
            found[name] = edits[0].path
    return found


def makes_table(unit: Unit, name: str) -> bool:
    """Whether a script makes and fills it; not a view, behind which the changes would be, nor one
    that may be there already, with rows that could be changed before."""
    made = unit.creating.get(name, ())
    anew = all(w.kind != "view" and not w.statement.tree.args.get("exists") for w in made)
    return name in (unit.makes & unit.fills) - unit.scratch and anew


def _conflict(name: str, writers: Sequence[Unit]) -> str:
    makers = [u.path for u in writers if name in u.makes | u.scratch]
    fillers = [u for u in writers if name in u.fills | u.scratch]
    resets = [u.path for u in writers if name in u.resets | u.scratch]
    if len(makers) > 1:
        return f"created by two scripts: {' and '.join(sorted(makers))}"
    if fillers and resets and (resets != makers or not _begins_by_making(writers, name)):
        paths = sorted(u.path for u in writers)
        number = "two" if len(paths) == 2 else f"{len(paths):,}"
        return f"written by {number} scripts: {', '.join(paths[:-1])} and {paths[-1]}"
    return ""


def _begins_by_making(writers: Sequence[Unit], name: str) -> bool:
    """Whether the one script that makes a relation takes away no rows afterwards: it runs before
    those that add some."""
    maker = next(u for u in writers if name in u.makes | u.scratch)
    kinds = [w.kind for r in maker.statements for w in r.all() if w.target == name]
    first = next(at for at, kind in enumerate(kinds) if kind in CREATING)
    return set(kinds[first + 1 :]) <= {"insert"} and name not in maker.scratch


def in_order(units: Sequence[Unit]) -> tuple[list[Unit], frozenset[str]]:
    """Makers and fillers before those who need them; paths of scripts on a cycle are named."""
    sources = _sources(units, edited_last(units))
    done: list[Unit] = []
    state: dict[str, int] = {}
    cyclic: set[str] = set()
    for root in units:
        stack = [root]
        while stack:
            current = stack[-1]
            if state.get(current.path) == 2:
                stack.pop()
                continue
            waiting = list(_waiting(current, sources))
            if state.setdefault(current.path, 1) == 1:
                cyclic.update(_circle(stack, waiting, state))
            fresh = next((u for u in waiting if u.path not in state), None)
            if fresh is not None:
                stack.append(fresh)
                continue
            state[current.path] = 2
            done.append(current)
            stack.pop()
    return done, frozenset(cyclic)


def _sources(units: Sequence[Unit], last: Mapping[str, str]) -> dict[str, list[Unit]]:
    sources: dict[str, list[Unit]] = {}
    for each in units:
        for name in each.makes | each.fills | {n for n in each.edits if last.get(n) == each.path}:
            sources.setdefault(name, []).append(each)
    return sources


def _waiting(current: Unit, sources: dict[str, list[Unit]]) -> Iterator[Unit]:
    """The scripts that have to run before: of those that fill the same relation, its maker."""
    for name in sorted(current.needs - (current.makes & current.fills)):
        for source in sources.get(name, ()):
            if source is not current and (name not in current.fills or name in source.makes):
                yield source


def _circle(stack: list[Unit], waiting: list[Unit], state: dict[str, int]) -> list[str]:
    trail = [each.path for each in stack]
    starts = [trail.index(u.path) for u in waiting if state.get(u.path) == 1 and u.path in trail]
    return trail[min(starts) :] if starts else []


def base_reads(query: Query) -> frozenset[str]:
    """The relations a query reads, its CTEs, branches and nested subqueries included."""
    return frozenset(item.relation for item in relations(query) if item.relation is not None)
