"""`{% if %}` of Jinja where all branches can be read at once, whatever the condition says.

{% if c %} SELECT 1 {% else %} SELECT 2 {% endif %}     two statements, where nothing else is
                                                        in the file
WHERE {% if c %} a = 1 {% else %} a = 2 {% endif %}     (c AND a = 1) OR (NOT c AND a = 2)
FROM {% if c %} t {% else %} u {% endif %}              the query is read twice: once with t, once
                                                        with u, where c alone decides
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unwet.lineage.edited import Edit

APART = "each branch is a query of its own"
WITHIN = "both branches are read"
TWICE = "the query is read twice, with it and without it"

_TAG = re.compile(r"if|elif|else|endif")
_BLANK = re.compile(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\{#.*?#\})*", re.S)
_QUERY = re.compile(_BLANK.pattern + r"\(*(?:SELECT|WITH)\b", re.I | re.S)
_STATEMENT = re.compile(
    _BLANK.pattern + r"\(*(?:SELECT|WITH|CREATE|INSERT|MERGE|UPDATE|DELETE|TRUNCATE)\b", re.I | re.S
)
_NAMED = re.compile(r"(not\s+)?([A-Za-z_]\w*)(?:\(\s*\))?")
_BEFORE = re.compile(r"(?:\b(WHERE|AND|OR|ON|HAVING|QUALIFY)|\()\s*\Z", re.I)
_BEHIND = re.compile(
    r"\s*(?:\)|;|\Z|(?:AND|OR|GROUP|ORDER|HAVING|WINDOW|QUALIFY|LIMIT|UNION|THEN|EXCEPT|INTERSECT"
    r"|LEFT|RIGHT|INNER|FULL|CROSS|JOIN|WHERE)\b)",
    re.I,
)
_RANGE = re.compile(r"\bBETWEEN\b(?:(?!\b(?:AND|OR|WHERE|ON|HAVING)\b).)*\bAND\s*\Z", re.I | re.S)
_CONDITION = re.compile(r"[=<>]|\b(?:IN|LIKE|IS|BETWEEN|EXISTS)\b|\A\s*(?:TRUE|FALSE)\s*\Z", re.I)
_LOOSE = re.compile(r"\b(?:OR|CASE|SELECT)\b|;|\{%|\A\s*(?:AND|OR)\b", re.I)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.S)
_QUOTED = re.compile(
    r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"|--[^\n]*|/\*.*?\*/|\{#.*?#\}|\{%.*?%\}", re.S
)
_FIXED = frozenset({"true", "false", "none", "execute"})  # Jinja and dbt know what these are
_NEAR = 2000  # characters before a tag that are looked at


@dataclass(frozen=True, slots=True)
class Branching:
    """One `{% if %}` with all its branches: `tags` from the `if` to its `endif`, as matches whose
    groups are the word and what stands behind it."""

    tags: tuple[re.Match[str], ...]

    @property
    def condition(self) -> str:
        return self.tags[0][2].rstrip()

    @property
    def start(self) -> int:
        return self.tags[0].start()

    @property
    def end(self) -> int:
        return self.tags[-1].end()

    def bodies(self, text: str) -> Iterator[str]:
        """What stands between its tags."""
        for tag, following in zip(self.tags, self.tags[1:], strict=False):
            yield text[tag.end() : following.start()]


@dataclass(frozen=True, slots=True)
class AllRead:
    """A branching of which nothing is lost: what becomes of its tags, and ``how`` it is read."""

    branching: Branching
    edits: tuple[Edit, ...]
    how: str


def all_read(text: str, tags: Sequence[re.Match[str]]) -> Iterator[AllRead]:
    """The branchings that can be read whole; ``tags`` are all tags of the text, in order."""
    for each in _branchings(text, tags):
        if edits := _apart(text, each):
            yield AllRead(each, edits, APART)
        elif edits := _within(text, each):
            yield AllRead(each, edits, WITHIN)


@dataclass(frozen=True, slots=True)
class ReadTwice:
    """A query whose text one condition decides: the edits that leave one reading of it, and those
    that leave the other. ``start``: where the condition stands first."""

    condition: str
    start: int
    first: tuple[Edit, ...]
    second: tuple[Edit, ...]


def read_twice(text: str, tags: Sequence[re.Match[str]]) -> ReadTwice | None:
    """Both readings of a text that is one query; None where anything but one condition and its
    opposite decides what is in it. The condition is the same wherever it is asked."""
    branchings = [tag for tag in tags if tag[1] is not None]
    opening = [tag for tag in branchings if tag[1] == "if"]
    named = [_NAMED.fullmatch(tag[2].rstrip()) for tag in opening]
    words = {hit[2] for hit in named if hit is not None}
    if None in named or len(words) != 1 or words & _FIXED or not _is_one_query(text, tags):
        return None
    holds = [hit is not None and not hit[1] for hit in named]
    both = [_reading(branchings, holds, value) for value in (holds[0], not holds[0])]
    if both[0] is None or both[1] is None:
        return None
    comments = [(tag.start(), tag.end(), "") for tag in tags if tag[1] is None]
    first, second = (tuple(sorted([*comments, *edits])) for edits in both if edits is not None)
    condition = " ".join(opening[0][2].split())
    return ReadTwice(condition, opening[0].start(), first, second)


def _is_one_query(text: str, tags: Sequence[re.Match[str]]) -> bool:
    """Whether it begins as a query, whatever its tags say, with a semicolon at most behind it, and
    its tags are outside of strings and comments."""
    spans = [(hit.start(), hit.end()) for hit in _QUOTED.finditer(text)]
    starts = {start for start, _ in spans}
    bare = list(text)
    for start, end in spans:
        bare[start:end] = " " * (end - start)
    plain = "".join(bare).rstrip().removesuffix(";")
    begins = bool(_QUERY.match(text))
    return begins and ";" not in plain and all(tag.start() in starts for tag in tags)


def _reading(
    tags: Sequence[re.Match[str]], holds: Sequence[bool], value: bool
) -> list[Edit] | None:
    """Edits that leave what is read when the condition has a value; `holds`: whether each `if`
    asks for the condition itself, not its opposite. None where tags do not close each other."""
    edits: list[Edit] = []
    opened: list[bool] = []  # whether the branch that is open is read
    asked = iter(holds)
    begun: int | None = None  # where text began that is left out
    for tag in tags:
        match tag[1]:
            case "if":
                opened.append(next(asked) == value)
            case "else" if opened:
                opened[-1] = not opened[-1]
            case "endif" if opened:
                opened.pop()
            case _:
                return None
        if begun is None:
            begun = tag.start()
        if all(opened):
            edits.append((begun, tag.end(), ""))
            begun = None
    return edits if not opened and begun is None else None


def _branchings(text: str, tags: Sequence[re.Match[str]]) -> tuple[Branching, ...]:
    """Every `{% if %}` that is closed and has an `{% else %}`, in the order of their ends; none
    where one stands in a string or a comment."""
    found: list[Branching] = []
    opened: list[list[re.Match[str]]] = []
    for tag in tags:
        word = tag[1] or "#"
        if word == "if":
            opened.append([tag])
        elif opened and _TAG.fullmatch(word):
            opened[-1].append(tag)
            if word == "endif" and (whole := opened.pop())[-2][1] == "else":
                found.append(Branching(tuple(whole)))
    bare = {hit.start() for hit in _QUOTED.finditer(text)} if found else set[int]()
    plain = all(tag.start() in bare for each in found for tag in each.tags)
    return tuple(found) if plain else ()


def _apart(text: str, branching: Branching) -> tuple[Edit, ...]:
    """Edits that make a statement of each branch, which says in a comment when it is the one; none
    where anything else is in the text, or a branch does not begin as a statement."""
    around = text[: branching.start], text[branching.end :]
    if not all(_BLANK.fullmatch(each) for each in around):
        return ()
    if not all(_STATEMENT.match(text, tag.end()) for tag in branching.tags[:-1]):
        return ()
    first, *between, last = branching.tags
    said = " ".join(branching.condition.split())
    return (
        (first.start(), first.end(), f"-- if {said}\n"),
        *((tag.start(), tag.end(), f"\n;\n-- {_otherwise(tag, said)}\n") for tag in between),
        (last.start(), last.end(), ""),
    )


def _otherwise(tag: re.Match[str], first: str) -> str:
    """When a later branch is the one."""
    own = " ".join(tag[2].split())
    return f"if not {first}" + (f", if {own}" if own else "")


def _within(text: str, branching: Branching) -> tuple[Edit, ...]:
    """Edits that make one condition of two; none where they are more, or no conditions as a whole.

    ``{% if c %} p {% else %} q {% endif %}``  ->  ``((c AND (p)) OR (NOT c AND (q)))``: equal as c
    is never NULL. A condition with an OR in it would belong otherwise to what stands beside it.
    """
    named = _NAMED.fullmatch(branching.condition)
    if named is None or named[2].lower() in _FIXED or len(branching.tags) != 3:
        return ()
    if not _stands_alone(text, branching):
        return ()
    bodies = [_COMMENT.sub(" ", body) for body in branching.bodies(text)]
    if not all(_CONDITION.search(body) and not _LOOSE.search(body) for body in bodies):
        return ()
    if any(body.count("(") != body.count(")") for body in bodies):
        return ()
    first, other, last = branching.tags
    holds = f"{{{{ {named[2]} is true }}}}"  # one value, not any text
    fails = f"NOT {holds}"
    if named[1]:
        holds, fails = fails, holds
    return (
        (first.start(), first.end(), f"(({holds} AND ("),
        (other.start(), other.end(), f"\n)) OR ({fails} AND ("),
        (last.start(), last.end(), "\n)))"),
    )


def _stands_alone(text: str, branching: Branching) -> bool:
    """Whether a whole condition may stand there: behind WHERE, AND and their like, and before what
    follows one."""
    before = _COMMENT.sub(" ", text[max(0, branching.start - _NEAR) : branching.start])
    behind = _COMMENT.sub(" ", text[branching.end : branching.end + _NEAR])
    if not _BEFORE.search(before) or _RANGE.search(before):
        return False
    return bool(_BEHIND.match(behind))
