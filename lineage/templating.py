"""Placeholders are found before parsing, replaced by names that survive it, and come back after it.

`@x`, `{{ x }}`, `${x}`, `$x`, `:x`, `%(x)s`, `%s`, `?` become identifiers `p__x__p`; a parser never
sees the original. What a dialect uses itself (`@x` in MySQL, `$1` in Postgres) is left alone.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from unwet.lineage import conditionals, sqlrender
from unwet.lineage.conditionals import Note, Stretch
from unwet.lineage.dialects import Lexis, lexis
from unwet.lineage.earlier_states import states_in
from unwet.lineage.edited import (
    Cut,
    Edit,
    Edited,
    begin,
    edit,
    end,
    line_column,
    line_starts,
    read_again,
    unedited,
)
from unwet.lineage.findings import Finding, Span
from unwet.lineage.lexer import CODE, COMMENT, pieces
from unwet.lineage.sources import Source
from unwet.lineage.template_literals import is_own, own_names

TOKEN = re.compile(r"p__(\w+?)__p", re.I)
NO_PARAMS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place the SQL leaves open.

    `token` stands for it in the masked text, `text` is what stood there (`@x`, `{{ x }}`).
    `binds`: a driver binds one scalar here (`?`, `:x`); otherwise any text may come here.
    """

    token: str
    name: str
    text: str
    style: str
    binds: bool
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Masked:
    """A source whose placeholders are identifiers; offsets in `text` map back to the source.
    `left`: stretches of the source that were left out and may be read all the same."""

    source: Source
    text: str
    placeholders: tuple[Placeholder, ...]
    findings: tuple[Finding, ...]
    cuts: tuple[Cut, ...] = field(repr=False)
    _lines: tuple[int, ...] = field(repr=False, compare=False)
    left: tuple[Stretch, ...] = ()

    @property
    def lines(self) -> int:
        """How many lines the source has; an empty one at the end does not count."""
        return len(self._lines) - (self._lines[-1] == len(self.source.text))

    def origin(self, offset: int) -> int:
        """The offset in the source of the character at `offset` of the masked text."""
        return begin(self.cuts, offset)

    def span(self, start: int, stop: int) -> Span:
        """Where masked[start:stop] stands in the source."""
        cuts = self.cuts
        if len(cuts) > 2 or cuts[-1][0] != cuts[-1][1] or stop > cuts[-1][0]:
            start, stop = begin(cuts, start), end(cuts, stop)  # else nothing was edited
        lines = self._lines
        line = bisect_right(lines, start)
        column = start - lines[line - 1] + 1
        if start <= stop and (line == len(lines) or stop < lines[line]):
            return Span(self.source.path, line, column, line, column + stop - start)
        return Span(self.source.path, line, column, *line_column(lines, max(stop, start)))

    def is_again(self, offset: int) -> bool:
        """Whether it is in a text that is read for the second time."""
        cuts = self.cuts
        seams = (there[0] for here, there in pairwise(cuts) if there[1] < here[1])
        return next(seams, len(self.text)) <= offset

    def restore(self, text: str) -> str:
        """`text` with the placeholders of this source back in place of their tokens."""
        return restorer(self.placeholders)(text)


def restorer(placeholders: Iterable[Placeholder]) -> Callable[[str], str]:
    """What puts placeholders back in place of their tokens."""
    back = {place.token.lower(): place.text for place in placeholders}
    return lambda text: TOKEN.sub(lambda hit: back.get(hit.group().lower(), hit.group()), text)


def verbatim(source: Source) -> Masked:
    """A source that is plain SQL: nothing in it is read as a placeholder."""
    plain = unedited(source.text)
    return Masked(source, plain.text, (), (), plain.cuts, line_starts(source.text))


def mask(
    source: Source, params: Mapping[str, str] = NO_PARAMS, words: Mapping[str, str] = NO_PARAMS
) -> Masked:
    """Replace the placeholders of a source by identifiers, or by their values in `params`. `words`:
    as `readable` gives them for all sources that are read together."""
    edited, notes, left = _decide(source.text, params)
    lines = line_starts(source.text)
    findings = tuple(_finding(source.path, lines, note) for note in notes)
    if not _may_have_hits(edited.text):
        return Masked(source, edited.text, (), findings, edited.cuts, lines, left)
    names = _Names(edited.text, source.text, words)
    edits: list[Edit] = []
    for hit in _hits(edited.text, source.dialect, params, names):
        edits.append((hit.start, hit.end, hit.value(names)))
    final = edit(edited, edits) if edits else edited
    return Masked(source, final.text, names.placeholders(), findings, final.cuts, lines, left)


