"""The real output in these pages: each `<!-- begin NAME -->` block is made by running unwet.

    python docs/walk.py                   exit 1 when a page is out of date
    python docs/walk.py --write           bring all pages up to date
    python docs/walk.py --write --slow    and the demo in README, which runs for some minutes

The prose around the blocks is written by hand. Most blocks show what becomes of the small pile in
fixtures/walk/ at one stage.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from click.testing import CliRunner

from unwet.cli import main as cli
from unwet.lineage.codes import families
from unwet.lineage.codes.forms import as_page
from unwet.lineage.pile import Pile, load
from unwet.rewrite import refactor, verify
from unwet.rewrite.algebra import Agg, Call, Col, Expr, Join, Lit, Plan, Rel, Scan
from unwet.rewrite.algebra import expressions as held
from unwet.rewrite.algebra import inputs as below
from unwet.rewrite.fingerprint import core, recurring, strict
from unwet.rewrite.normal import normalize
from unwet.rewrite.prove.against import setting
from unwet.rewrite.prove.render import render_project
from unwet.rewrite.prove.roundtrip import read_back
from unwet.rewrite.script import EndState, end_state

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "fixtures" / "walk"
PAGES = (
    "README.md",
    "docs/architecture.md",
    "docs/codes.md",
    "docs/commands.md",
    "docs/decisions.md",
    "docs/pictures.md",
    "docs/pre-commit.md",
    "docs/project.md",
    "docs/scale.md",
    "docs/verify.md",
)
BLOCK = re.compile(r"(?s)<!-- begin ([\w-]+) -->\n.*?<!-- end \1 -->")
SLOW = frozenset({"demo"})  # its labels are checked by the test of the demo
TIMES = re.compile(r"^ +[0-9]+\.[0-9] s  .*\n", re.M)  # of steps: other ones in each run
REPORTS = ("revenue_de", "revenue_fr")


def refreshed(text: str, skip: frozenset[str] = frozenset()) -> str:
    """A page with its blocks made anew. Raises KeyError for a block nobody makes."""

    def block(found: re.Match[str]) -> str:
        name = found[1]
        if name in skip:
            return found[0]
        made = BLOCKS[name]().rstrip()
        return f"<!-- begin {name} -->\n{made}\n<!-- end {name} -->"

    return BLOCK.sub(block, text)


# --- the small pile, read once ----------------------------------------------------------------


@contextlib.contextmanager
def at_home() -> Iterator[None]:
    """In the folder of the small pile, so that paths are short and the same everywhere."""
    with contextlib.chdir(HOME):
        yield


@cache
def pile() -> Pile:
    with at_home():
        return load("pile", "postgres")


@cache
def state() -> EndState:
    return end_state(pile().scripts, pile().resolved, pile().catalog)


@cache
def project() -> Path:
    """The written project; it lives as long as this process."""
    folder = Path(_scratch().name) / "project"
    with at_home():
        wanted = refactor.Request(folder, "shop", "duckdb", "data", values={"least": "50"})
        refactor.refactor(pile(), wanted)
    return folder


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="unwet-walk-")


def plan_of(name: str) -> Plan:
    plan = next(r.definition.plan for r in state().reports if r.name == name)
    assert plan is not None
    return plan


# --- forms ------------------------------------------------------------------------------------


def code(text: str, language: str = "") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def files(*paths: Path, language: str = "sql") -> str:
    return "\n\n".join(f"`{_short(p)}`\n{code(p.read_text('utf-8'), language)}" for p in paths)


def _short(path: Path) -> str:
    home = HOME if path.is_relative_to(HOME) else project()
    return str(path.relative_to(home))


def table(header: str, rows: Iterable[Iterable[object]]) -> str:
    names = [name.strip() for name in header.split("|")]
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    lines = [names, ["---"] * len(names), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def tree(rel: Rel, depth: int = 0) -> Iterator[str]:
    """A relation as an indented tree; `#n` is column n of what the node reads."""
    yield "  " * depth + _line(rel)
    for child in below(rel):
        yield from tree(child, depth + 1)


def _line(rel: Rel) -> str:
    match rel:
        case Scan(table=name, columns=columns):
            return f"Scan {name} ({', '.join(columns)})"
        case Join(kind=kind):
            return f"Join {kind} on {_list(held(rel))}"
        case _:
            return f"{type(rel).__name__} {_list(held(rel))}".rstrip()


def _list(exprs: Iterable[Expr]) -> str:
    return ", ".join(map(_word, exprs))


def _word(expr: Expr) -> str:
    match expr:
        case Col(index=index):
            return f"#{index}"
        case Lit(kind=kind, text=text):
            return repr(text) if kind == "string" else text or kind
        case Call(op=op, args=args) | Agg(op=op, args=args):
            return f"{op}({_list(args)})"
        case _:
            return type(expr).__name__.lower()


# --- stages -----------------------------------------------------------------------------------


def block_pile() -> str:
    return files(*sorted((HOME / "pile").glob("*.sql")))


def block_data() -> str:
    return files(*sorted((HOME / "data" / "shop").glob("*.csv")), language="")


def block_masked() -> str:
    script = next(s for s in pile().scripts if s.source.path.endswith("big_spenders.sql"))
    masked = script.statements[0].masked
    rows = [(p.name, f"`{p.text}`", f"`{p.token}`", p.style, p.binds) for p in masked.placeholders]
    head = "name | text | token | style | bound by a driver"
    return f"{code(masked.text, 'sql')}\n\n{table(head, rows)}"


def block_statements() -> str:
    statements = [s for script in pile().scripts for s in script.statements]
    rows = [(s.span, s.index, s.tree.key, _first(s.text)) for s in statements]
    return table("span | number | kind | begins", rows)


def _first(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return f"`{lines[0].strip()}`"


def block_catalog() -> str:
    rows = [
        (t.name, ", ".join(f"{c.name} {c.type}".strip() for c in t.columns), t.closed, t.origin)
        for t in sorted(pile().catalog.tables.values(), key=lambda t: t.name)
    ]
    return table("relation | columns | complete | known from", rows)


def block_resolved() -> str:
    found = next(r for r in pile().resolved if r.target == "reporting.revenue_de")
    assert found.query is not None
    lines = [f"{found.kind} -> {found.target}"]
    lines += [
        f"  input  {i.alias}: {i.relation} ({', '.join(i.columns or ('?',))})"
        for i in found.query.inputs
    ]
    lines += [f"  output {o.name}: {o.expression}" for o in found.query.outputs]
    return code("\n".join(lines))


def block_edges() -> str:
    wanted = [e for e in pile().graph.edges if e.target.relation == "reporting.revenue_de"]
    rows = [
        (
            f"{e.source.relation}.{e.source.column}",
            f"{e.target.relation}.{e.target.column}",
            f"{e.type} {e.subtype}",
            e.certainty,
            e.spans[0],
        )
        for e in sorted(wanted)
    ]
    return table("source | target | type | certainty | first seen", rows)


def block_plan() -> str:
    return "\n\n".join(f"`{name}`\n{code(_tree(plan_of(name).rel))}" for name in REPORTS)


def _tree(rel: Rel) -> str:
    return "\n".join(tree(rel))


def block_state() -> str:
    rows = [
        (r.name, r.relation or "(a bare query)", r.span, ", ".join(_reads(r.name)))
        for r in state().reports
    ]
    return table("report | relation | first filled at | reads", rows)


def _reads(name: str) -> list[str]:
    report = next(r for r in state().reports if r.name == name)
    return sorted(
        d.relation + (" (temporary)" if d.temp else "") for d in report.definition.reads
    ) or ["-"]


def block_steps() -> str:
    shown = []
    for name in REPORTS:
        _, steps = normalize(plan_of(name).rel)
        lines = [f"{n:2} {step.rule}" for n, step in enumerate(steps, 1)]
        shown.append(f"`{name}`\n{code(chr(10).join(lines))}")
    return "\n\n".join(shown)


def block_normal() -> str:
    forms = [f"`{n}`\n{code(_tree(normalize(plan_of(n).rel)[0]))}" for n in REPORTS]
    return "\n\n".join(forms)


def block_prints() -> str:
    forms = [(n, normalize(plan_of(n).rel)[0]) for n in REPORTS]
    rows = [(n, *(f"`{make(rel)[:16]}`" for make in (strict, recurring, core))) for n, rel in forms]
    return table("report | strict | recurring | core", rows)


def block_macro() -> str:
    return files(*sorted((project() / "macros").rglob("*.sql")))


def block_models() -> str:
    return files(*sorted((project() / "models").rglob("*.sql")))


def block_tests_of_models() -> str:
    return files(project() / "models/marts/_models.yml", language="yaml")


def block_rendered() -> str:
    against = setting(pile(), state().reports, "duckdb", {}, {})
    relation = {r.name: r.relation or r.name for r in state().reports}
    shown = render_project(
        project(), against.variables, lambda kind, name: relation.get(name, name)
    )
    model = next(m for m in shown.models if m.name == "revenue_fr")
    return code(model.sql, "sql")


def block_readback() -> str:
    against = setting(pile(), state().reports, "duckdb", {}, {})
    found = read_back(project(), against)
    rows = []
    for name in REPORTS:
        back = found[name].plan
        assert back is not None
        old, new = (strict(normalize(p.rel)[0])[:16] for p in (plan_of(name), back))
        rows.append((name, f"`{old}`", f"`{new}`", "proved" if old == new else "not proved"))
    return table("report | legacy | project | verdict", rows)


def block_verdicts() -> str:
    with at_home():
        values = {"least": "50"}
        found = verify.verify(pile(), verify.Request(project(), "", "data", values))
    rows = [(r.name, r.verdict, r.rows_before, r.rows_after) for r in found.reports]
    return table("report | verdict | rows before | rows after", rows)


# --- commands ---------------------------------------------------------------------------------


def shell(*args: str, shown: str = "") -> str:
    """A command in the folder of the small pile, and what it prints."""
    with at_home():
        done = CliRunner(env={"COLUMNS": "88", "NO_COLOR": "1"}).invoke(
            cli, list(args), prog_name="unwet"
        )
    return code(f"$ {shown or 'unwet ' + ' '.join(args)}\n{done.output}", "console")


def block_scan() -> str:
    return shell("scan", "pile", "--dialect", "postgres")


def block_lineage() -> str:
    column = "reporting.revenue_de.revenue"
    return shell("lineage", "pile", "--dialect", "postgres", "--column", column, "--upstream")


def block_dups() -> str:
    return shell("dups", "pile", "--dialect", "postgres")


def block_search() -> str:
    return shell("search", "revenue", "pile", "--dialect", "postgres")


def block_drift() -> str:
    return shell("drift", "copies", "--dialect", "postgres", "--data", "copies_data")


def block_refactor() -> str:
    return commands()["refactor"]


def block_plan_of_copies() -> str:
    return shell("refactor", "copies", "--dialect", "postgres", "--plan", "--quiet")


def block_verify() -> str:
    return commands()["verify"]


def block_wrong() -> str:
    """As `block_verify`, after an INNER JOIN slipped into the macro."""
    return commands()["wrong"]


@cache
def commands() -> dict[str, str]:
    """The commands that make and check a project, one after the other, just as they are shown."""
    spoken = "--dialect postgres"
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "project"

        def run(command: str) -> str:
            words = [str(made) if word == "project" else word for word in command.split()]
            return shell(*words, shown=f"unwet {command}").replace(str(made), "project")

        shown = {}
        shown["refactor"] = run(
            f"refactor pile {spoken} --to-dialect duckdb --data data --out project"
        )
        check = f"verify pile project {spoken} --data data --param least=50"
        shown["verify"] = run(check)
        shown["rules"] = TIMES.sub("", run(f"verify pile project {spoken} -v"))
        macro = next((made / "macros").rglob("*.sql"))
        macro.write_text(macro.read_text("utf-8").replace("left join", "join"), "utf-8")
        shown["wrong"] = run(check)
        shown["apart"] = run(f"verify pile project {spoken} --no-generated")
    return shown


def block_apart() -> str:
    """Without data: where old and new part."""
    return commands()["apart"]


def block_rules() -> str:
    return commands()["rules"]


def block_draft() -> str:
    return shell("drift", "copies", "--dialect", "postgres", "--format", "toml")


def block_decisions() -> str:
    """A decision, and what becomes of the copies with it; beside the project that README makes."""
    spoken = "--dialect postgres --decisions decisions.toml"
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "decided")

        def run(command: str) -> str:
            words = [str(made) if word == "decided" else word for word in command.split()]
            return shell(*words, shown=f"unwet {command}").replace(str(made), "decided")

        first = run(f"refactor copies {spoken} --to-dialect duckdb --out decided --quiet")
        return f"{first}\n\n{run(f'verify copies decided {spoken} --data copies_data')}"


def block_check() -> str:
    """A new copy beside a pile that has been there before."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(HOME / "pile", "pile")
        Path("pile", "revenue_lyon.sql").write_text(LYON, "utf-8")
        words = ("check", "pile/revenue_lyon.sql", "--dialect", "postgres", "--no-index")
        done = CliRunner(env={"COLUMNS": "88", "NO_COLOR": "1", "CI": ""}).invoke(cli, list(words))
        said = f"$ unwet {' '.join(words[:-1])}\n{done.output}"
        return f"{code(LYON, 'sql')}\n\n{code(said, 'console')}"


