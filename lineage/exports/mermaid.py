"""Lineage as a Mermaid flowchart for Markdown pages; for views of up to about 50 columns."""

from itertools import groupby

from unwet.lineage.graph import Graph, Kinds

LIMIT = 50  # columns; GitHub stops drawing not far above


def mermaid(graph: Graph, kinds: Kinds = "direct", limit: int = LIMIT) -> str:
    """A flowchart with a subgraph per relation; what is over `limit` is counted in a note."""
    edges = graph.of_kinds(kinds)
    nodes = sorted({end for e in edges for end in (e.source, e.target)})
    shown, left = nodes[:limit], len(nodes) - limit
    ids = {node: f"c{i}" for i, node in enumerate(shown)}
    lines = ["flowchart LR"]
    for at, (relation, columns) in enumerate(groupby(shown, key=lambda node: node.relation)):
        lines.append(f'  subgraph r{at}["{_escaped(relation or "(result)")}"]')
        lines += [f'    {ids[node]}["{_escaped(node.column)}"]' for node in columns]
        lines.append("  end")
    drawn = dict.fromkeys(
        (ids[e.source], "-->" if e.type == "DIRECT" else "-.->", ids[e.target])
        for e in edges
        if e.source in ids and e.target in ids
    )
    lines += ["  " + " ".join(each) for each in drawn]
    if left > 0:
        lines.append(f"  %% {left} more columns are not shown; choose one with --column")
        lines.append(f'  more["{left} more columns are not shown"]')
    return "\n".join(lines) + "\n"


def _escaped(name: str) -> str:
    """Mermaid knows entities by number; quotes, brackets and hashes would end the label."""
    special = '"#<>[]{}|&;`'
    return "".join(f"#{ord(c)};" if c in special else c for c in name.replace("\n", " "))