def mask_all(sources: Iterable[Source], params: Mapping[str, str]) -> Iterator[Masked]:
    """Mask sources that are read together: what is no name has the same token in each of them, and
    one in its author's words where these mean nothing else in any of them."""
    masks = [mask(source, params) for source in sources]
    words = _readable(masks)
    for each in masks:
        odd = any(_identity(place.style, place.text) in words for place in each.placeholders)
        yield mask(each.source, params, words) if odd else each


def words_of(masked: Masked) -> dict[str, str]:
    """What `mask` needs to give the placeholders of a source the same tokens once more."""
    return {
        _identity(place.style, place.text): place.token[len("p__") : -len("__p")]
        for place in masked.placeholders
    }


def _readable(masks: Iterable[Masked]) -> dict[str, str]:
    """For placeholders that are no names: their words, where these are nobody else's."""
    texts = [each for each in masks if "p__" in each.text]
    taken = {hit.group().lower() for each in texts for hit in TOKEN.finditer(each.text)}
    said: dict[str, set[str]] = {}
    for place in (place for each in texts for place in each.placeholders):
        if _MADE.fullmatch(place.token):
            name = "_".join(_WORD.findall(place.name)).lower()
            said.setdefault(name, set()).add(_identity(place.style, place.text))
    return {
        same.pop(): name
        for name, same in said.items()
        if len(same) == 1
        and len(name) <= _LONGEST
        and _PLAIN.fullmatch(name)
        and f"p__{name}__p" not in taken
    }


# --- which text is read ----------------------------------------------------------------------


def _decide(text: str, params: Mapping[str, str]) -> tuple[Edited, list[Note], tuple[Stretch, ...]]:
    """The text without conditionals, the notes on them, and what may be read all the same, both at
    original offsets."""
    edited = unedited(text)
    notes: list[Note] = []
    left: list[Stretch] = []
    if "{" not in text:
        return edited, notes, ()
    for decide in (conditionals.jinja, lambda now: conditionals.sqlrender(now, params)):
        decided = decide(edited.text)
        notes.extend(replace(note, offset=edited.begin(note.offset)) for note in decided.notes)
        left.extend((edited.begin(start), edited.end(stop)) for start, stop in decided.left)
        whole, edited = edited, edit(edited, decided.edits) if decided.edits else edited
        if decided.between:
            edited = read_again(edited, decided.between, edit(whole, decided.again))
    return edited, sorted(notes, key=lambda note: (note.offset, note.message)), tuple(left)


def _finding(path: str, lines: tuple[int, ...], note: Note) -> Finding:
    line, column = line_column(lines, note.offset)
    place = Span(path, line, column, line, column + 1)
    return Finding("PLACEHOLDER", note.message, place, note.help)


# --- names and tokens ------------------------------------------------------------------------


_WORD = re.compile(r"[A-Za-z0-9]+")
_PLAIN = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+){0,5}")
_LONGEST = 40  # of a name that somebody reads
_MADE = re.compile(r"p__x[0-9a-f]{8}__p")  # a token that says nothing


def _identity(style: str, text: str) -> str:
    return style + text


