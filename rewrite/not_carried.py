"""What the scripts say about tables that no model can say: rights, comments, indexes, upkeep.

It changes no rows, so that it is no report and keeps none; and it is gone with the old scripts if
nobody carries it over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.errors import without_secrets
from unwet.lineage.findings import Span
from unwet.lineage.parse import Script, Statement
from unwet.rewrite.described import NO_RELATIONS, of
from unwet.rewrite.files_written import written_by_clients

_COMMANDS: Final = frozenset(
    {"ANALYZE", "CLUSTER", "COMMENT", "DENY", "GRANT", "OPTIMIZE", "REINDEX", "REVOKE", "SECURITY"}
    | {"UPDATE STATISTICS", "VACUUM"}
)
_NODES: Final = {exp.Grant: "GRANT", exp.Revoke: "REVOKE", exp.Comment: "COMMENT",
                 exp.Analyze: "ANALYZE"}  # fmt: skip
_MADE: Final = frozenset({"INDEX", "SEQUENCE", "TRIGGER"})
_OTHERS: Final = frozenset(
    {"DEFAULT", "EXTENSION", "GROUP", "INDEX", "LOGIN", "MASKING", "POLICY", "ROLE", "ROW"}
    | {"SEARCH", "SECURITY", "SEQUENCE", "STATISTICS", "TRIGGER", "USER"}
)
_ADJECTIVES: Final = frozenset(
    {"BITMAP", "CLUSTERED", "COLUMNSTORE", "FULLTEXT", "NONCLUSTERED", "OR", "REPLACE", "UNIQUE"}
)
_SHOWN: Final = 72  # letters of a statement
_SECRET: Final = re.compile(
    r"\bIDENTIFIED\s+(?:AS|BY|VIA|WITH)\b"
    r"|\w*(?:PASSWORD|PASSWD|PWD|SECRET|CREDENTIAL|TOKEN|KEY)\w*(?=\s*(?:[=:]|\w{0,2}['\"$]))",
    re.IGNORECASE,
)
"""After this a password may stand: it is shown no further."""


@dataclass(frozen=True, slots=True, order=True)
class NotCarried:
    """A statement that no model says; ``what`` it does (GRANT, CREATE INDEX), and how it begins."""

    at: Span
    what: str
    begins: str


def not_carried(
    scripts: Iterable[Script],
    as_they_are: Collection[str] = (),
    described: Mapping[str, Collection[str]] = NO_RELATIONS,
) -> tuple[NotCarried, ...]:
    """Such statements by their places, without those of scripts that go on ``as_they_are``, and
    comments that the project ``described``: by relation the columns, "" for the relation."""
    left = [script for script in scripts if script.source.path not in as_they_are]
    found = [
        NotCarried(statement.span, what, _begins(statement.masked.restore(statement.text)))
        for script in left
        for statement in script.statements
        if not statement.again and (what := _what(statement.tree))
        if not _is_told(statement, described)
    ]
    return tuple(sorted([*found, *(each for script in left for each in _by_client(script))]))


def _by_client(script: Script) -> Iterator[NotCarried]:
    """Files that lines write which are no SQL."""
    dialect = next((s.dialect for s in script.statements), script.source.dialect or "")
    for at, line in written_by_clients(script.source.text, dialect):
        number = script.source.text.count("\n", 0, at) + 1
        span = Span(script.source.path, number, 1, number, len(line) + 1)
        yield NotCarried(span, "\\COPY", _begins(line))


def _is_told(statement: Statement, described: Mapping[str, Collection[str]]) -> bool:
    relation, column, _ = of(statement) or ("", "", "")
    return column.lower() in described.get(relation, ())


def _what(tree: exp.Expr) -> str:
    match tree:
        case exp.Grant() | exp.Revoke() | exp.Comment() | exp.Analyze():
            return _NODES[type(tree)]
        case exp.Create() | exp.Drop() | exp.Alter():
            is_index = isinstance(tree.this, exp.Index)  # whose kind may be CLUSTERED
            kind = "INDEX" if is_index else str(tree.args.get("kind") or "").upper()
            return f"{tree.key.upper()} {kind}" if kind in _MADE else ""
        case exp.Command():
            return _commanded(str(tree.this).upper(), str(tree.args.get("expression") or ""))
        case _:
            return ""


def _commanded(verb: str, rest: str) -> str:
    if verb not in ("ALTER", "CREATE", "DROP"):
        return verb if verb in _COMMANDS else ""
    kind = next((word for word in rest.upper().split() if word not in _ADJECTIVES), "")
    return f"{verb} {kind}" if kind in _OTHERS else ""


def _begins(text: str) -> str:
    text = " ".join(text.split())
    if (secret := _SECRET.search(text)) is not None:
        text = f"{text[: secret.end()]} ..."
    text = without_secrets(text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
