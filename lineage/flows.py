"""The flows of one value: which base columns it takes, in what way, how surely, and where."""

from sqlglot import exp

Key = tuple[str, str, str, str]  # relation, column, type, subtype
Flow = tuple[int, tuple[exp.Expression, ...]]  # certainty (0 certain .. 3 unknown), places
Flows = dict[Key, Flow]
Op = tuple[str, str]  # the type and subtype under which something is read

IDENTITY: Op = ("DIRECT", "IDENTITY")
TRANSFORMATION: Op = ("DIRECT", "TRANSFORMATION")
AGGREGATION: Op = ("DIRECT", "AGGREGATION")
ROW_COUNT: Op = ("INDIRECT", "GROUP_BY")  # what count(*) takes from the rows themselves
_PLACES = 8  # of one edge; more do not help a reader


def combine(inner: Op, outer: Op) -> Op:
    """The kind of a flow that is read under another."""
    if outer[0] == "INDIRECT" or inner[0] == "INDIRECT":
        return outer if outer[0] == "INDIRECT" else inner
    if "AGGREGATION" in (inner[1], outer[1]):
        return AGGREGATION
    return inner if outer == IDENTITY else outer


def merge(into: Flows, flows: Flows, op: Op) -> None:
    """Add flows that are read under `op`; the better certainty wins, places add up."""
    if not into and op == IDENTITY:
        into.update(flows)
        return
    for old, flow in flows.items():
        key = old if op == IDENTITY else (*old[:2], *combine(old[2:], op))
        known = into.setdefault(key, flow)
        if known is flow:
            continue
        rank, nodes = flow
        if nodes != known[1] or rank < known[0]:
            places = dict.fromkeys((*known[1], *nodes))
            into[key] = (min(rank, known[0]), tuple(places)[:_PLACES])


def deeper(flows: Flows, path: tuple[str, ...], rank: int) -> Flows:
    """The same flows, into a field of the value and at most as certain as `rank`."""
    if not path and not rank:
        return flows
    below = "".join("." + part for part in path)
    return {
        (key[0], key[1] + below if key[2:] == IDENTITY and key[1] != "*" else key[1], *key[2:]): (
            max(rank, flow[0]),
            flow[1],
        )
        for key, flow in flows.items()
    }
