"""Statements of a server that are valid and that the parser does not read: BULK INSERT, BACKUP,
DBCC, a procedure called without EXEC.

    BACKUP DATABASE shop TO DISK = 'x'  ->  a command, of which the text is kept
    BULK INSERT rep.t FROM 'x'          ->  something that is executed: it may change what it names
    sp_rename 'rep.a', 'b'              ->  EXEC sp_rename 'rep.a', 'b'
"""

import re
from collections.abc import Sequence
from typing import Final

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError
from sqlglot.tokenizer_core import Token, TokenType

from unwet.lineage.dialects import TSQL

_MOST: Final = 3  # words of the longest of these


def _phrases(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(","))


_ANYWHERE: Final = frozenset({"COMMENT", "GRANT", "REVOKE"})  # COMMENT ON TABLE t IS NULL
# They change no rows of a table.
_IDLE: Final = {
    **dict.fromkeys(TSQL, _phrases(
        "ADD SIGNATURE, BACKUP, CHECKPOINT, CLOSE, DEALLOCATE, DENY, EXECUTE AS, EXEC AS,"
        " KILL, OPEN, PRINT, RAISERROR, RECONFIGURE, REVERT, SAVE, SET TRANSACTION, SHUTDOWN,"
        " THROW, WAITFOR"
    )),
    **dict.fromkeys(("postgres", "redshift", "materialize", "risingwave"), _phrases(
        "ANALYZE COMPRESSION, ANALYZE VERBOSE, CANCEL, CHECKPOINT, CLUSTER, DISCARD, LISTEN,"
        " NOTIFY, REASSIGN OWNED, RELEASE SAVEPOINT, SECURITY LABEL, UNLISTEN"
    )),
    **dict.fromkeys(("mysql", "singlestore", "doris", "starrocks"), _phrases(
        "CHECK TABLE, CHECKSUM TABLE, DEALLOCATE PREPARE, FLUSH, INSTALL PLUGIN,"
        " REPAIR TABLE, SIGNAL"
    )),
    **dict.fromkeys(("spark", "spark2", "databricks", "hive"), _phrases(
        "DENY, GENERATE, REORG TABLE"
    )),
    "oracle": _phrases("AUDIT, LOCK TABLE, NOAUDIT, PROMPT, SPOOL, WHENEVER"),
    "trino": _phrases("DENY"),
    "bigquery": _phrases("RAISE"),
    "duckdb": _phrases("EXPORT DATABASE"),
}  # fmt: skip
# They may.
_CHANGING: Final = {
    **dict.fromkeys(TSQL, _phrases(
        "BULK INSERT, DBCC, DISABLE TRIGGER, ENABLE TRIGGER, EXEC, EXECUTE, RECEIVE, RESTORE,"
        " UPDATETEXT, WRITETEXT"
    )),
    **dict.fromkeys(("postgres", "redshift"), _phrases("IMPORT FOREIGN SCHEMA, MOVE")),
    **dict.fromkeys(("mysql", "singlestore", "doris", "starrocks"), _phrases(
        "LOAD DATA, LOAD XML, SOURCE"
    )),
    **dict.fromkeys(("spark", "spark2", "databricks", "hive"), _phrases(
        "CONVERT TO DELTA, FSCK REPAIR, REPAIR TABLE, RESTORE, SYNC"
    )),
    "oracle": _phrases("EXEC, FLASHBACK TABLE, PURGE"),
    "bigquery": _phrases("UNDROP"),
    "duckdb": _phrases("IMPORT DATABASE"),
}  # fmt: skip
_ADJECTIVES: Final = _phrases("OR, REPLACE, UNIQUE, CLUSTERED, NONCLUSTERED, EXTERNAL, PUBLIC, ROW")
_SWITCHES: Final = re.compile(r"SET\s+\w+(?:\s*,\s*\w+)+\s+(?:ON|OFF)\s*;?", re.IGNORECASE)
_SYSTEM: Final = re.compile(r"(?:sp|xp)_\w", re.IGNORECASE)
_QUOTED: Final = frozenset({TokenType.STRING, TokenType.IDENTIFIER, TokenType.NATIONAL_STRING})
_VALUES: Final = frozenset({TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.NUMBER,
                            TokenType.PARAMETER})  # fmt: skip


def server_command(tokens: Sequence[Token], text: str, dialect: str) -> exp.Expression | None:
    """What a statement of the server is, by its first words; None where it is none."""
    if tokens[0].token_type in _QUOTED:
        return _bare_call(tokens, text, dialect)
    words = [token.text.upper() for token in tokens[:_MOST]]
    heads = [" ".join(words[:n]) for n in range(1, len(words) + 1)]
    rest = text[tokens[0].end + 1 : tokens[-1].end + 1].strip()
    idle = words[0] in _ANYWHERE or any(head in _IDLE.get(dialect, ()) for head in heads)
    if idle or (dialect in TSQL and _SWITCHES.fullmatch(f"{words[0]} {rest}")):
        return exp.Command(this=words[0], expression=rest)
    changing = _CHANGING.get(dialect, frozenset())
    query = any(token.token_type is TokenType.SELECT for token in tokens)  # behind it, and lost
    if not query and (head := next((head for head in heads if head in changing), "")):
        return exp.Execute(this=exp.Var(this=head), expressions=[exp.Literal.string(rest)])
    return _bare_call(tokens, text, dialect)


def _bare_call(tokens: Sequence[Token], text: str, dialect: str) -> exp.Expression | None:
    """The call of a procedure that the first statement of a batch may be without EXEC; None where
    it is none, or one of a name that tells nothing."""
    if dialect not in TSQL:
        return None
    at = 1
    while at + 1 < len(tokens) and tokens[at].token_type is TokenType.DOT:
        at += 2
    if at == 1 and not _SYSTEM.match(tokens[0].text):
        return None
    if at < len(tokens) and tokens[at].token_type not in _VALUES:
        return None
    first = tokens[0]
    told = Token(TokenType.EXECUTE, "EXEC", first.line, first.col, first.start, first.end)
    try:
        trees = Dialect.get_or_raise(dialect).parser().parse([told, *tokens], text)
    except ParseError:
        return None
    tree = trees[0] if len(trees) == 1 else None
    return tree if isinstance(tree, exp.Execute) else None


def jump(tokens: Sequence[Token], dialect: str) -> str:
    """`GOTO done` and `done:` of T-SQL in words; empty for all else."""
    if dialect not in TSQL or len(tokens) != 2:
        return ""
    first, second = tokens
    if first.text.upper() == "GOTO":
        return f"GOTO {second.text}"
    labels = first.token_type is TokenType.VAR and second.token_type is TokenType.COLON
    return f"the label {first.text}" if labels else ""


def filled_by_call(tokens: Sequence[Token]) -> str:
    """That a table is filled by what a procedure returns, in words; empty of all else."""
    calls = any(token.token_type is TokenType.EXECUTE for token in tokens)
    if tokens[0].token_type is not TokenType.INSERT or not calls:
        return ""
    return "INSERT of the rows that a procedure returns is not followed"


def told_as(command: exp.Command) -> str:
    """The words by which people know a command: CREATE says less than CREATE STATISTICS."""
    verb = str(command.this)
    if verb.upper() not in ("ALTER", "CREATE", "DROP"):
        return verb
    more: list[str] = []
    for word in str(command.args.get("expression") or "").split():
        if not word.isalpha() or len(more) == _MOST:
            break
        more.append(word.upper())
        if word.upper() not in _ADJECTIVES:
            break
    return " ".join([verb, *more])
