"""The layout of what is written: sqlfmt's, which a team that uses it finds unchanged.

sqlfmt (https://docs.sqlfmt.com) breaks and indents lines, and writes the words of SQL small. It
makes names small, too, and sets apart what some dialects write as one (``E'..'``, ``#t``). What an
author called something stays as it is, and so does a text in which more than spaces would change.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from jinja2 import TemplateSyntaxError
from sqlfmt.api import format_string
from sqlfmt.exception import SqlfmtError
from sqlfmt.mode import Mode
from sqlglot import exp

from unwet.rewrite.project import Project

_MODE = Mode()
_FORMATTED = ("models/", "macros/", "tests/")
# texts, quoted names, comments and tags are one token, with what stands right before a text
_TOKEN = re.compile(
    r"""(?P<note>--[^\n]*|/\*.*?\*/|\{\#.*?\#\})
    |\{%\ if\ [^%']*%\},\{%\ endif\ %\}
    |\{\{.*?\}\}|\{%.*?%\}
    |\w*'(?:\{\{.*?\}\}|\{%.*?%\}|[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`
    |\[\w+(?:\ +\w+)+\]|\w+|\S""",
    re.DOTALL | re.VERBOSE,
)
_IN_QUOTES = re.compile(r"'[^']*'|\"[^\"]*\"")
_NOTES = re.compile(r"--[^\n]*|/\*.*?\*/|\{#.*?#\}", re.DOTALL)
LEFT_ALONE = "-- fmt: off"  # sqlfmt, "Disabling formatting"
_NOTE_SIGNS = re.compile(r"[\s-]+")
_WORD = re.compile(r"\w+")
_NAME = re.compile(r"[\w`]")
_ANGLES = {*"<>"}  # of types
_BRACKETS = {*"()[],;"}
_BLOCK = re.compile(r"^( *\{% set \w+ %\}\n)(.*?)(^ *\{% endset %\})", re.DOTALL | re.MULTILINE)
_TAG = re.compile(r"\{\{(?:(?!\}\}).)*\}\}|\{%(?:(?!%\}).)*%\}", re.DOTALL)


class Layout:
    """Lays out projects that have most of their texts in common."""

    def __init__(self) -> None:
        self._done: dict[tuple[str, frozenset[str]], str] = {}

    def of(self, project: Project, files: Mapping[str, str]) -> dict[str, str]:
        """The files of a project, its models and macros as sqlfmt writes them. Templates, which
        keep their authors' layout, and files of other kinds are as they were."""
        large, result = _large_names(project), dict(files)
        for path in files.keys() - project.templates.keys():
            if path.endswith(".sql") and path.startswith(_FORMATTED):
                result[path] = self._text(files[path], large)
        return result

    def _text(self, text: str, large: frozenset[str]) -> str:
        key = text, large & {*_WORD.findall(text)}
        if key not in self._done:
            self._done[key] = with_sign(laid_out(*key))
        return self._done[key]


def with_sign(text: str) -> str:
    """The text, with the sign for sqlfmt to leave it alone where it takes DuckDB's // for the
    beginning of a comment, so that whoever runs it would lose what is behind."""
    if text.startswith(LEFT_ALONE) or "//" not in _IN_QUOTES.sub("", _NOTES.sub("", text)):
        return text
    return f"{LEFT_ALONE}\n{text}"


def laid_out(text: str, large: Collection[str] = ()) -> str:
    """One text. ``large``: names of capitals only, which nothing in it tells from words of SQL.
    The text as it is where sqlfmt cannot read it, or would change more than spaces. What a block
    of Jinja says under a name it leaves as it is, so that this is laid out apart."""
    text = _BLOCK.sub(lambda hit: f"{hit[1]}{_laid_out(hit[2], large)}{hit[3]}", text)
    return _BLOCK.sub(_within, _laid_out(text, large))


def _within(block: re.Match[str]) -> str:
    """A block with what it says further in than its first line; a text of several lines is what
    it is."""
    old = block[2]
    if any("\n" in found for found in _IN_QUOTES.findall(old)):
        return block[0]
    return block[1] + textwrap.indent(textwrap.dedent(old), _indent(block[1]) + "    ") + block[3]


def _laid_out(text: str, large: Collection[str]) -> str:
    try:
        formatted = format_string(text, _MODE)
        if "/*" in text:  # it breaks a line only when the comment in it is behind it
            formatted = format_string(formatted, _MODE)
    # it knows less of SQL than whoever wrote the text, and ends a tag at the braces of a text in it
    except (SqlfmtError, TemplateSyntaxError):
        return text
    kept = _with_names(text, formatted, large)
    return text if kept is None else _TAG.sub(_indented, kept)


def _large_names(project: Project) -> frozenset[str]:
    library = project.library
    trees = library.trees
    return frozenset(
        word
        for tree in trees
        for name in tree.find_all(exp.Identifier, exp.Anonymous)  # BigQuery: F() is not f()
        for word in _WORD.findall(name.name)
        if word.isupper()
    )


def _with_names(old: str, new: str, large: Collection[str]) -> str | None:
    """The new layout with the old words where they are names; None where more than spaces,
    capitals and the place of a comment is new."""
    (before, notes), (after, notes_after) = _tokens(old), _tokens(new)
    if len(before) != len(after) or notes != notes_after or not _same_gaps(before, after):
        return None
    parts, end = [], 0
    for was, now in zip(before, after, strict=True):
        word = _said(was[0], now[0], large)
        if word is None:
            return None
        parts += [new[end : now.start()], word]
        end = now.end()
    return "".join((*parts, new[end:]))


def _tokens(text: str) -> tuple[list[re.Match[str]], Counter[str]]:
    """All but comments, and the letters of all comments: a long one becomes several, and one in a
    line moves."""
    found = [*_TOKEN.finditer(text)]
    notes = "".join(each["note"] or "" for each in found)
    return [each for each in found if not each["note"]], Counter(_NOTE_SIGNS.sub("", notes))


def _said(was: str, now: str, large: Collection[str]) -> str | None:
    """The token as it is written now; None where it is not what it was."""
    if was == now:
        return now
    if not _WORD.fullmatch(was) or was.lower() != now.lower():
        return None
    return was if was in large or not was.isupper() else now


def _same_gaps(before: Sequence[re.Match[str]], after: Sequence[re.Match[str]]) -> bool:
    """Whether tokens have a space between them where they had one, unless it says nothing."""
    was, now = _gaps(before), _gaps(after)
    return all(
        was[at] == now[at]
        or _free(before, was, at)
        or _free(before, was, at + 1)
        or _of_type(before[at - 1][0], before[at][0])
        for at in range(1, len(before))
    )


def _of_type(one: str, other: str) -> bool:
    """Whether they are a word and an angle bracket, in either order."""
    return (one in _ANGLES and bool(_NAME.match(other))) or (
        other in _ANGLES and bool(_NAME.match(one))
    )


def _gaps(tokens: Sequence[re.Match[str]]) -> list[bool]:
    """Whether there is a space before each token, and behind the last."""
    inside = (a.end() < b.start() for a, b in pairwise(tokens))
    return [True, *inside, True]


def _free(tokens: Sequence[re.Match[str]], gaps: Sequence[bool], behind: int) -> bool:
    """Whether the spaces on both sides of a token say nothing: of a bracket or comma, and of a
    statement of Jinja that is not in the middle of a word. ``behind``: the gap behind it."""
    word = tokens[behind - 1][0]
    if word.startswith("{%") and "%},{%" in word:  # a comma that may be missing
        return gaps[behind]
    if word.startswith("{%"):
        return gaps[behind - 1] or gaps[behind]
    return word in _BRACKETS


def _indented(tag: re.Match[str]) -> str:
    """A tag of several lines, indented with its first: sqlfmt leaves what is in tags alone."""
    text = tag[0]
    if "\n" not in text or any("\n" in found for found in _IN_QUOTES.findall(text)):
        return text
    first, *rest = text.split("\n")
    line = tag.string[tag.string.rfind("\n", 0, tag.start()) + 1 :]
    old, new = _indent(rest[-1]), _indent(line)
    return "\n".join([first, *(new + each.removeprefix(old) for each in rest)])


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]
