"""Which relations a pile produces for its readers: its reports."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePath

from sqlglot import exp

from unwet.lineage.names import relation_name
from unwet.lineage.resolve import Kind, Resolved
from unwet.lineage.sources import SUFFIXES

_WRITES = {"view", "ctas", "select_into", "insert", "update", "delete", "merge"}


@dataclass(frozen=True, slots=True, order=True)
class Report:
    """A final relation and the statement that first produces it."""

    name: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Act:
    """What statement `index` of its script does to the relation `target`, and which it drops, by
    the names that it uses. `line`: where it stands."""

    path: str
    line: int
    index: int
    kind: Kind
    target: str
    temp: bool
    dropped: frozenset[str]


@dataclass(frozen=True, slots=True)
class Effect:
    """The same with the relations that the pile knows; `name`: the target as the source has it."""

    path: str
    line: int
    kind: Kind
    target: str
    name: str
    temp: bool
    dropped: frozenset[str]


def act(resolved: Resolved) -> Act:
    """What one statement does."""
    at, target = resolved.statement, resolved.target or ""
    dropped = frozenset(_dropped(resolved))
    return Act(at.path, at.span.line, at.index, resolved.kind, target, resolved.temp, dropped)


def effect(act: Act, target: str, restore: Callable[[str], str]) -> Effect:
    """What it does to the relation that its target is."""
    dropped = act.dropped | {target} if act.kind == "drop" and target else act.dropped
    return Effect(act.path, act.line, act.kind, target, restore(target), act.temp, dropped)


def reports(effects: Iterable[Effect]) -> tuple[Report, ...]:
    """Views, written tables and bare queries, in the order of the pile; each relation once, and
    each query, also where files of other folders are called alike.

    Temporary tables, and tables that their own script drops again, are not reports. A bare query
    is named after its file, with a number when the file has several.
    """
    found: dict[tuple[str, str], Report] = {}
    for path, script in groupby(effects, key=lambda each: each.path):
        for report, relation in _of_script(list(script)):
            found.setdefault((report.name, "" if relation else path), report)
    return tuple(found.values())


def stem(path: str) -> str:
    """The file name without folder and SQL suffix; log rows keep their number."""
    name, _, row = PurePath(path).name.partition("#")
    for suffix in sorted((*SUFFIXES, ".csv", ".jsonl"), key=len, reverse=True):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return f"{name}#{row}" if row else name


def _of_script(script: list[Effect]) -> Iterator[tuple[Report, bool]]:
    """Each with whether it is a relation."""
    dropped = {name: at for at, each in enumerate(script) for name in each.dropped}
    temporary = {each.target for each in script if each.temp}
    bare = sum(each.kind == "query" for each in script)
    number = 0
    for at, each in enumerate(script):
        path, line = each.path, each.line
        if each.kind == "query":
            number += 1
            name = stem(path) if bare == 1 else f"{stem(path)}-{number}"
            yield Report(name, path, line), False
        elif each.target and _lasts(each, at, temporary, dropped):
            yield Report(each.name, path, line), True


def _lasts(each: Effect, at: int, temporary: Collection[str], dropped: Mapping[str, int]) -> bool:
    """Whether what a statement writes is still there when its script has ended."""
    target = each.target
    return each.kind in _WRITES and target not in temporary and dropped.get(target, -1) < at


def _dropped(each: Resolved) -> Iterable[str]:
    if each.kind != "drop":
        return ()
    tree, dialect = each.statement.tree, each.statement.dialect
    tables = [*(tree.args.get("tables") or ()), tree.args.get("this")]
    return {relation_name(table, dialect) for table in tables if isinstance(table, exp.Table)}
