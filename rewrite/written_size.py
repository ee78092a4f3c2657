"""The size of a written project: its lines, and the syntax nodes of its texts as they stand.

project_size(files, dialect) -> Size

A loop counts as it is read: its body once, and its rows. A tag of Jinja is a node, and so is each
name and each value in it (an argument is two: its name and its value); a text that is given as one
counts as the words of SQL that it has. What a tag prints is part of the tree of the SQL around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.sizes import Size, code_lines, maintained, tree_nodes, words

_TAG = re.compile(
    r"\{#.*?#\}|/\*.*?\*/|--[^\n]*|\{%-?(?P<block>.*?)-?%\}|\{\{(?P<printed>.*?)\}\}", re.DOTALL
)
_ATOM = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[\w.]+")
_SILENT: Final = frozenset({"in", "endfor", "endif", "endmacro", "endset"})  # they end what counted
_SQL = re.compile(r"[()=<>+*/|]")  # in a text that is an argument: it is no constant
_SET_BLOCK = re.compile(r"(\{%-?\s*set\s+\w+\s*-?%\})(.*?)\{%-?\s*endset\s*-?%\}", re.DOTALL)
_BETWEEN = re.compile(r"\b(?:last|first|loop)\b")  # what is said between the times of a loop
_SETTINGS = re.compile(r"\s*config\s*\(")
_MESH = re.compile(r"\A\s*MODEL\s*\(.*?\n\);|\bJINJA_QUERY_BEGIN;|\bJINJA_END;", re.DOTALL)

_WORD = r"(j\d+__)"
_QUERY = re.compile(  # what stands where a query does
    r"(\A|\b(?:as|from|join|in|exists|,)\s*\(|\b(?:union|except|intersect)(?:\s+(?:all|distinct))?)"
    rf"(\s*){_WORD}(?=\s*(?:\Z|\)|(?:union|except|intersect)\b))",
    re.IGNORECASE,
)
_AFTER_CTES = re.compile(rf"(?<=\)),?(\s*){_WORD}(?=\s*(?:\)|\Z))")
_LAST_COMMA = re.compile(r",\s*\Z")


def project_size(files: Mapping[str, str], dialect: str) -> Size:
    """What a maintainer reads to change behaviour: models and macros, as they are written.

    Scripts that are kept are none of it: they are counted like the pile that they are part of.
    Tests, YAML (descriptions, sources) and Markdown are not counted."""
    sql = maintained(files)
    nodes = sum(written_nodes(text, dialect) for text in sql)
    return Size(project_lines(files), nodes, len(sql))


def project_lines(files: Mapping[str, str]) -> int:
    """The lines of models and macros."""
    return sum(map(code_lines, maintained(files)))


def written_nodes(text: str, dialect: str) -> int:
    """The syntax nodes of a text, which may be a template: what its loops and blocks say is
    counted once, wherever it is repeated."""
    return sum(_nodes(part, dialect) for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    """The text without the blocks that get a name first, and these."""
    at = 0
    around: list[str] = []
    for block in _SET_BLOCK.finditer(text):
        around += [text[at : block.start()], block[1]]
        yield block[2]
        at = block.end()
    yield "".join([*around, text[at:]])


def _nodes(text: str, dialect: str) -> int:
    read = _Read()
    read.all(text)
    sql = "".join(read.sql).strip()
    return read.nodes + (_sql_nodes(sql, dialect) if sql else 0)


@dataclass(slots=True)
class _Read:
    """A template as it is read: the SQL with a name for each tag that prints something, and the
    nodes of the tags. ``aside``: which of the blocks around are no part of the SQL."""

    sql: list[str] = field(default_factory=list)
    nodes: int = 0
    printed: int = 0
    aside: list[bool] = field(default_factory=list)

    def all(self, text: str) -> None:
        """From the first character to the last."""
        at = 0
        for tag in _TAG.finditer(_MESH.sub(self._head, text)):
            self._said(tag.string[at : tag.start()])
            self._tag(tag)
            at = tag.end()
        self._said(_MESH.sub("", text)[at:])

    def _head(self, found: re.Match[str]) -> str:
        self.nodes += words(found.group())
        return ""

    def _said(self, text: str) -> None:
        if any(self.aside):
            self.nodes += words(text)
        else:
            self.sql.append(text)

    def _tag(self, tag: re.Match[str]) -> None:
        if (block := tag["block"]) is not None:
            self.nodes += _atoms(block)
            self._block(block)
        elif (printed := tag["printed"]) is not None:
            self.nodes += _atoms(printed)
            if not any(self.aside) and not _SETTINGS.match(printed):
                self.nodes -= 1  # the name that stands for it in the SQL
                self.sql.append(f"j{self.printed}__")
                self.printed += 1

    def _block(self, block: str) -> None:
        first = block.split(maxsplit=1)[0]
        if first in ("for", "if"):
            self.aside.append(first == "if" and bool(_BETWEEN.search(block)))
        elif first in ("else", "elif") and self.aside:
            self.aside[-1] = True
        elif first in ("endfor", "endif") and self.aside:
            self.aside.pop()
        self.sql.append(" ")


def _atoms(tag: str) -> int:
    """The names and values in a tag."""
    found = (word for word in _ATOM.findall(tag) if word not in _SILENT)
    return sum(max(words(w[1:-1]), 1) if w[0] in "'\"" and _SQL.search(w) else 1 for w in found)


def _sql_nodes(sql: str, dialect: str) -> int:
    """The nodes of the tree of a query, or of a part of one; its words where no such reading of it
    has a tree."""
    for text, more in _readings(sql.rstrip(";")):
        script = parse(verbatim(Source("written.sql", text, dialect)), dialect)
        trees = [statement.tree for statement in script.statements]
        if trees and not script.findings and not any(t.find(exp.Command) for t in trees):
            return sum(map(tree_nodes, trees)) - more
    return words(sql)


def _readings(sql: str) -> Iterator[tuple[str, int]]:
    """The text as a statement, and how many nodes that has which nobody wrote: a tag where a query
    stands is a node with two below it, of which the text has one."""
    queries, many = _QUERY.subn(r"\1\2select \3", sql)
    both, tails = _AFTER_CTES.subn(r"\1 select \2", queries)
    many = 2 * many
    for text, more in ((both, many + 2 * tails), (queries, many))[: 1 + bool(tails)]:
        items = _LAST_COMMA.sub("", text)
        yield text, more
        yield f"with {text}", more
        yield f"with {items} select 1", more + 2
        yield f"select {items}", more + 1
        yield f"select 1 where {text}", more + 3
