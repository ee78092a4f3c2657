"""Models that are calls of one macro, and say most arguments alike, call a macro that says these.

    {{ pings(bookmarks(), source('fenix_stable', 'bookmarks_v1')) }}
    {{ pings(bookmarks(), source('klar_stable', 'bookmarks_v1')) }}

    {% macro bookmarks_pings(origin) %}
    {{ pings(bookmarks(), source(origin ~ '_stable', 'bookmarks_v1')) }}
    {% endmacro %}

    {{ bookmarks_pings('fenix') }}
    {{ bookmarks_pings('klar') }}

Only models that are nothing else, in whose arguments constants differ and nothing more; and only
where that saves lines, as it is one more macro to open.

with_call_macros(files, taken) -> the files, and the macros
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, takewhile
from typing import Final, NamedTuple

from unwet.rewrite.naming import free_macro, free_parameter, hole_name, shared_words
from unwet.rewrite.targets.jinja import called
from unwet.rewrite.targets.made_macros import HEAD, MadeMacro, comment_of, macro_file, stem
from unwet.rewrite.targets.shared_lists import TEXT

_LEAST_SAVED: Final = 5  # lines; a macro is a file more to open
_PARAMS: Final = 2  # what a call says without names
_MODELS: Final = "models/"
_CALL: Final = re.compile(
    rf"(?P<head>(?:-- .*\n)*)\{{\{{ (?P<macro>\w+)\((?P<args>(?:{TEXT}|[^'\"\\{{}}])*)\) \}}\}}\n?"
)
_TOKEN: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\w+|\s+|.", re.DOTALL)
_BEFORE: Final = frozenset("(,=~[")  # a constant beside these may be any other expression
_AFTER: Final = frozenset("),~]")


class _Model(NamedTuple):
    """A model that is a call: tokens of its arguments, and how many lines it takes. ``params``: of
    the macro that it calls."""

    path: str
    head: str
    macro: str
    params: tuple[str, ...]
    tokens: tuple[str, ...]
    lines: int

    def constants(self) -> dict[int, str]:
        return {at: token for at, token in enumerate(self.tokens) if token[0] in "'\""}


class _Hole(NamedTuple):
    """Where models say something else: what stands around it everywhere, and what each says."""

    before: str
    values: tuple[str, ...]
    after: str


@dataclass(frozen=True, slots=True)
class _Family:
    """Models with the same constants but in holes. ``saved``: lines."""

    models: tuple[_Model, ...]
    holes: Mapping[int, _Hole]
    saved: int

    @property
    def params(self) -> list[tuple[str, ...]]:
        """What each parameter is, model by model."""
        return [*dict.fromkeys(hole.values for hole in self.holes.values())]


def with_call_macros(
    files: Mapping[str, str], taken: Collection[str]
) -> tuple[dict[str, str], tuple[MadeMacro, ...]]:
    """``taken``: names of models and macros."""
    found, macros, names = dict(files), [], {*taken}
    for group in _alike(files):
        while (best := _best(group)) is not None:
            macro = _macro(best, names)
            names.add(macro.name)
            macros.append(macro)
            for number, model in enumerate(best.models):
                found[model.path] = f"{model.head}{_said(macro.name, best, number)}\n"
            group = [each for each in group if each not in best.models]
    return found, tuple(macros)


def _alike(files: Mapping[str, str]) -> list[list[_Model]]:
    """Models whose calls differ in constants only."""
    heads = (HEAD.match(text) for text in files.values())
    params = {hit[1]: tuple(_params(hit[2])) for hit in heads if hit}
    groups: dict[tuple[str, tuple[str, ...]], list[_Model]] = defaultdict(list)
    for path, text in sorted(files.items()):
        hit = _CALL.fullmatch(text) if path.startswith(_MODELS) else None
        if hit is not None and hit["macro"] in params:
            tokens = tuple(" " if token.isspace() else token for token in _tokens(hit["args"]))
            lines = text.removeprefix(hit["head"]).strip().count("\n") + 1
            model = _Model(path, hit["head"], hit["macro"], params[hit["macro"]], tokens, lines)
            shape = tuple("''" if token[0] in "'\"" else token for token in tokens)
            groups[model.macro, shape].append(model)
    return [*groups.values()]


def _tokens(args: str) -> list[str]:
    """The arguments as they are in one line."""
    return _TOKEN.findall(re.sub(r"(?<=[(\[])\s*\n\s*|\s*\n\s*(?=[)\]])", "", args.strip()))


def _best(group: Sequence[_Model]) -> _Family | None:
    """Those that one macro saves most lines of, whatever two of them have in common."""
    seen: dict[tuple[tuple[int, str], ...], _Family | None] = {}
    wide = [each for each in group if each.lines > 1]
    for one, other in combinations(wide, 2):
        same = tuple(sorted(one.constants().items() & other.constants().items()))
        if same not in seen:
            seen[same] = _family([e for e in wide if {*same} <= e.constants().items()])
    return max(filter(None, seen.values()), key=lambda family: family.saved, default=None)


def _family(models: Sequence[_Model]) -> _Family | None:
    """The family of these; None where it does not pay, or has too many parameters."""
    first = models[0]
    holes: dict[int, _Hole] = {}
    for at in first.constants():
        values = tuple(each.tokens[at] for each in models)
        if len({*values}) > 1:
            if not _may_differ(first.tokens, at) or any('"' in value for value in values):
                return None
            holes[at] = _hole([value[1:-1] for value in values])
    family = _Family(tuple(models), holes, 0)
    if not 0 < len(family.params) <= _PARAMS:
        return None
    macro = _macro(family, ())
    new = [_said(macro.name, family, number).count("\n") + 1 for number in range(len(models))]
    saved = sum(each.lines for each in models) - sum(new) - macro.text.count("\n")
    return _Family(family.models, holes, saved) if saved >= _LEAST_SAVED else None


def _may_differ(tokens: Sequence[str], at: int) -> bool:
    """Whether anything that is a text may stand there, in the place of a constant."""
    around = [token for token in tokens if token != " "]
    number = at - tokens[:at].count(" ")
    before, after = (["(", *around][number], [*around, ")"][number + 1])
    return before in _BEFORE and after in _AFTER


def _hole(values: Sequence[str]) -> _Hole:
    """The words at both ends that all have stand around."""
    split = [value.split("_") for value in values]
    start = _first(split)
    rest = [words[start:] for words in split]
    end = _first([words[::-1] for words in rest])
    said = tuple("_".join(words[: len(words) - end]) for words in rest)
    if not all(said):
        return _Hole("", tuple(values), "")
    before, after = split[0][:start], rest[0][len(rest[0]) - end :]
    return _Hole("".join(f"{word}_" for word in before), said, "".join(f"_{w}" for w in after))


def _first(split: Sequence[Sequence[str]]) -> int:
    """How many words all begin with."""
    same = (len({*words}) == 1 for words in zip(*split, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def _said(name: str, family: _Family, number: int) -> str:
    """The call that one of the models is now."""
    return called(name, [f"'{values[number]}'" for values in family.params])


def _macro(family: _Family, taken: Collection[str]) -> MadeMacro:
    first = family.models[0]
    stems = [stem(each.path) for each in family.models]
    words = shared_words(stems, f"{first.macro}_of")
    name = free_macro(words, {*taken, *first.tokens})
    names: dict[tuple[str, ...], str] = {}
    keys = [token for token in first.tokens if token != " "]
    spoken = {word for word, after in zip(keys, [*keys[1:], ")"], strict=True) if after != "="}
    for at, hole in family.holes.items():
        if hole.values not in names:
            role = hole_name(hole.values, _role(first, at))
            names[hole.values] = free_parameter(role, {*spoken, *names.values(), name})
    tokens = [
        _expression(family.holes[at], names) if at in family.holes else token
        for at, token in enumerate(first.tokens)
    ]
    params = tuple(names.values())
    body = called(first.macro, [*_arguments("".join(tokens))])
    comment = comment_of(stems, f"say to {first.macro}")
    return MadeMacro(name, comment, macro_file(name, body, params), params)


def _role(model: _Model, at: int) -> str:
    """What a constant is called that nothing else names: as its argument is, or what is read."""
    before = [token for token in model.tokens[:at] if token != " "]
    if len(before) > 1 and before[-1] in "=(":
        usual = before[-2] if before[-1] == "=" else "name"
        return {"source": "origin", "ref": "model"}.get(before[-2], usual)
    number = sum(1 for _ in _arguments("".join(model.tokens[:at]))) - 1
    return model.params[number] if number < len(model.params) else "value"


def _expression(hole: _Hole, names: Mapping[tuple[str, ...], str]) -> str:
    around = [f"'{hole.before}'" if hole.before else "", f"'{hole.after}'" if hole.after else ""]
    return " ~ ".join(filter(None, (around[0], names[hole.values], around[1])))


def _arguments(text: str) -> Iterator[str]:
    """The arguments of a call, each by itself."""
    depth, part = 0, ""
    for token in _TOKEN.findall(text):
        depth += (token in "([{") - (token in ")]}")
        if token == "," and not depth:
            yield part.strip()
            part = ""
        else:
            part += token
    yield part.strip()


def _params(text: str) -> Iterator[str]:
    """The names of a macro's parameters, without their defaults."""
    yield from (re.split(r"\W", each, maxsplit=1)[0] for each in _arguments(text))
