"""Template code that decides which text is read: `{cond}?{a}:{b}`, `{% if %}`, comments of Jinja.

One branch is read and the other left out, but where all can be read at once (`branches.py`), and a
finding says which; nothing is evaluated beyond comparisons of known parameters.
"""

import re
from bisect import bisect_left
from collections.abc import Container, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from unwet.lineage.branches import TWICE, WITHIN, ReadTwice, all_read, read_twice
from unwet.lineage.edited import Edit
from unwet.lineage.lexer import BETWEEN_STRINGS
from unwet.lineage.sqlrender import ARROW, COLON, NAME, defaults, evaluated, partners

_DEFAULT = re.compile(r"\{\s*+DEFAULT\s[^{}]*+\}", re.I)
_TAG = re.compile(r"\{%[-+]?\s*+(\w++)\s*+(.*?)[-+]?%\}|\{#.*?#\}", re.S)

KNOWN: Final = "by what is known so far"
VALUE_UNKNOWN: Final = "value unknown"
Stretch = tuple[int, int]
_BIND = "bind it with --param name=value"
_COMPILE = "give the compiled SQL instead: dbt leaves it in target/compiled"


@dataclass(frozen=True, slots=True)
class Note:
    """A decision: at `offset`, `message` says what was read, `help` how it would be another."""

    offset: int
    message: str
    help: str


@dataclass(frozen=True, slots=True)
class Decided:
    """Deletions (sorted, disjoint) that leave one reading of the text, and the notes on them.
    `again`: those that leave another reading, which stands behind the first, after `between`.
    `left`: stretches that may be read all the same, as nobody knows the value that decides."""

    edits: tuple[Edit, ...]
    notes: tuple[Note, ...]
    again: tuple[Edit, ...] = ()
    between: str = ""
    left: tuple[Stretch, ...] = ()


def sqlrender(text: str, params: Mapping[str, str]) -> Decided:
    """Choose a branch of every `{cond}?{a}:{b}`: by its value where known, else the first."""
    edits: list[Edit] = [(hit.start(), hit.end(), "") for hit in _DEFAULT.finditer(text)]
    if not edits and not ARROW.search(text):
        return Decided((), ())
    values = {**defaults(text), **params}
    guessed: dict[str, str] = {}
    notes: list[Note] = []
    left: list[Stretch] = []
    partner = partners(text)
    for arrow in ARROW.finditer(text):
        choice = _choose(text, arrow, partner, values, guessed, params)
        if choice is not None:
            edits.extend(choice.edits)
            notes.extend(choice.notes)
            left.extend(choice.left)
    return Decided(tuple(_outermost(edits)), tuple(notes), left=tuple(left))


def jinja(text: str) -> Decided:
    """Leave out Jinja comments and tags; of `{% if %}` the first branch stays."""
    edits: list[Edit] = []
    notes: list[Note] = []
    blocks: list[_Block] = []
    left: list[Stretch] = []
    tags = tuple(_tags(text))
    quoted = {hit for hit in tags if _is_quoted(text, hit)} | _within_strings(text, tags)
    read = [each for each in all_read(text, tags) if not _is_off(each.branching.condition)]
    within = sum(len(each.branching.tags) for each in read if each.how == WITHIN)
    if within < sum(tag[1] is not None for tag in tags) and all(e.how == WITHIN for e in read):
        twice = read_twice(text, tags)
        if twice is not None and not _is_off(twice.condition):
            return _twice(twice)
    done = {tag for each in read for tag in each.branching.tags}
    for each in read:
        edits.extend(each.edits)
        said = f"{{% if {each.branching.condition} %}}: {each.how}"
        notes.append(Note(each.branching.start, said, _COMPILE))
    for hit in tags:
        tag = hit[1] or "#"
        if "'" in hit.group() and hit in quoted and _joins_strings(hit):
            continue
        if hit in done:
            continue
        edits.append((hit.start(), hit.end(), ""))
        if tag != "#" and not tag.startswith("end"):
            notes.append(Note(hit.start(), _say(tag, hit[2].rstrip()), _COMPILE))
        elif tag == "#" and hit in quoted:
            message = "a comment of Jinja inside a string left out"
            notes.append(Note(hit.start(), message, _COMPILE))
        left.extend(_track(blocks, edits, tag, hit))
    return Decided(tuple(_outermost(edits)), tuple(notes), left=tuple(left))


def _twice(found: ReadTwice) -> Decided:
    """Two queries that say in a comment when each is the one."""
    note = Note(found.start, f"{{% if {found.condition} %}}: {TWICE}", _COMPILE)
    first = (0, 0, f"-- if {found.condition}\n")
    between = f"\n;\n-- if not {found.condition}\n"
    return Decided((first, *found.first), (note,), found.second, between)


