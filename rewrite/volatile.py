"""What gives another value each time it is evaluated, and what depends on the order of its input.

A plan has no place for either: an expression that is written once must stay evaluated once, and
the order of a subquery is dropped. Where it matters, the query becomes Opaque.
"""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp

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


# --- order ------------------------------------------------------------------------------------

# Aggregates that give the same for any order of their input (float rounding apart).
_ORDERLESS = (
    exp.Sum, exp.Count, exp.CountIf, exp.Min, exp.Max, exp.Avg, exp.Stddev, exp.StddevPop,
    exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Median, exp.PercentileCont,
    exp.PercentileDisc, exp.Quantile, exp.LogicalAnd, exp.LogicalOr, exp.Corr, exp.CovarPop,
    exp.CovarSamp, exp.ApproxDistinct, exp.Hll, exp.BitwiseAndAgg, exp.BitwiseOrAgg,
    exp.BitwiseXorAgg, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist,
)  # fmt: skip
_COLLECTING = frozenset(
    {"list", "listagg", "group_concat", "collect_list", "collect_set", "collect", "first", "last",
     "first_value", "last_value", "nth_value", "any", "any_value", "arbitrary", "arg_max",
     "arg_min", "arg_max_null", "arg_min_null", "max_by", "min_by", "mode", "stats_mode",
     "json_group_array", "json_group_object", "json_group_structure", "map_union", "wm_concat",
     "approx_top_k", "approx_most_frequent", "numeric_histogram", "histogram_numeric",
     "reservoir_quantile"}
)  # fmt: skip
# What a row's place among the others decides.
_PLACED = frozenset(
    {"monotonically_increasing_id", "rownumberinallblocks", "rownumberinblock", "neighbor",
     "runningdifference", "runningdifferencestartingwithfirstvalue", "runningaccumulate",
     "runningconcurrency"}
)  # fmt: skip
_NUMBERING = frozenset({"seq1", "seq2", "seq4", "seq8", "rownum", "nextvaluefor"})


def reads_order(tree: exp.Expr) -> bool:
    """Whether anything in a statement may see the order of the rows it is given."""
    return any(_reads_order(node) for node in tree.walk()) or _says_rownum(tree)


def _says_rownum(tree: exp.Expr) -> bool:
    """Whether a word in it may be Oracle's number of a row: ROWNUM, where nothing is called so."""
    said = (c for c in tree.find_all(exp.Column) if not c.table and c.name.lower() == "rownum")
    named = (a for a in tree.find_all(exp.Alias) if a.alias.lower() == "rownum")
    return any(said) and not any(named)


def _reads_order(node: exp.Expr) -> bool:
    match node:
        case exp.AggFunc() if not isinstance(node, _ORDERLESS):
            return not _has_order(node)
        case exp.Anonymous():
            name = str(node.this).lower()
            return name in _COLLECTING or name in _PLACED or name.endswith("agg")
        case _ if node.key in _NUMBERING:
            return True
        case exp.Pseudocolumn() | exp.Array(expressions=[exp.Query()]):
            return True
        case exp.Window():
            return node.args.get("order") is None and not isinstance(node.this, _ORDERLESS)
        case exp.Query():
            bounded = node.args.get("limit") or node.args.get("offset")
            return bool(bounded) and node.args.get("order") is None
        case _:
            return False


def _has_order(node: exp.Expr) -> bool:
    """An order of its own: inside the parentheses, WITHIN GROUP, or its window's."""
    parent = node.parent
    if isinstance(parent, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        parent = parent.parent
    if isinstance(parent, exp.Window):
        return parent.args.get("order") is not None
    return isinstance(node.this, exp.Order) or isinstance(parent, exp.WithinGroup)
