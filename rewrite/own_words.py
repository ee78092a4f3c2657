"""What a script says for itself only: functions that it defines, and settings of its session.

A model has no settings of its own (session_settings.py), and of the functions those that the
project makes (own_functions.py). Of others a statement means what it meant only if they are those
that most statements of the pile call by these names; the project takes these for granted. Two
scripts that define `IS_GOOD` otherwise do not say the same with it. What an engine's own tables say
of others (INFORMATION_SCHEMA.TABLES) may be otherwise where the models are built, too.

in_own_words(scripts) -> what no model can say, and what the project takes for granted
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Script
from unwet.lineage.trees import found_in
from unwet.rewrite.function_words import called
from unwet.rewrite.session_settings import under_settings
from unwet.rewrite.unsure_functions import Said, said, says, unsure

_OF_THE_ENGINE: Final = frozenset({"information_schema", "pg_catalog", "sys"})
_OUTSIDE: Final = ""  # a function that nobody in the pile defines


@dataclass(frozen=True, slots=True)
class _Call:
    """A statement that calls a function: which one it is, by its text, and whether it ends with
    the script."""

    path: str
    index: int
    name: str
    text: str
    ends: bool


@dataclass(frozen=True, slots=True)
class OwnWords:
    """By path of a script: why a statement, by its index, is not what it would be in another one;
    and what its statements take for granted of the engine."""

    reasons: Mapping[str, Mapping[int, str]]
    granted: Mapping[str, set[str]]


def in_own_words(
    scripts: Sequence[Script], made: Collection[str] = (), models: bool = False
) -> OwnWords:
    """Functions are those that most statements call by a name, the first of equally many; not
    those that the project has ``made`` its own. Where statements become ``models``, others that
    end with their script are gone when these run."""
    reasons: dict[str, dict[int, str]] = defaultdict(dict)
    granted: dict[str, set[str]] = defaultdict(set)
    definitions = [said(script) for script in scripts]
    for path, index, reason in _doubts(scripts, definitions):
        reasons[path].setdefault(index, reason)
    for name, calls in _calls_by_name(scripts, definitions, made).items():
        usual = Counter(call.text for call in calls).most_common(1)[0][0]
        first = next(call for call in calls if call.text == usual)
        for call in calls:
            if call.text != usual:
                why = f"{name} is another function in it than in {first.path}"
                reasons[call.path].setdefault(call.index, why)
            elif models and call.ends:
                why = f"it calls {name}, which ends with its script and cannot be the project's"
                reasons[call.path].setdefault(call.index, why)
            elif usual != _OUTSIDE:
                granted[call.path].add(f"the function {name} is there as {first.path} has it")
    for path, name in _catalogs(scripts):
        granted[path].add(f"{name} says of the project's tables what it said of the scripts'")
    settings = under_settings(scripts)
    for path, own in settings.reasons.items():
        reasons[path] = {**own, **reasons[path]}
    for path, said_so in settings.granted.items():
        granted[path] |= said_so
    return OwnWords(reasons, granted)


def _catalogs(scripts: Sequence[Script]) -> Iterator[tuple[str, str]]:
    """The tables of the engine that scripts read, each with the path of one."""
    for script in scripts:
        trees = (statement.tree for statement in script.statements)
        for table in (table for tree in trees for table in found_in(tree, exp.Table)):
            parts = [part.lower() for each in table.parts for part in each.name.split(".")]
            if not _OF_THE_ENGINE.isdisjoint(parts[:-1]) or parts[-1:] == ["__tables__"]:
                yield script.source.path, ".".join(parts[-2:])


# --- functions ----------------------------------------------------------------------------------


def _calls_by_name(
    scripts: Sequence[Script], definitions: Sequence[Sequence[Said]], made: Collection[str]
) -> Mapping[str, Sequence[_Call]]:
    """The calls of functions that some script defines."""
    found: dict[str, list[_Call]] = defaultdict(list)
    defined = {one.name for own in definitions for one in own} - {*made}
    lasting = _lasting(definitions)
    for script, own in zip(scripts, definitions, strict=True) if defined else ():
        for call in _calls(script, own, defined, lasting):
            found[call.name].append(call)
    return found


def _lasting(definitions: Sequence[Sequence[Said]]) -> Mapping[str, set[str]]:
    """The texts of functions that outlive their scripts, by name."""
    found: dict[str, set[str]] = defaultdict(set)
    for own in definitions:
        for one in own:
            if one.lasts:
                found[one.name].add(one.text)
    return found


def _calls(
    script: Script, said_in_it: Sequence[Said], defined: set[str], lasting: Mapping[str, set[str]]
) -> Iterator[_Call]:
    """The calls of a script, in its order: of its own function, or of one that lasts."""
    own: dict[str, str] = {}
    lasts: dict[str, bool] = {}
    for one in said_in_it:
        if one.at < 0:
            own[one.name], lasts[one.name] = one.text, one.lasts
    for statement in sorted(script.statements, key=lambda each: each.span):
        if definitions := [*says(statement)]:
            own |= {one.name: _whole(one, own) for one in definitions}
            lasts |= {one.name: one.lasts for one in definitions}
            continue
        for name in sorted(called(statement.tree) & defined):
            texts = lasting.get(name, set())
            text = own.get(name, next(iter(texts)) if len(texts) == 1 else _OUTSIDE)
            if len(texts) > 1 and name not in own:
                text = f"{script.source.path}: one of several"  # nobody says which one
            ends = not lasts.get(name, True)
            yield _Call(statement.path, statement.index, name, text, ends)


def _whole(one: Said, own: Mapping[str, str]) -> str:
    """A definition, and those of the script that it calls where it lasts no longer than them."""
    inner = [own[name] for name in sorted(one.calls) if name in own and name != one.name]
    return one.text if one.lasts else "\n".join((one.text, *inner))


def _doubts(
    scripts: Sequence[Script], definitions: Sequence[Sequence[Said]]
) -> Iterator[tuple[str, int, str]]:
    """Statements that call functions of which nobody knows what they do."""
    for script, own in zip(scripts, definitions, strict=True):
        doubts = unsure(script, own)
        for statement in script.statements if doubts else ():
            names = called(statement.tree) & doubts.keys()
            if name := min(names, default=""):
                yield script.source.path, statement.index, f"it calls {name}: {doubts[name]}"