def _is_quoted(text: str, hit: re.Match[str]) -> bool:
    """Whether an odd number of quotes stands on both sides, on its line; on one where the other
    end of the string is on another line, and no comment of SQL that may have an apostrophe."""
    start, stop = text.rfind("\n", 0, hit.start()) + 1, text.find("\n", hit.end())
    before, after = text[start : hit.start()], text[hit.end() : stop if stop >= 0 else len(text)]
    odd = before.count("'") % 2 + after.count("'") % 2
    return odd == 2 or (odd == 1 and "--" not in before + after and "/*" not in before + after)


_STRINGS: Final = tuple(
    re.compile(
        r"--[^\n]*|/\*.*?(?:\*/|\Z)|\{%.*?(?:%\}|\Z)|\{#.*?(?:#\}|\Z)"
        rf'|"[^"]*(?:"|\Z)|(\'{inner}(?:\'|\Z))',
        re.DOTALL,
    )
    for inner in (r"[^']*", r"(?:[^'\\]|\\.)*")
)
"""With what else holds apostrophes; as standard SQL has strings, and as those have that escape a
quote by a backslash."""


def _within_strings(text: str, tags: Sequence[re.Match[str]]) -> set[re.Match[str]]:
    """The comments of Jinja that stand inside a string of several lines."""
    comments = [hit for hit in tags if hit[1] is None]
    starts = [hit.start() for hit in comments]
    found = set[re.Match[str]]()
    for each in _STRINGS if comments else ():
        for hit in each.finditer(text):
            if hit[1] is not None and "{#" in hit[1] and "\n" in hit[1]:
                found.update(
                    comments[bisect_left(starts, hit.start()) : bisect_left(starts, hit.end())]
                )
    return found


def _joins_strings(hit: re.Match[str]) -> bool:
    """Whether it begins in one string and ends in the next: `'{#' || x || '#}'`."""
    inner = hit.group()[2:-2].replace("''", "")
    if hit[1] is None:
        return "'" in inner
    return any(map(BETWEEN_STRINGS.fullmatch, re.findall("'([^']*)'", inner)))


# --- Jinja -----------------------------------------------------------------------------------

_DROPPED_BODY = {"macro", "set", "docs", "test"}
_BLOCKS = {"if", "for", "macro", "call", "filter", "raw", "block", "snapshot", "docs", "test"}


def _tags(text: str) -> Iterator[re.Match[str]]:
    """Tags and comments in order; stops where no closing sign is left (no quadratic search)."""
    at = 0
    stops: dict[str, int] = {}
    while (at := text.find("{", at)) >= 0:
        sign = text[at : at + 2]
        if sign not in ("{%", "{#"):
            at += 1
        elif (stop := _closer(text, sign, at + 2, stops)) < 0:
            at += 2
            if not _closers_left(text, at):
                return
        elif hit := _TAG.match(text, at, stop + 2):
            yield hit
            at = hit.end()
        else:
            at += 2


def _closer(text: str, sign: str, start: int, known: dict[str, int]) -> int:
    """Where the tag that `sign` opens is closed; `known` keeps what was found last."""
    if not start <= known.get(sign, -1):
        known[sign] = text.find(sign[::-1].replace("{", "}"), start)
    return known[sign]


def _closers_left(text: str, at: int) -> bool:
    return text.find("%}", at) >= 0 or text.find("#}", at) >= 0


def _say(tag: str, rest: str) -> str:
    match tag:
        case "if":
            branch = "left out" if _is_off(rest) else "read"
            return f"{{% if {rest} %}}: this branch is {branch}"
        case "elif" | "else":
            return f"{{% {tag} %}}: read only if the first branch is left out"
        case "for":
            return f"{{% for {rest} %}}: body read once"
        case "raw":
            return "{% raw %} left out: placeholders in it are read like all others"
        case _:
            return f"{{% {tag} %}} left out"


def _is_off(condition: str) -> bool:
    """Conditions whose usual value is false when everything is built once, in full."""
    return bool(re.fullmatch(r"(not\s+loop\.last|is_incremental\(\)|false)", condition, re.I))


@dataclass(slots=True)
class _Block:
    """An open tag: whether one of its branches was read, and where a dropped one began. `sure`:
    that nobody reads what is dropped."""

    tag: str
    taken: bool
    dropped: int | None
    sure: bool = True

    def close(self, end: int, edits: list[Edit]) -> Iterator[Stretch]:
        """Append what is dropped and ends here; what of it may be read all the same."""
        if self.dropped is not None:
            edits.append((self.dropped, end, ""))
            if not self.sure:
                yield self.dropped, end
        self.dropped = None


