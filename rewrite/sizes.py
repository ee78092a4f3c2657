"""The counting rule: how large a pile or a project is, counted the same way on both sides.

Lines are those of SQL printed by one formatter (the parser's pretty printer) without comments
and blank lines. Nodes are those of the syntax tree, which no formatting can flatter. In a
template every Jinja tag is one node and each name and value in it another; what a loop or a block
says counts once, and so does each row of the loop (written_size.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlglot import ErrorLevel, exp

from unwet.lineage.errors import RenderError
from unwet.lineage.findings import UNPARSED, Span
from unwet.lineage.parse import Statement
from unwet.lineage.pile import Pile
from unwet.lineage.printing import render
from unwet.lineage.trees import copied
from unwet.rewrite.library import NAMELESS, SELECTED, with_calls_as_queries

ORIGINALS = "legacy/"  # where a project has the scripts that are kept
_TESTS = "tests/"
_LINE_COMMENT = re.compile(r"^\s*--")
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/|\{#.*?#\}", re.DOTALL)
_ROWS = re.compile(  # of a list or a mapping, between the names of other lists
    r"(?:\{% (?:for [\w, ]+ in|set \w+ =) (?:\w+\s+\+ )*|(?<=[\])]) \+ \()"
    r"([{\[]\n.*?\n *[}\]])(?=(?:\s+\+ \w+)* %\}| \+ \(\[| if var\()",
    re.DOTALL,
)
_WORD = re.compile(r"'(?:[^']|'')*'|\w+|[^\s\w(),.;]+")


@dataclass(frozen=True, slots=True)
class Size:
    """Lines, syntax nodes and files."""

    lines: int = 0
    nodes: int = 0
    files: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.lines + other.lines, self.nodes + other.nodes, self.files + other.files)


def code_lines(text: str) -> int:
    """The lines of a text that are neither blank nor only comment."""
    return len(_code(text))


def words(text: str) -> int:
    """What stands for syntax nodes in a text that has no tree: its words, comments left out."""
    return sum(len(_WORD.findall(line)) for line in _code(text))


def _code(text: str) -> list[str]:
    end = max(text.rfind("*/"), text.rfind("#}")) + 2  # nothing is closed behind it
    lines = (_BLOCK_COMMENT.sub("", text[:end]) + text[end:]).splitlines()
    return [line for line in lines if line.strip() and not _LINE_COMMENT.match(line)]


def tree_nodes(tree: exp.Expr) -> int:
    """The nodes of a syntax tree."""
    return sum(1 for _ in tree.walk())


def statement_size(statement: Statement) -> Size:
    """The printed size of one legacy statement, in its own dialect."""
    return Size(tree_lines(statement.tree, statement.dialect), tree_nodes(statement.tree), 0)


def tree_lines(tree: exp.Expr, dialect: str) -> int:
    """The lines a tree takes when printed; as it was written where it cannot be printed."""
    return code_lines(tree_text(tree, dialect))


def tree_text(tree: exp.Expr, dialect: str) -> str:
    """A tree as it is printed; as it was written where it cannot be."""
    try:
        text = render(with_calls_as_queries(copied(tree)), dialect, spent=True)
        return SELECTED.sub(r"\1", NAMELESS.sub("", text))
    except RenderError:
        return tree.sql(dialect=dialect or None, pretty=True, unsupported_level=ErrorLevel.IGNORE)


def pile_size(statements: Iterable[Statement], lost: Iterable[str], files: int) -> Size:
    """The size of a pile; ``lost`` are the texts that did not parse, counted as they stand."""
    total = Size(0, 0, files)
    for statement in statements:
        total += statement_size(statement)
    for text in lost:
        total += Size(code_lines(text), words(text), 0)
    return total


def part_size(
    pile: Pile,
    paths: Collection[str],
    broken: Collection[str] = (),
    cut: Mapping[str, Collection[int]] = MappingProxyType({}),
) -> Size:
    """The size of some of the pile's sources: of all, or of those that stay as they are; of the
    ``broken`` among them only what did not parse does, and the statements in ``cut``. A text that
    is read twice counts once."""
    scripts = [s for s in pile.scripts if s.source.path in paths]
    lost = [f for f in pile.findings if f.code in UNPARSED and f.at.path in paths]
    return pile_size(
        (
            statement
            for script in scripts
            for statement in script.statements
            if not statement.again
            if script.source.path not in broken
            or script.twice
            or statement.index in cut.get(script.source.path, ())
        ),
        (_text_at(pile, finding.at) for finding in lost),
        sum(source.path in paths for source in pile.sources),
    )


def _text_at(pile: Pile, span: Span) -> str:
    text = next((s.text for s in pile.sources if s.path == span.path), "")
    return "\n".join(text.splitlines()[span.line - 1 : span.end_line])


def maintained(files: Mapping[str, str]) -> list[str]:
    """The texts of the models and macros among the files of a project."""
    apart = (ORIGINALS, _TESTS)
    return [t for path, t in files.items() if path.endswith(".sql") and not path.startswith(apart)]


def parameter_lines(files: Mapping[str, str]) -> int:
    """How many of the lines of models and macros are rows that a loop goes over."""
    texts = (text for path, text in files.items() if not path.startswith(ORIGINALS))
    return sum(found[1].count("\n") - 1 for text in texts for found in _ROWS.finditer(text))
