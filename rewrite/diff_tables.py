"""What a pile says of tables, and of what is read like them, without a query: declarations, ALTER,
COPY, sequences, stages, attached databases.

No plan has it: a default fills what an INSERT leaves out, a type decides how is divided, a column
may be renamed or dropped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Statement
from unwet.lineage.trees import contents, copied

Said = Mapping[str, tuple[bytes, ...]]
"""Digests: of a column under its name behind a point, of keys and checks under just the point."""
_DONE: Final = (exp.Alter, exp.Copy, exp.LoadData, exp.Attach)
_NAMED: Final = frozenset({"SEQUENCE", "STAGE"})
_WITHOUT_EFFECT: Final = (exp.CommentColumnConstraint, exp.NotNullColumnConstraint,
                          exp.SchemaCommentProperty)  # fmt: skip
_ALL, _AFTER = "made", "done"  # what is said of it where it is declared, and later


def said_of_tables(statements: Iterable[Statement]) -> Mapping[str, Said]:
    """By the last word of a table's name what is said of it, in the order of the pile."""
    found: dict[str, dict[str, tuple[bytes, ...]]] = defaultdict(dict)
    for tree in (statement.tree for statement in statements):
        if isinstance(tree, exp.Create) and is_declared(tree):
            parts = dict(_declared(_plain(tree)))
        elif isinstance(tree, _DONE) or (isinstance(tree, exp.Create) and tree.kind in _NAMED):
            parts = {_AFTER: contents(tree)}
        else:
            continue
        table = tree.this if isinstance(tree, exp.Attach) else tree.find(exp.Table)
        if table is not None:
            for key, digest in parts.items():
                known = found[table.alias_or_name.lower()]
                known[key] = (*known.get(key, ()), digest)
    return found


def is_declared(tree: exp.Create) -> bool:
    """Whether it is a table that no query fills."""
    return tree.kind == "TABLE" and tree.expression is None


def _plain(tree: exp.Create) -> exp.Create:
    """A copy without what no row depends on."""
    made = copied(tree)
    for name in ("replace", "exists"):
        made.set(name, None)
    for node in [*made.walk()]:
        if isinstance(node, exp.Identifier) and not node.args.get("quoted"):
            node.set("this", node.name.lower())
        elif isinstance(node, _WITHOUT_EFFECT):
            (node.parent if isinstance(node.parent, exp.ColumnConstraint) else node).pop()
    return made


def _declared(tree: exp.Create) -> Iterable[tuple[str, bytes]]:
    parts = tree.this.expressions if isinstance(tree.this, exp.Schema) else []
    columns = [each for each in parts if isinstance(each, exp.ColumnDef)]
    for column in columns:
        yield f".{column.name.lower()}", contents(column)
    tables = [each for each in parts if not isinstance(each, exp.ColumnDef)]
    yield ".", b"".join(map(contents, tables))
    if isinstance(tree.this, exp.Schema):
        tree.this.set("expressions", [])
    yield _ALL, contents(tree)


def told_otherwise(
    mine: Mapping[str, Said],
    theirs: Mapping[str, Said],
    tables: Iterable[str],
    words: set[str],
    own: str,
) -> str:
    """The table of which they say other things that a report of these words may notice: of the
    columns that both declare, those that it names, and all of its own table."""
    for name in sorted(tables):
        old, new = mine.get(name, {}), theirs.get(name, {})
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) == new.get(key):
                continue
            if key != _AFTER and not (key in old and key in new):
                continue  # which columns there are is in its plan, if that has them all
            if key in (_AFTER, _ALL) or name == own or {key[1:], "*"} & words:
                return name
    return ""
