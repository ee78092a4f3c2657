"""What a script says for itself only: functions that it defines, and the time zone it runs in.

A model has neither, so that a statement means what it meant only if its functions are those that
most statements of the pile call by these names; the project takes these for granted. Two scripts
that define `IS_GOOD` otherwise do not say the same with it.

in_own_words(scripts) -> what no model can say, and what the project takes for granted
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Script, Statement
from unwet.lineage.trees import copied

_OUTSIDE: Final = ""  # a function that nobody in the pile defines
_KINDS: Final = frozenset({"FUNCTION", "MACRO"})
_MARKS: Final = re.compile(r"[`\"\[\]\s]")
_ZONE: Final = re.compile(
    r"\s*(?:SET|ALTER\s+SESSION\s+SET)\s+(?:SESSION\s+|LOCAL\s+|@@session\.)?"
    r"(?:TIME\s+ZONE|TIME_?ZONE\s*(?:=|TO)|spark\.sql\.session\.timeZone\s*=)\s*(?P<zone>[^;]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Call:
    """A statement that calls a function: which one it is, by its text."""

    path: str
    index: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class OwnWords:
    """By path of a script: why a statement, by its index, is not what it would be in another one;
    and what its statements take for granted of the engine."""

    reasons: Mapping[str, Mapping[int, str]]
    granted: Mapping[str, set[str]]


def in_own_words(scripts: Sequence[Script]) -> OwnWords:
    """Functions are those that most statements call by a name, the first of equally many."""
    reasons: dict[str, dict[int, str]] = defaultdict(dict)
    granted: dict[str, set[str]] = defaultdict(set)
    for name, calls in _calls_by_name(scripts).items():
        usual = Counter(call.text for call in calls).most_common(1)[0][0]
        first = next(call for call in calls if call.text == usual)
        for call in calls:
            if call.text != usual:
                said = f"{name} is another function in it than in {first.path}"
                reasons[call.path].setdefault(call.index, said)
            elif usual != _OUTSIDE:
                granted[call.path].add(f"the function {name} is there as {first.path} has it")
    for path, index, reason in _zones(scripts):
        reasons[path].setdefault(index, reason)
    return OwnWords(reasons, granted)


# --- functions ----------------------------------------------------------------------------------


def _calls_by_name(scripts: Sequence[Script]) -> Mapping[str, Sequence[_Call]]:
    """The calls of functions that some script defines."""
    found: dict[str, list[_Call]] = defaultdict(list)
    defined = {name for script in scripts for s in script.statements if (name := _defines(s.tree))}
    lasting = _lasting(scripts)
    for script in scripts if defined else ():
        for call in _calls(script, defined, lasting):
            found[call.name].append(call)
    return found


def _lasting(scripts: Sequence[Script]) -> Mapping[str, set[str]]:
    """The texts of functions that outlive their scripts, by name."""
    found: dict[str, set[str]] = defaultdict(set)
    for script in scripts:
        for statement in script.statements:
            name = _defines(statement.tree)
            if name and not _is_temporary(statement.tree):
                found[name].add(_text(statement.tree))
    return found


def _calls(script: Script, defined: set[str], lasting: Mapping[str, set[str]]) -> Iterator[_Call]:
    """The calls of a script, in its order: of its own function, or of one that lasts."""
    own: dict[str, str] = {}
    for statement in sorted(script.statements, key=lambda each: each.span):
        if name := _defines(statement.tree):
            own[name] = _text(statement.tree)
            continue
        for name in sorted(_called(statement) & defined):
            texts = lasting.get(name, set())
            text = own.get(name, next(iter(texts)) if len(texts) == 1 else _OUTSIDE)
            if len(texts) > 1 and name not in own:
                text = f"{script.source.path}: one of several"  # nobody says which one
            yield _Call(statement.path, statement.index, name, text)


def _defines(tree: exp.Expr) -> str:
    """The name of the function that a statement defines, in lower case; empty for any other."""
    if not isinstance(tree, exp.Create) or str(tree.args.get("kind")).upper() not in _KINDS:
        return ""
    function = tree.this
    named = function.this if isinstance(function, exp.UserDefinedFunction) else function
    return _MARKS.sub("", named.sql()).lower() if isinstance(named, exp.Expr) else ""


def _is_temporary(tree: exp.Expr) -> bool:
    properties = tree.args.get("properties")
    return properties is not None and properties.find(exp.TemporaryProperty) is not None


def _text(tree: exp.Expr) -> str:
    """What is equal of definitions that say the same: OR REPLACE and comments say nothing."""
    copy = copied(tree)
    copy.set("replace", None)
    copy.set("exists", None)
    return copy.sql(comments=False)


def _called(statement: Statement) -> set[str]:
    """The names of the functions that it calls, as they are written or the parser knows them."""
    found: set[str] = set()
    for node in statement.tree.find_all(exp.Func):
        if not isinstance(node, exp.Anonymous):
            found.update(name.lower() for name in node.sql_names())
            continue
        around = node.parent
        front = around.this.sql() if isinstance(around, exp.Dot) and around.this is not node else ""
        found.add(_MARKS.sub("", f"{front}.{node.name}" if front else node.name).lower())
    return found


# --- the time zone ------------------------------------------------------------------------------


def _zones(scripts: Sequence[Script]) -> Iterator[tuple[str, int, str]]:
    """Statements behind a time zone, where scripts have different ones."""
    placed = [(script, sorted(script.statements, key=lambda each: each.span)) for script in scripts]
    said = {_zone(statement) for _, statements in placed for statement in statements} - {""}
    for script, statements in placed if len(said) > 1 else ():
        line = 0
        for statement in statements:
            if _zone(statement):
                line = statement.span.line
            elif line:
                yield script.source.path, statement.index, f"line {line} sets a time zone"


def _zone(statement: Statement) -> str:
    hit = _ZONE.match(statement.text)
    return hit["zone"].strip().lower() if hit is not None else ""
