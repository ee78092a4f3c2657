"""The figures as Markdown tables, and the failing cases of one tool as a page to work through."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import indent

from bench.lineage.case import Case, Edges
from bench.lineage.scoring import Score, Verdict, total

Verdicts = Mapping[str, Sequence[Verdict]]  # by tool


def table(verdicts: Verdicts, cpu: Mapping[str, float]) -> str:
    """One row per tool over all cases."""
    rows = [
        "| tool | cases | exact | exact % | precision % | recall % | crashes | CPU s |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for tool, found in verdicts.items():
        s = total(found)
        rows.append(
            f"| {tool} | {s.cases} | {s.exact} | {s.exact_percent:.1f} | {s.precision:.1f} "
            f"| {s.recall:.1f} | {s.crashes} | {cpu[tool]:.1f} |"
        )
    return "\n".join(rows)


def by_origin(verdicts: Verdicts) -> str:
    """Exact percent per suite: a row per suite, a column per tool."""
    origins = sorted({v.origin for found in verdicts.values() for v in found})
    rows = [
        f"| exact %, cases of | cases | {' | '.join(verdicts)} |",
        f"| --- | --: |{' --: |' * len(verdicts)}",
    ]
    for origin in origins:
        scores = [total(v for v in found if v.origin == origin) for found in verdicts.values()]
        figures = " | ".join(f"{score.exact_percent:.1f}" for score in scores)
        rows.append(f"| {origin} | {scores[0].cases} | {figures} |")
    return "\n".join(rows)


def together(verdicts: Verdicts, without: str) -> Score:
    """What all tools but one get right between them."""
    best: dict[str, Verdict] = {}
    for tool, found in verdicts.items():
        if tool != without:
            for v in found:
                if v.id not in best or (v.exact and not best[v.id].exact):
                    best[v.id] = v
    return total(best.values())


def failures(tool: str, verdicts: Iterable[Verdict], cases: Mapping[str, Case]) -> str:
    """Every case that a tool gets wrong: SQL, what is missing and what is too much."""
    wrong = [v for v in verdicts if not v.exact]
    parts = [f"# {len(wrong)} cases that {tool} gets wrong\n"]
    for v in wrong:
        case = cases[v.id]
        known = "; ".join(f"{name}({', '.join(cols)})" for name, cols in _relevant(case))
        parts.append(
            f"## {v.id}\n\n"
            f"dialect `{case.dialect or 'standard'}`"
            + (f", default schema `{case.default_schema}`" if case.default_schema else "")
            + (f", asked for {', '.join(case.outputs)}" if case.outputs else "")
            + (f"\n\nschema: {known}" if known else "")
            + f"\n\n```sql\n{case.sql.strip()}\n```\n\n"
            + (f"crash: {v.crash}\n\n" if v.crash else "")
            + _listed("missing", v.expected - v.got)
            + _listed("too much", v.got - v.expected)
            + _listed("right", v.expected & v.got)
        )
    return "\n".join(parts)


def _relevant(case: Case) -> list[tuple[str, tuple[str, ...]]]:
    text = case.sql.lower()
    return [each for each in case.schema if each[0].rpartition(".")[2].lower() in text]


def _listed(title: str, edges: Edges) -> str:
    if not edges:
        return ""
    lines = "\n".join(str(edge) for edge in sorted(edges))
    return f"{title}:\n\n{indent(lines, '    ')}\n\n"
