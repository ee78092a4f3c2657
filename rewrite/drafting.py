"""One draft of a model for each report that is not kept, and the tables behind their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from unwet.lineage.errors import RenderError
from unwet.lineage.tables import Catalog, Table
from unwet.rewrite import joined_texts, moved_dates, sure_orders, tsql_dates, unsized, weeks
from unwet.rewrite.algebra import Opaque, Plan, walk
from unwet.rewrite.compose import Draft, NotComposable, compose
from unwet.rewrite.condition_values import WITHOUT, condition_value
from unwet.rewrite.definitions import spoken_in
from unwet.rewrite.engines.bare_names import without_quotes
from unwet.rewrite.engines.lacking import lacking
from unwet.rewrite.engines.lengths import cut, too_long
from unwet.rewrite.engines.numbered_orders import spelled
from unwet.rewrite.engines.ordered_by_all import counted_out
from unwet.rewrite.engines.reserved import in_quotes
from unwet.rewrite.function_words import calls_in
from unwet.rewrite.idle_arms import without_idle_arms
from unwet.rewrite.idle_nulls import without_idle_nulls
from unwet.rewrite.idle_orders import without_idle_orders, without_orders_of_parts
from unwet.rewrite.listed_columns import OF_TABLES
from unwet.rewrite.nothing_joined import without_nothing_joined
from unwet.rewrite.ordered_inside import with_order_kept
from unwet.rewrite.own_functions import OwnFunction, reached
from unwet.rewrite.parentheses import without_idle_parentheses
from unwet.rewrite.positions import NUMBERED, by_expression, without_constants
from unwet.rewrite.prove.declarations import Known
from unwet.rewrite.quotients import write_quotients
from unwet.rewrite.script import Report
from unwet.rewrite.source_names import shortly_named
from unwet.rewrite.stars import made_table
from unwet.rewrite.targets.functions import check
from unwet.rewrite.targets.target import Target
from unwet.rewrite.targets.tokens import TOKEN

_EARLIER = ("version", "when", "changes")  # FOR SYSTEM_TIME AS OF, VERSION AS OF, AT (OFFSET ...)


class Drafting:
    """Drafts are made anew only when a report they read is not a model any more. ``kept``: why
    reports stay as they are; what cannot be composed joins them. ``written``: what authors call
    the placeholders that reasons name, by their tokens in lower case."""

    def __init__(
        self,
        reports: Sequence[Report],
        dialect: str,
        target: Target,
        kept: dict[str, str],
        written: Mapping[str, str],
        catalog: Catalog,
        functions: Mapping[str, OwnFunction],
    ) -> None:
        self._catalog, self._functions = catalog, functions
        self._reports, self._dialect, self._target, self._kept = reports, dialect, target, kept
        self._written = written
        self._declared = Known(catalog, dialect)
        self._known: dict[str, Draft] = {}
        self._texts: dict[str, tuple[Draft, str]] = {}

    def drafts(self) -> tuple[Draft, ...]:
        """Of all reports that are not kept."""
        while True:
            models = {
                r.relation: r.name for r in self._reports if r.relation and r.name not in self._kept
            }
            drafts, before = [], len(self._kept)
            for report in self._reports:
                if report.name not in self._kept:
                    draft = self._composed(report, models)
                    drafts += [draft] if draft is not None else []
            self._kept.update(_merged(drafts))
            if len(self._kept) == before:
                return shortly_named(drafts)

    def printed(self, drafts: Sequence[Draft]) -> dict[str, str]:
        """What was printed to see whether they can be, of those that are still the same; told
        once."""
        texts, self._texts = self._texts, {}
        found = ((draft, texts.get(draft.name)) for draft in drafts)
        return {draft.name: known[1] for draft, known in found
                if known is not None and known[0] is draft}  # fmt: skip

    def _composed(self, report: Report, models: Mapping[str, str]) -> Draft | None:
        known = self._known.get(report.name)
        if known is None or any(ref in self._kept for ref in known.refs):
            known = self._draft(report, models)
        if known is not None:
            self._known[report.name] = known
        return known

    def _draft(self, report: Report, models: Mapping[str, str]) -> Draft | None:
        try:
            draft = compose(report, models)
            self._check_columns(draft)
            self._write_typed(draft, report)
            self._write_words(draft, spoken_in(report.definition, self._dialect))
            if self._dialect not in NUMBERED:  # where GROUP BY 1 is a constant, if it is anything
                self._write_numbers(draft, spoken_in(report.definition, self._dialect))
            self._check_conditions(draft, report)
            self._check_words(draft, report)
            if _is_understood(report):
                without_idle_arms(draft.tree)
            without_idle_parentheses(draft.tree, self._dialect)
            without_idle_nulls(draft.tree)
            if _is_understood(report):  # what is compared as a text keeps its words
                without_nothing_joined(draft.tree)
                without_idle_orders(draft.tree, self._dialect)
                parts = len(report.definition.parts)
                without_orders_of_parts(draft.tree, self._dialect, parts)
            with_order_kept(draft.tree, self._dialect)
            called = reached(calls_in(draft.tree, self._functions), self._functions)
            check(called, self._dialect, self._target.NAME)
            if text := self._target.check(draft, self._dialect):
                self._texts[report.name] = draft, text
        except (NotComposable, RenderError) as reason:
            said = TOKEN.sub(lambda hit: self._written.get(hit[0].lower(), hit[0]), str(reason))
            self._kept[report.name] = said
            return None
        return draft

    def _check_columns(self, draft: Draft) -> None:
        """The place of a row in a table (ctid), and what the table held an hour ago, is none in the
        model that is there instead."""
        if not draft.refs:
            return
        plans = [r.definition.plan for r in self._reports if r.name in draft.refs]
        known = {name.lower() for plan in plans if plan is not None for name in plan.names}
        models = {table.alias_or_name.lower() for table in draft.tree.find_all(exp.Table)
                  if table.name.startswith("ref__")}  # fmt: skip
        models |= set() if draft.outside else {""}
        for table in draft.tree.find_all(exp.Table):
            if table.name.startswith("ref__") and any(map(table.args.get, _EARLIER)):
                raise NotComposable("an earlier state is of a table, and what it reads is a model")
            if table.name.startswith("ref__") and table.args.get("partition"):
                raise NotComposable("a partition is of a table, and what it reads is a model")
        for column in draft.tree.find_all(exp.Column):
            name = column.name.lower()
            if name in OF_TABLES - known and column.table.lower() in models:
                raise NotComposable(f"{name} is of a table, and what it reads is a model")

    def _write_words(self, draft: Draft, spoken: str) -> None:
        weeks.written(draft.tree, spoken, self._dialect)
        moved_dates.written(draft.tree, spoken, self._dialect)
        tsql_dates.written(draft.tree, spoken, self._dialect)
        without_quotes(draft.tree, spoken, self._dialect)
        in_quotes(draft.tree, spoken, self._dialect)
        unsized.written(draft.tree, spoken, self._dialect)
        counted_out(draft.tree, spoken, self._dialect)
        spelled(draft.tree, spoken, self._dialect)
        cut(draft.tree, spoken, self._dialect)

    def _write_numbers(self, draft: Draft, spoken: str) -> None:
        by_expression(draft.tree, spoken)
        if spoken in NUMBERED and not without_constants(draft.tree):
            raise NotComposable("its groups are numbers of outputs, which are constants there")

    def _check_conditions(self, draft: Draft, report: Report) -> None:
        if self._dialect in WITHOUT and spoken_in(report.definition, self._dialect) not in WITHOUT:
            found = condition_value(draft.tree)
            if found is not None:
                raise NotComposable(f"a condition that is a value, which {self._dialect} has not")

    def _check_words(self, draft: Draft, report: Report) -> None:
        if spoken_in(report.definition, self._dialect) != self._dialect:
            missing = too_long(draft.tree, draft.outside, self._dialect)
            missing = missing or lacking(draft.tree, self._dialect)
            if missing:
                raise NotComposable(missing)

    def _write_typed(self, draft: Draft, report: Report) -> None:
        source = spoken_in(report.definition, self._dialect)
        types: dict[str, list[str]] = {}
        for outside in draft.outside:
            table = self._catalog.get(outside.relation)
            for column in table.columns if table is not None else ():
                types.setdefault(column.name, []).append(column.type)
        write_quotients(draft.tree, source, self._dialect, types)
        joined_texts.written(draft.tree, source, self._dialect, types)
        if sure_orders.are_said_otherwise(source, self._dialect):
            known = self._declared.promises(source)
            sure = {each.token.lower(): known.of(each.relation).not_null for each in draft.outside}
            sure_orders.written(draft.tree, source, self._dialect, sure)


def _is_understood(report: Report) -> bool:
    plan = report.definition.plan
    return plan is not None and not any(isinstance(node, Opaque) for node in walk(plan.rel))


def _merged(drafts: Sequence[Draft]) -> dict[str, str]:
    """The drafts that read two schemas by one name, or another than those before them, and why
    they can't: a source is one schema, so that a model would read the tables of the other."""
    found, known = dict[str, str](), dict[str, str]()
    for draft in drafts:
        for outside in draft.outside:
            schema = known.setdefault(outside.source, outside.schema)
            if schema.lower() != outside.schema.lower():
                said = f"schemas {schema} and {outside.schema} cannot be told apart as sources"
                found[draft.name] = said
    return found


def tables(
    drafts: Sequence[Draft],
    plans: Mapping[str, Plan],
    reports: Mapping[str, Report],
    catalog: Catalog,
) -> dict[str, Table]:
    """What is known of the relations behind the tokens in the drafts' trees."""
    found: dict[str, Table] = {}
    for draft in drafts:
        for outside in draft.outside:
            table = catalog.get(outside.relation)
            if table is not None:
                found[outside.token] = replace(table, name=outside.token)
        if draft.name in plans:
            token = f"ref__{draft.name}__ref"
            made = made_table(token, plans[draft.name].names)
            found[token] = _typed(made, catalog.get(reports[draft.name].relation))
    return found


def _typed(made: Table, known: Table | None) -> Table:
    """The table that a model makes, with the types that are known of the report's own."""
    if known is None:
        return made
    types = {column.name: column.type for column in known.columns}
    return replace(
        made, columns=tuple(replace(c, type=types.get(c.name, "")) for c in made.columns)
    )
