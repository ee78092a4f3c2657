"""Names that SQL has, where dbt prints none in quotes: it does not for Snowflake and Oracle, which
then refuse a model or a source called `order`."""

from __future__ import annotations

from typing import Final

from unwet.lineage.names import folds_up, is_reserved
from unwet.rewrite.project import Project

ALIASES: Final = "macros/generate_alias_name.sql"
ALIASES_SAID: Final = (
    "Gives every model its name in capitals: dbt_project.yml has names in quotes, as a model is "
    "called as a word of SQL, and in quotes only capitals are what is meant without."
)
# What these engines alone reserve, or do not take everywhere (their references, "reserved words").
_MORE_WORDS: Final = """
access account audit cluster comment compress connection database date decimal delete
exclusive file float gscluster identified immediate increment initial integer issue level lock
long maxextents minus mlslabel mode modify noaudit nocompress nowait number online option
organization pctfree prior public qualify raw regexp rename resource revoke rlike rowid rownum
sample schema session share size smallint start successful synonym sysdate trigger try_cast
uid validate varchar varchar2 whenever
"""
_MORE: Final = frozenset(_MORE_WORDS.split())


def is_word(name: str, dialect: str) -> bool:
    """Whether the engine takes the name for a word of its own where dbt puts it without quotes."""
    return folds_up(dialect) and (is_reserved(name) or name.lower() in _MORE)


def quotes_models(project: Project) -> bool:
    """Whether a model is called so: then dbt has to quote all of them, as it knows no such setting
    of one model."""
    drafts = (*project.drafts, *project.intermediates)
    return any(is_word(draft.name, project.dialect) for draft in drafts)