def _track(
    blocks: list[_Block], edits: list[Edit], tag: str, hit: re.Match[str]
) -> Iterator[Stretch]:
    """Follow nesting; append the stretches that fall away with the branch they belong to. Those
    that may be read all the same."""
    if tag in ("elif", "else") and blocks and blocks[-1].tag in ("if", "for"):
        block = blocks[-1]
        yield from block.close(hit.start(), edits)
        block.dropped = hit.end() if block.taken else None
        block.sure = False
        block.taken = True
    elif tag in _BLOCKS or (tag == "set" and "=" not in hit[2]):
        off = tag in _DROPPED_BODY or (tag == "if" and _is_off(hit[2].rstrip()))
        blocks.append(_Block(tag, not off, hit.end() if off else None, sure=tag != "set"))
    elif tag.startswith("end") and any(block.tag == tag[3:] for block in blocks):
        while blocks:
            block = blocks.pop()
            yield from block.close(hit.start(), edits)
            if block.tag == tag[3:]:
                return


# --- SqlRender -------------------------------------------------------------------------------


def _choose(
    text: str,
    arrow: re.Match[str],
    partner: Mapping[int, int],
    values: dict[str, str],
    guessed: dict[str, str],
    params: Mapping[str, str],
) -> Decided | None:
    """The deletions that leave one branch of the conditional around `arrow`. `guessed`: those of
    the values that only make conditions before it true."""
    opening, then_open = partner.get(arrow.start()), arrow.end() - 1
    then_close = partner.get(then_open)
    if opening is None or then_close is None:
        return None
    condition = text[opening + 1 : arrow.start()].strip()
    colon = COLON.match(text, then_close)
    else_open = colon.end() - 1 if colon else then_close
    else_close = partner.get(else_open, then_close) if colon else then_close
    value = evaluated(condition, values)
    names = frozenset(NAME.findall(condition))
    notes = _notes(condition, value, opening, _known(names, values, guessed, params.keys()))
    if value is None:
        guessed.update(_assume(condition, values))
        values.update(guessed)
    first, second = (then_open + 1, then_close), (min(else_open + 1, else_close), else_close)
    read, rest = (second, first) if value is False else (first, second)
    unsure = any(note.message.endswith(VALUE_UNKNOWN) for note in notes)
    left = _may_be_read(text, read, rest) if unsure else ()
    edits = [(opening, read[0], ""), (read[1], max(then_close, else_close) + 1, "")]
    return Decided(tuple(edits), tuple(notes), left=left)


def _may_be_read(text: str, read: Stretch, left: Stretch) -> tuple[Stretch, ...]:
    """What one branch leaves out: the other, and all behind it where a comment or a string that one
    of them begins goes on there."""
    branches = text[read[0] : read[1]], text[left[0] : left[1]]
    if any(map(_goes_on, branches)):
        return (left, (max(read[1], left[1]) + 1, len(text)))
    return (left,)


def _goes_on(branch: str) -> bool:
    last = branch[branch.rfind("\n") + 1 :]
    unclosed = branch.count("/*") != branch.count("*/") or branch.count("'") % 2
    return bool(unclosed) or "--" in last


def _known(
    names: Set[str], values: Mapping[str, str], guessed: Container[str], params: Set[str]
) -> str:
    """Why the values of all these parameters are known: empty where somebody gave them."""
    if names <= params:
        return ""
    return VALUE_UNKNOWN if any(n in guessed or n not in values for n in names) else KNOWN


def _notes(condition: str, value: bool | None, offset: int, known: str) -> list[Note]:
    reason = known if value is not None else VALUE_UNKNOWN
    if not reason:
        return []
    branch = "second" if value is False else "first"
    return [Note(offset, f"{{{condition}}}: {branch} branch read, {reason}", _BIND)]


def _assume(condition: str, values: Mapping[str, str]) -> dict[str, str]:
    """A value that makes a simple condition true, so that later conditions are read alike; none
    for a parameter that has one."""
    if hit := re.fullmatch(r"(!?)\s*@(\w+)", condition):
        name, value = hit[2], "FALSE" if hit[1] else "TRUE"
    elif hit := re.fullmatch(
        r"@(\w+)\s*(?:={1,2}|in\s*\()\s*('[^']*'|\w+)\s*.*", condition, re.I | re.S
    ):
        name, value = hit[1], hit[2].strip("'")
    else:
        return {}
    return {} if name in values else {name: value}


def _outermost(edits: list[Edit]) -> Iterator[Edit]:
    """Sorted, with edits inside other edits removed."""
    done = 0
    for start, end, replacement in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if end > done:
            yield max(start, done), end, replacement
            done = end
