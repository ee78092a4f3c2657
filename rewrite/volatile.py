"""What gives another value each time it is evaluated.

A plan has no place for it: an expression that is written once must stay evaluated once.
"""

from __future__ import annotations

import re
from functools import lru_cache

from unwet.rewrite.algebra import Call, Expr, Rel, Subquery, expressions, parts, walk

_OPS = frozenset(
    {"rand", "randn", "randstr", "uuid", "nextvaluefor", "uniform", "zipf", "normal", "seq1",
     "seq2", "seq4", "seq8", "rownum", "randomuuid"}
)  # fmt: skip
_NAMED = frozenset(
    {"random", "rand", "newid", "newsequentialid", "gen_random_uuid", "uuid", "sys_guid",
     "nextval", "randstr", "uuid_string", "monotonically_increasing_id", "generate_uuid",
     "gen_random_bytes", "crypt_gen_random", "dbms_random", "uuidv4", "uuidv7", "zipf",
     "rand_canonical", "randcanonical", "setseed", "clock_timestamp"}
)  # fmt: skip
_CALLED = re.compile(rf"\b(?:{'|'.join(sorted(_OPS | _NAMED))})\s*\(", re.IGNORECASE)

_CACHE = 1 << 16


@lru_cache(maxsize=_CACHE)
def is_random(expr: Expr) -> bool:
    """Whether two evaluations of the expression are known to differ."""
    for part in parts(expr):
        match part:
            case Call(op="anonymous", shape=shape):
                if shape[0].removeprefix("this=").strip("'") in _NAMED:
                    return True
            case Call(op=op) if op in _OPS:
                return True
            case Subquery(rel=rel) if is_random_plan(rel):
                return True
    return False


@lru_cache(maxsize=_CACHE)
def is_random_plan(rel: Rel) -> bool:
    """Whether any expression of the plan is known to differ from one evaluation to the next."""
    return any(is_random(expr) for node in walk(rel) for expr in expressions(node))


def names_chance(text: str) -> bool:
    """Whether the text of a body, in whatever language, calls something of that kind."""
    return _CALLED.search(text) is not None