LYON = """\
SELECT k.id, k.name, COALESCE(SUM(o.amount), 0) AS umsatz
FROM shop.customers AS k
LEFT JOIN shop.orders AS o
  ON k.id = o.customer_id AND o.amount > 0 AND o.status IN ('shipped', 'paid')
WHERE k.country = 'FR'
GROUP BY k.id, k.name
"""


def block_parts() -> str:
    """A scan in two parts, and their sum."""
    printed = []
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(HOME / "pile", "pile")
        for words in (
            "scan pile --dialect postgres --shard 1/2 -o 1.part",
            "scan pile --dialect postgres --shard 2/2 -o 2.part",
            "merge 1.part 2.part",
        ):
            done = CliRunner(env={"COLUMNS": "88", "NO_COLOR": "1"}).invoke(cli, words.split())
            printed.append(f"$ unwet {words}\n{done.output}")
    return code("".join(printed), "console")


def block_demo() -> str:
    with tempfile.TemporaryDirectory() as folder:
        done = CliRunner(env={"NO_COLOR": "1"}).invoke(
            cli, ["demo", "-q", "--out", f"{folder}/demo"]
        )
        return demo_block(done.stdout, f"{folder}/demo")


def demo_block(printed: str, folder: str) -> str:
    """The table of the demo, wherever it ran."""
    return code("$ make demo\n" + printed.replace(folder, "build/demo"), "console")


def block_codes() -> str:
    return as_page(families())


def block_help() -> str:
    names = sorted(cli.commands)
    return "\n\n".join(["## unwet", shell("--help"), *map(_help, names)])


def _help(name: str) -> str:
    return f"## unwet {name}\n\n{shell(name, '--help')}"


BLOCKS: dict[str, Callable[[], str]] = {
    name.removeprefix("block_"): made
    for name, made in sorted(globals().items())
    if name.startswith("block_")
}


def main(write: bool, slow: bool) -> int:
    """1 when a page was out of date and is left so."""
    stale = 0
    for name in PAGES:
        page = ROOT / name
        text = page.read_text("utf-8")
        new = refreshed(text, frozenset() if slow else SLOW)
        if new != text:
            print(f"{name} {'updated' if write else 'is out of date'}")
            stale += not write
            if write:
                page.write_text(new, "utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    os.environ["NO_COLOR"] = "1"
    sys.exit(main("--write" in sys.argv[1:], "--slow" in sys.argv[1:]))
