"""Other names for macros whose names say nothing, or only a number that sets them apart.

    report_rows_13 (category)  selects crawlable, freq from lighthouse  -> crawlable_rows
    pct_good_columns_4         pct_good_ttfb, pct_good_fcp, ...         -> pct_good_ttfb_columns

What a macro puts out, reads, hands on and asks for are the words for it: first those that fewest of
the macros with the same name have. One of these keeps the name, if it says anything. A word that
nearly all reports begin with says nothing of a macro, and goes.
Numbers are left to those that nothing sets apart, not even a single word or a year, without gaps,
behind what they have in common.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import HOLE, Library, Macro, calls_within, numbers_of, texts_within
from unwet.rewrite.naming import RESERVED, free_macro, snake
from unwet.rewrite.plan_types import words
from unwet.rewrite.project import Project

_NUMBERED: Final = re.compile(r"(?P<base>.*[a-z])_(?P<number>[2-9]|[1-9]\d)")
_KIND: Final = re.compile(r"(?P<stem>.*?)_?(?P<kind>(?:rows|columns|part|total)?)")
_SOURCE: Final = re.compile(r"(?:src|ref)__(?:\w+__)?(?:int_|stg_)?(\w+?)__(?:src|ref)", re.I)
_DATED: Final = re.compile(r"src__(\w+?)__(?:x|[\d_]+)__src", re.I)  # of a schema of dated tables
_MARK: Final = re.compile(r"\w*?__\w+__\w*|\w+__of|\d+")
# What says nothing of a macro: as its whole name, and as a word beside others.
_NOTHING: Final = words(
    "report reports rows columns part total x condition value top sum count input shared"
)
_LITTLE: Final = _NOTHING | RESERVED | words(
    "all any asc base column cte data int id ids n name null own part query result results row stg "
    "true false suffix cast round approx quantiles offset equals within through"
)  # fmt: skip
_OF_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?=[-_]\d\d(?!\d))")  # in dates and tables
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_SHORTEST: Final = 2  # letters of what is no word
_WORDS: Final = 2  # of one thing that a macro says
_BEST: Final = 4  # things that a macro says, of which one or two are for a name
_SHORT: Final = 20
_MANY: Final = 8  # reports; what fewer begin with may be chance
_NEARLY: Final = 0.9  # of the reports
_LEAST: Final = 3  # letters of a name
_LONGEST: Final = 44


def telling_macros(project: Project, taken: Iterable[str]) -> dict[str, str]:
    """By name: the other one, which is free. ``taken``: names that nothing may get."""
    library = project.library
    names = [macro.name for macro in library.macros]
    nothing = _NOTHING | _beginning(project.reports)
    used = {*taken, *names, *project.reports, *(d.name for d in project.drafts),
            *(d.name for d in project.intermediates),
            *(name for macro in library.macros for name in macro.params)}  # fmt: skip
    said = {macro.name: [*dict.fromkeys(_said(macro, library))] for macro in library.macros}
    everywhere = Counter(one for each in said.values() for one in {*_phrases(each, nothing)})
    found: dict[str, str] = {}
    for base, members in sorted(_alike(names, nothing, project.reports).items()):
        plain = base in members and not _is_idle(base, nothing)
        others = [name for name in members if name != base or not plain]
        own = {name: said[name] for name in members}
        told = _told(base, others, own, used, everywhere, nothing)
        found |= told
        used |= {*told.values()}
    for name in names:
        to = _without(found.get(name, name), nothing - _NOTHING)
        if to not in used and free_macro(to, ()) == to and not _is_idle(to, nothing):
            found[name] = to
            used.add(to)
    return found


def _beginning(reports: Collection[str]) -> frozenset[str]:
    """The word that nearly all reports begin with, if they do."""
    many = Counter(name.partition("_")[0] for name in reports if "_" in name)
    word, times = max(many.items(), key=lambda each: (each[1], each[0]), default=("", 0))
    return frozenset({word} if len(reports) >= _MANY and times >= _NEARLY * len(reports) else ())


def _without(name: str, nothing: Collection[str]) -> str:
    """A name without such a word in front, where what is left is one."""
    word, _, rest = name.partition("_")
    return rest if word in nothing and rest[:1].isalpha() and len(rest) > _LEAST else name


def made_as(project: Project, forbidden: Collection[str]) -> dict[str, str]:
    """What macros are called that would get a forbidden name, and that name."""
    told = telling_macros(project, ()) if forbidden else {}
    return {name: to for name, to in told.items() if to in forbidden and name not in forbidden}


def _alike(
    names: Sequence[str], nothing: Collection[str], reports: Collection[str]
) -> dict[str, list[str]]:
    """By the name without its number, those that have it, if one of them is to be renamed. Where a
    report is called so, the number is one more than those of reports."""
    groups: dict[str, list[str]] = defaultdict(list)
    known = {*names, *reports}
    for name in names:
        hit = _NUMBERED.fullmatch(name)
        base = hit["base"] if hit is not None else name
        rest = _KIND.fullmatch(base)
        of_kind = rest is not None and bool(rest["kind"])
        groups[base if hit is not None and (base in known or of_kind) else name].append(name)
    return {base: members for base, members in groups.items()
            if members != [base] or _is_idle(base, nothing)}  # fmt: skip


def _is_idle(name: str, nothing: Collection[str]) -> bool:
    """Whether none of its words says anything."""
    return all(word in nothing or word.isdecimal() for word in name.split("_"))


def _told(
    base: str,
    others: Sequence[str],
    said: Mapping[str, Sequence[str]],
    used: Iterable[str],
    everywhere: Mapping[str, int],
    nothing: Collection[str],
) -> dict[str, str]:
    idle = _is_idle(base, nothing)
    known = {*nothing, *(base.split("_") if not idle else ())}
    phrases = {name: _phrases(each, known) for name, each in said.items()}
    times = Counter(phrase for found in phrases.values() for phrase in {*found})
    stem, kind = ("", "") if (hit := _KIND.fullmatch(base)) is None else (hit["stem"], hit["kind"])
    stem = "" if idle else _without(stem or base, {*nothing} - _NOTHING)
    kind = "rows" if not kind and not stem else kind
    taken, found = set(used), dict[str, str]()
    for name in sorted(others, key=_order):
        ranked = sorted(phrases[name], key=lambda each: (times[each], everywhere.get(each, 0)))
        choices = (_joined(stem, more, kind) for more in _choices(ranked, times))
        fitting = [to for to in choices if to not in taken and free_macro(to, ()) == to]
        least = len(name) if stem else _SHORT  # longer ones make calls that have to be wrapped
        fitting.sort(key=partial(_beyond, least))
        if fitting and len(fitting[0]) <= _LONGEST:
            found[name] = fitting[0]
            taken.add(fitting[0])
    left = [name for name in sorted(others, key=_order) if name not in found]
    free = taken - set(others)
    for name in left:
        said_by_several = (_joined(stem, (one,), kind) for one in phrases[name][:_BEST] if idle)
        common = next((to for to in said_by_several if len(to) <= max(_SHORT, len(name))), base)
        to = free_macro(common, free)
        if stem and to != base:
            options = (_joined(stem, (word,), kind) for word in _apart(name, said, known))
            fitting = [e for e in options if e not in taken | free and len(e) <= _LONGEST]
            to = fitting[0] if fitting else to
        free.add(to)
        if to != name:
            found[name] = to
    return found


def _apart(name: str, said: Mapping[str, Sequence[str]], known: Collection[str]) -> list[str]:
    """The words that one of several macros says and the others do not; years come last."""

    def spoken(each: str) -> dict[str, None]:
        return {word: None for one in said[each] for word in snake(one).split("_")}

    others = {word for each in said if each != name for word in spoken(each)}
    own = [word for word in spoken(name) if word not in others | {*known} | _LITTLE]
    told = [word for word in own if len(word) > _SHORTEST and word.isalpha()]
    return told + [word for word in own if _YEAR.fullmatch(word)]


def _beyond(least: int, name: str) -> int:
    return max(least, len(name))


def _joined(stem: str, more: Sequence[str], kind: str) -> str:
    """That it is rows nobody has to be told where two words say of what."""
    several = bool(stem) + len(more) > 1
    return "_".join(filter(None, (stem, *more, "" if kind == "rows" and several else kind)))


def _order(name: str) -> tuple[int, str]:
    hit = _NUMBERED.fullmatch(name)
    return (int(hit["number"]) if hit is not None else 1, name)


def _choices(ranked: Sequence[str], times: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """A phrase that no other one has; then words of two. ``ranked``: the most telling first."""
    best = ranked[:_BEST]
    yield from ((one,) for one in best if times[one] == 1)
    for one, other in combinations(best, 2):
        if not set(one.split("_")) & set(other.split("_")):
            yield (one.partition("_")[0], other.partition("_")[0])


def _phrases(said: Sequence[str], known: Collection[str]) -> list[str]:
    """What it says in words that the name does not have yet."""
    found: dict[str, None] = {}
    for each in said:
        split = (w for w in snake(each).split("_") if len(w) > 2 and not w.isdecimal())
        told = [word for word in split if word not in known and word not in _LITTLE]
        if told:
            found["_".join(told[:_WORDS])] = None
    return [*found]


# --- what a macro says --------------------------------------------------------------------------


def _said(macro: Macro, library: Library) -> Iterator[str]:
    """Names of outputs, those that are computed first; of tables; what calls are of, and what they
    are handed; texts that are asked for; last of all what its own calls hand it to read."""
    tree = macro.tree
    blocks = [*tree.find_all(exp.Select)]
    for computed in (True, False):
        for select in blocks:
            for item in select.expressions:
                plain = isinstance(item.unalias(), exp.Column)
                if plain is not computed and not _is_marked(item.alias_or_name):
                    yield item.alias_or_name
    for select in blocks:
        for item in select.expressions:
            yield from (each.name for each in item.find_all(exp.Column))
    for table in tree.find_all(exp.Table):
        if (hit := _SOURCE.fullmatch(table.name)) is not None:
            yield hit[1]
    for number in sorted({*calls_within(numbers_of(tree), library.calls)}):
        call = library.calls[number]
        yield call.macro
        for _, leaf in call.args:
            if HOLE.search(leaf.text) is None and not _is_marked(leaf.text):
                yield from re.findall(r"[A-Za-z_]{3,}", leaf.text)
    for text in tree.find_all(exp.Literal):
        if text.is_string and text.name.replace(" ", "").isalpha():
            yield text.name
    for each in texts_within(tree, library.calls):
        yield from _OF_YEAR.findall(each)
    for call in library.calls:
        if call.macro == macro.name:  # tables that it is to read
            tables = (_DATED.fullmatch(leaf.text) for _, leaf in call.args)
            yield from (hit[1] for hit in tables if hit is not None)


def _is_marked(name: str) -> bool:
    return not name or _MARK.search(name) is not None
