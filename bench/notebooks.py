"""The SQL of Databricks notebooks that were exported as source files.

sql(text, suffix) -> SQL. Cells stand between lines `-- COMMAND ----------` (`#` in .py files); a
cell that is not in the file's own language begins with `%sql`, `%md`, ..., in .py files behind
`# MAGIC `, and below its title if it has one.
"""

import re

_BREAK = re.compile(r"^(?:--|#) COMMAND -+\s*$", re.MULTILINE)
_HEAD = re.compile(r"\A\s*(?:--|#) Databricks notebook source\s*")
_MAGIC = re.compile(r"^(?:#|--) MAGIC ?", re.MULTILINE)
_TITLE = re.compile(r"\A\s*(?:#|--) DBTITLE [^\n]*\n")
_LANGUAGE = re.compile(r"\A\s*(?:--\s*)?%(\w+)")


def sql(text: str, suffix: str) -> str:
    """The SQL cells of a notebook, in order; a text that is none is returned as it is if .sql."""
    if not _HEAD.match(text):
        return text if suffix == ".sql" else ""
    own = "sql" if suffix == ".sql" else "python"
    cells = (_cell(cell, own) for cell in _BREAK.split(_HEAD.sub("", text, count=1)))
    return "\n;\n".join(cell for cell in cells if cell.strip())


def _cell(text: str, own: str) -> str:
    plain = _TITLE.sub("", _MAGIC.sub("", text))
    found = _LANGUAGE.match(plain)
    if (found[1].lower() if found else own) != "sql":
        return ""
    return _LANGUAGE.sub("", plain, count=1)
