"""Statements of a server that its parser does not read are told as such, and are no errors."""

import pytest
from sqlglot import exp

from unwet.lineage.parse import Script, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim

TSQL = """BULK INSERT rep.t FROM 'c:\\x.csv' WITH (FIELDTERMINATOR = ',');
BACKUP DATABASE shop TO DISK = 'c:\\x.bak';
RESTORE DATABASE shop FROM DISK = 'c:\\x.bak';
DBCC CHECKIDENT ('rep.t', RESEED, 0);
WAITFOR DELAY '00:00:05';
THROW 50000, 'x', 1;
DENY SELECT ON rep.t TO bob;
EXECUTE AS USER = 'x';
EXEC @rc = dbo.foo @a = 1, @b = 'x' OUTPUT;
SAVE TRAN a;
CHECKPOINT;
CREATE UNIQUE STATISTICS s ON rep.t (a);
PRINT 'x';
SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;
SET ANSI_NULLS, QUOTED_IDENTIFIER ON;
"""


def read(text: str, dialect: str = "tsql") -> Script:
    return parse(verbatim(Source("x.sql", text, dialect)), dialect)


def test_they_are_opaque_and_say_what_they_are() -> None:
    script = read(TSQL)
    assert [f"{f.code} {f.message}" for f in script.findings] == [
        "OPAQUE not followed: BULK INSERT",
        "OPAQUE not understood: BACKUP",
        "OPAQUE not followed: RESTORE",
        "OPAQUE not followed: DBCC",
        "OPAQUE not understood: WAITFOR",
        "OPAQUE not understood: THROW",
        "OPAQUE not understood: DENY",
        "OPAQUE not understood: EXECUTE",
        "OPAQUE what it executes is not followed",
        "OPAQUE not understood: SAVE",
        "OPAQUE not understood: CHECKPOINT",
        "OPAQUE not understood: CREATE UNIQUE STATISTICS",
        "OPAQUE not understood: PRINT",
        "OPAQUE not understood: SET",
        "OPAQUE not understood: SET",
    ]


@pytest.mark.parametrize(
    "call", ["sp_rename 'rep.a', 'b'", "sp_help", "dbo.refresh", "dbo.refresh @a = 1, @b = 'x'"]
)
def test_a_procedure_is_called_without_a_word(call: str) -> None:
    script = read(f"{call}\nGO\nSELECT a FROM t")
    assert [type(each.tree) for each in script.statements] == [exp.Execute, exp.Select]
    assert [finding.code for finding in script.findings] == ["OPAQUE"]


@pytest.mark.parametrize(
    ("jump", "said"), [("GOTO done", "GOTO done"), ("done:", "the label done")]
)
def test_a_jump_is_control_flow(jump: str, said: str) -> None:
    assert [finding.message for finding in read(f"{jump}\nSELECT a FROM t").findings] == [
        f"control flow not followed: {said}"
    ]


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("postgres", "NOTIFY x, 'y'"),
        ("mysql", "LOAD DATA INFILE 'x' INTO TABLE a"),
        ("databricks", "RESTORE TABLE a TO VERSION AS OF 1"),
        ("oracle", "LOCK TABLE a IN EXCLUSIVE MODE"),
    ],
)
def test_so_have_other_servers(dialect: str, text: str) -> None:
    assert [finding.code for finding in read(text, dialect).findings] == ["OPAQUE"]


def test_a_query_behind_one_is_read_where_the_semicolon_was_forgotten() -> None:
    script = read("NOTIFY x, 'y'\nSELECT a FROM t", "postgres")
    assert [type(each.tree) for each in script.statements] == [exp.Command, exp.Select]


@pytest.mark.parametrize(
    ("dialect", "text", "message"),
    [
        ("tsql", "SELET a FROM t WHERE x", "SELET for SELECT?"),
        ("tsql", "EXEC foo SELECT a FROM t WHERE", ""),
        ("postgres", "BULK INSERT a.t FROM 'x'", ""),  # it is none of that server
        ("tsql", "INSERT INTO a.t EXEC foo", "INSERT of the rows that a procedure returns"),
    ],
)
def test_what_is_none_stays_an_error(dialect: str, text: str, message: str) -> None:
    (finding,) = read(text, dialect).findings
    assert finding.code == "PARSE"
    assert finding.message.startswith(message)