class _Names:
    """Hands out tokens: the same for one placeholder everywhere, never one for two."""

    def __init__(self, text: str, written: str, words: Mapping[str, str]) -> None:
        self._words = words
        self._taken: dict[str, Placeholder | None] = {
            hit.group().lower(): None for hit in TOKEN.finditer(text)
        }
        self._known: dict[tuple[str, str], Placeholder] = {}
        self._defaults = sqlrender.defaults(written)
        self._nameless = 0
        self.declared = sqlrender.declared(written)
        self.spoken_of = sqlrender.spoken_of(written)
        self.rendered = sqlrender.is_rendered(written)

    def token(self, style: str, name: str, text: str, binds: bool) -> str:
        """The token for a placeholder; a plain one when its name allows that."""
        if not name:  # `?` and `%s` have no name: each is its own parameter
            self._nameless += 1
            name = f"arg{self._nameless}"
        key = (style, name)
        if key not in self._known:
            identity = _identity(style, text)
            said = self._words.get(identity)
            token = f"p__{said}__p" if said else self._free(name, identity)
            default = self._defaults.get(name)
            self._known[key] = Placeholder(token, name, text, style, binds, default)
            self._taken[token.lower()] = self._known[key]
        return self._known[key].token

    def placeholders(self) -> tuple[Placeholder, ...]:
        """All that were handed out, in order of appearance."""
        return tuple(self._known.values())

    def _free(self, name: str, identity: str) -> str:
        token = f"p__{name}__p"
        plain = re.fullmatch(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*_?", name) and name.isascii()
        if plain and not name.endswith("_") and token.lower() not in self._taken:
            return token
        salt = identity
        while True:
            token = f"p__x{blake2b(salt.encode(), digest_size=4).hexdigest()}__p"
            if token not in self._taken:
                return token
            salt += "'"


class _Hit(NamedTuple):
    """One placeholder in the text; `bound` is the text that replaces it without a token."""

    start: int
    end: int
    style: str
    name: str
    text: str
    binds: bool
    bound: str | None = None

    def value(self, names: _Names) -> str:
        if self.bound is not None:
            return self.bound
        return names.token(self.style, self.name, self.text, self.binds)


# --- recognising -----------------------------------------------------------------------------

_JINJA = r"(?P<jinja>\{\{(?:[^{}]|\{[^{}]{0,400}\}){0,4000}?\}\})"
_DOLLAR_BRACE = r"(?P<dollarbrace>\$\{[^{}\n]{1,200}\}|\$\(\w+\))"
_AT = r"(?P<at>(?<!@)@(?!@)\w+)"
_DOLLAR = r"(?P<dollar>(?<![\w$])\$[A-Za-z_]\w*(?!\$))"
_SQLCMD = r"setvar\s|on\s+error\s|connect\s|r\s+[\w.\"\\/$]"  # a client's commands
_COLON = (
    rf"(?P<colon>(?<![:\w\])\"'`}}\[<]):(?!{_SQLCMD})[A-Za-z_]\w*"
    r"|(?<=[\s(,=<>]):\d+\b)"
)
_CODE = re.compile(
    "|".join(
        (
            _JINJA,
            _DOLLAR_BRACE,
            r"(?P<brace>(?<![\w$}?:])\{[A-Za-z_]\w*\})",
            _AT,
            _DOLLAR,
            _COLON,
            r"(?P<percent>(?<![\w)%])%\(\w+\)s|(?<![\w)%'])%s\b)",
            r"(?P<question>(?<![\w?])\?(?![?|&]))",
        )
    ),
    re.S,
)
_QUOTED = re.compile("|".join((_JINJA, _DOLLAR_BRACE, _AT, _DOLLAR)), re.S)
_OWN_DOLLAR = re.compile(r"\$(action|identity|rowguid|partition|cuid)$", re.I)
_DECLARED = re.compile(r"\bDECLARE\s+@.*?(?=;|$|\b(?:SELECT|SET|BEGIN|EXEC|INSERT)\b)", re.I | re.S)
_PROCEDURE = re.compile(
    r"\b(?:CREATE|ALTER)\s+(?:OR\s+\w+\s+)?(?:PROC|PROCEDURE|FUNCTION)\s[^@;]{1,300}"
    r"(@.{1,4000}?)\bAS\b",
    re.I | re.S,
)
_SIGN = re.compile(r"[@{$:%?]")  # each placeholder begins with one; cheap to search for
# Whatever _CODE may match begins like this: most texts hold nothing of the kind.
_BEGINS = re.compile(
    r"\{[\w{]|\$[\w{(]|(?<!@)@\w|(?<![:\w\])\"'`}\[<]):[A-Za-z_]|(?<=[\s(,=<>]):\d"
    r"|(?<![\w)%])%[(s]|(?<![\w?])\?"
)


def _may_have_hits(text: str) -> bool:
    return any(_BEGINS.match(text, sign.start()) for sign in _SIGN.finditer(text))


def _hits(text: str, dialect: str | None, params: Mapping[str, str], names: _Names) -> list[_Hit]:
    """All placeholders outside comments; in quotes only names that also stand elsewhere, and
    `'$x'` where other names are written so, as `'@x'` where SqlRender reads the text."""
    habits, own = lexis(dialect), _variables(text) | states_in(text, dialect)
    found: list[_Hit] = []
    quoted: list[_Hit] = []
    signs = [sign.start() for sign in _SIGN.finditer(text)]
    at, signs = 0, [*signs, len(text)]
    for kind, start, stop, _ in pieces(text, dialect):
        while signs[at] < start:
            at += 1
        if signs[at] >= stop or kind == COMMENT:
            continue  # most pieces hold no sign of a placeholder
        pattern = _CODE if kind == CODE else _QUOTED
        target = found if kind == CODE else quoted
        script = own_names(text, start, stop) if kind != CODE else frozenset[str]()
        for match in _matches(pattern, text, signs[at], stop):
            if match.lastgroup == "dollarbrace" and is_own(match.group(), script, params):
                continue
            target.extend(_hit(match, habits, own, params, names))
    known = {(hit.style, hit.name) for hit in found}
    dollars = any(hit.style == "dollar" for hit in found)
    filling = {"dollar": dollars, "at": names.rendered}
    found.extend(
        hit
        for hit in quoted
        if hit.bound is not None
        or hit.style not in ("at", "dollar")
        or _known(hit, known)
        or (hit.style == "at" and hit.name in names.spoken_of)
        or (filling[hit.style] and _fills_quotes(hit, text))
    )
    return sorted(found, key=lambda hit: hit.start)


def _matches(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    while sign := _SIGN.search(text, start, end):
        start = sign.end()
        if match := pattern.match(text, sign.start(), end):
            yield match
            start = match.end()


def _fills_quotes(hit: _Hit, text: str) -> bool:
    """Whether there is nothing else between its quotes."""
    return text[hit.start - 1 : hit.start] == "'" == text[hit.end : hit.end + 1]


def _known(hit: _Hit, known: set[tuple[str, str]]) -> bool:
    return (hit.style, hit.name) in known


def _variables(text: str) -> frozenset[str]:
    """T-SQL variables and procedure arguments: these `@x` are the dialect's own."""
    if "@" not in text:
        return frozenset()
    words = text.upper()  # searching without regard to case is slow
    blocks = [hit.group() for hit in _DECLARED.finditer(text)] if "DECLARE" in words else []
    if "PROC" in words or "FUNCTION" in words:
        blocks += [hit[1] for hit in _PROCEDURE.finditer(text)]
    return frozenset(name.lower() for block in blocks for name in re.findall(r"@(\w+)", block))


def _hit(
    match: re.Match[str],
    habits: Lexis,
    own: frozenset[str],
    params: Mapping[str, str],
    names: _Names,
) -> Iterator[_Hit]:
    text, start, stop = match.group(), match.start(), match.end()
    match match.lastgroup:
        case "jinja":
            yield _jinja(text, start, stop, params)
        case "dollarbrace" | "brace" as style:
            inner = text.strip("${}()").strip()
            yield _Hit(start, stop, style, inner, text, False, params.get(inner))
        case "at":
            yield from _at(text, start, habits.at, own, params, names)
        case "dollar" if not _OWN_DOLLAR.match(text) and (habits.dollar or text[1:] in params):
            bound = params.get(text[1:])
            yield _Hit(start, stop, "dollar", text[1:], text, habits.dollar == "value", bound)
        case "colon":
            yield _Hit(start, stop, "colon", text[1:], text, True, params.get(text[1:]))
        case "percent":
            inner = text[2:-2] if text.startswith("%(") else ""
            yield _Hit(start, stop, "percent", inner, text, True, params.get(inner))
        case "question" if habits.question:
            yield _Hit(start, stop, "question", "", text, True)
        case _:
            return


def _at(
    text: str,
    start: int,
    meaning: str,
    own: frozenset[str],
    params: Mapping[str, str],
    names: _Names,
) -> Iterator[_Hit]:
    """`@x`: a parameter may be the beginning of what stands there (`@prefix_dist_0`)."""
    name, stop = text[1:], start + len(text)
    if name.lower() in own and name not in params:
        return
    declared = max(
        (p for p in (*params, *names.declared) if name.startswith(p)), key=len, default=""
    )
    if declared:
        stop = start + 1 + len(declared)
        yield _Hit(start, stop, "at", declared, f"@{declared}", False, params.get(declared))
    elif meaning:
        yield _Hit(start, stop, "at", name, text, meaning == "value")


_REF = re.compile(r"ref\(\s*(?:['\"][^'\"]*['\"]\s*,\s*)?['\"](\w+)['\"]\s*(?:,[^()]*)?\)")
_SOURCE = re.compile(r"source\(\s*['\"](\w+)['\"]\s*,\s*['\"](\w+)['\"]\s*\)")
_VAR = re.compile(r"var\(\s*['\"](\w+)['\"]\s*(?:,.*)?\)", re.S)
_TRUTH = re.compile(r"(\w+) is true")  # TRUE or FALSE, whatever x is
_SILENT = re.compile(r"(?:config|log|print|set_sql_header|run_hooks|doc)\s*\(", re.S)


def _jinja(text: str, start: int, stop: int, params: Mapping[str, str]) -> _Hit:
    """`{{ ... }}`: a relation it names, nothing (config), or a placeholder."""
    inner = text[2:-2].strip().strip("-+").strip()
    if hit := _REF.fullmatch(inner):
        return _Hit(start, stop, "ref", hit[1], text, False, hit[1])
    if hit := _SOURCE.fullmatch(inner):
        return _Hit(start, stop, "source", hit[2], text, False, f"{hit[1]}.{hit[2]}")
    if _SILENT.match(inner):
        return _Hit(start, stop, "config", "", text, False, "")
    if hit := _TRUTH.fullmatch(inner):
        return _Hit(start, stop, "truth", hit[1], text, True, params.get(hit[1]))
    name = hit[1] if (hit := _VAR.fullmatch(inner)) else inner
    return _Hit(start, stop, "jinja", name, text, False, params.get(name))
