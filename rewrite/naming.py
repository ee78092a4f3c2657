"""Names for what the rewrite introduces, taken from the authors' own words wherever they agree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from unwet.lineage.names import within_bytes
from unwet.rewrite.dbt_names import BUILT_IN, SEEN
from unwet.rewrite.mesh_names import VARIABLES

_SMALL = frozenset(
    re.findall(r"\w+", "a an and at by for from in is least of on one or per the to with")
)
_SQL_WORDS = """
    all and as by case cast cross date day default desc distinct else end filter from full group
    having if in inner is join left limit month not null on or order outer over right row select
    set table then time timestamp to union using value values when where window with year"""
_JINJA_WORDS = """
    block call config do endfor endif endmacro extends false for import include loop macro model
    none range ref return self source target this true var"""
_WORDS = 3  # of the name of a relation, when it is that of a parameter
_HOLE = re.compile(r"h__(\w+?)__h", re.IGNORECASE)
_LONGEST = 60  # bytes; a number may come behind it
RESERVED = frozenset((_SQL_WORDS + _JINJA_WORDS).split())
_NO_MACROS = RESERVED | BUILT_IN | SEEN | VARIABLES


# what a parameter may be called although SQL has the word: a template never prints it
_SPOKEN = frozenset(re.findall(r"\w+", "date day month table time value year"))
NO_PARAMETERS = RESERVED - _SPOKEN


def free_parameter(name: str, taken: Iterable[str]) -> str:
    """The same as `free` for a parameter of a macro; one that stands where another parameter names
    a column is called as that is, no token of it."""
    return free(_HOLE.sub(r"\1", name), taken, NO_PARAMETERS)


def free_macro(name: str, taken: Iterable[str]) -> str:
    """The same as `free` for a macro."""
    return free(name, taken, _NO_MACROS)


def free(name: str, taken: Iterable[str], reserved: frozenset[str] = RESERVED) -> str:
    """``name``, or ``name_2`` and so on while it is taken or reserved; a long one is cut, so that
    PostgreSQL keeps all of it (63 bytes)."""
    used = taken if isinstance(taken, AbstractSet) else frozenset(taken)
    name = within_bytes(name, _LONGEST).rstrip("_")
    candidate, n = name, 1
    while candidate in used or candidate in reserved:
        n += 1
        candidate = f"{name}_{n}"
    return candidate


def slug(text: str, words: int = 6) -> str:
    """A short identifier made of the telling words of a text."""
    found = [w for w in re.findall(r"[a-z0-9]+", text.lower()) if w not in _SMALL]
    name = "_".join(found[:words])
    return name if name and not name[0].isdigit() else f"n_{name}".rstrip("_")


def common_words(texts: Sequence[str]) -> str:
    """The words all texts have, in the order of the first; empty when they share too little."""
    split = [re.findall(r"[a-z]+", text.lower()) for text in texts]
    if not split or not all(split):
        return ""
    shared = set.intersection(*(set(words) for words in split)) - _SMALL
    return "_".join(dict.fromkeys(w for w in split[0] if w in shared))


def common_end(names: Iterable[str]) -> str:
    """The last word of all names; empty where they have not one."""
    words = {name.rpartition("_")[2] for name in names}
    return words.pop() if len(words) == 1 else ""


def majority(names: Iterable[str]) -> str:
    """The name most authors used, of those that say something; among equals the first in the
    alphabet."""
    given = [name.lower() for name in names if name]
    counts = Counter([name for name in given if len(name) > 2] or given)
    return min(counts, key=lambda n: (-counts[n], n)) if counts else ""


def snake(name: str) -> str:
    """An author's name as snake_case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", spaced).strip("_").lower()


def shared_words(columns: Iterable[str], otherwise: str = "column") -> str:
    """The words that all names have, in the order of the first; ``otherwise``: for none."""
    first, *others = (snake(name).split("_") for name in columns)
    name = "_".join(word for word in first if all(word in words for words in others))
    return name if name.isidentifier() else otherwise


def hole_name(values: Sequence[str], role: str) -> str:
    """A parameter name: the words that all its values end or begin with, else its role."""
    role = _HOLE.sub(r"\1", role)
    values = [_HOLE.sub(r"\1", value) for value in values]
    if all(re.fullmatch(r"src__\w+__src", value) for value in values):
        return "table"
    if all(re.fullmatch(r"(?:src|ref)__\w+__(?:src|ref)", value) for value in values):
        return _relations([value[len("ref__") : -len("__ref")] for value in values])
    split = [re.sub(r"\d+", "", value.lower()).strip("_").split("_") for value in values]
    tail: list[str] = []
    for words in zip(*(reversed(s) for s in split), strict=False):
        if len(set(words)) != 1 or not words[0]:
            break
        tail.insert(0, words[0])
    head: list[str] = []
    for words in zip(*split, strict=False):
        if len(set(words)) != 1 or not words[0]:
            break
        head.append(words[0])
    best = max((tail, head), key=len)
    name = "_".join(best)
    if name.isidentifier():
        return name
    days = role == "value" and all(re.fullmatch(r"\d{4}-\d\d-\d\d", each) for each in values)
    return "day" if days else role


def _relations(names: Sequence[str]) -> str:
    """What several relations are called: the words that the names of all begin with."""
    split = [re.sub("^(?:int|stg)_", "", name.lower()).split("_") for name in names]
    words: list[str] = []
    for column in zip(*split, strict=False):
        if len({*column}) > 1 or len(words) == _WORDS:
            break
        words.append(column[0])
    name = re.sub(r"(?:_\d+)+$", "", "_".join(words))
    return name if len(name) > 2 and name.isidentifier() and name != "rows" else "relation"
