"""The words in trees that stand for something a target has its own word for.

``ref__NAME__ref`` is a model, ``src__SCHEMA__TABLE__src`` a source, ``p__NAME__p`` a placeholder of
the pile, ``h__NAME__h`` a parameter of the macro around it, ``list__NAME__list`` one
that is a list, ``call__N__call`` a macro call, ``loop__N__loop`` a loop over several. Of a
parameter ``dashes__h__NAME__h__dashes`` has dashes in place of underscores,
``underscores__...`` is the other way round, ``first4__...`` is its first four letters.
"""

from __future__ import annotations

import re
from typing import Final

# those of tables `src`, `src2` and `src_orders` in a schema `main` begin with `src__main__src`, and
# do not end there
TOKEN: Final = re.compile(
    r"(?P<kind>branch|(?:dashes|underscores|first\d+)(?=__h__)|ref|src|h|list|p|call|loop)"
    r"__(?P<name>\w+?)__(?P=kind)(?![a-z])"
    r"(?:(?<!__src)(?<!__ref)|(?!\w))",
    re.IGNORECASE,
)


def named(text: str, kind: str) -> frozenset[str]:
    """The names of all tokens of a kind, in lower case."""
    found = TOKEN.finditer(text)
    return frozenset(hit["name"].lower() for hit in found if hit["kind"].lower() == kind)
