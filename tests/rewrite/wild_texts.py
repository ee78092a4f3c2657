"""Random SQL in the words that the plain texts leave out: frames, QUALIFY, DISTINCT ON, LATERAL,
recursion, grouping sets, integer division, days, texts, row values, ALL of set operations.

As there, each query has one right answer: where peers or the order of rows could decide, the order
is by all columns.
"""

from __future__ import annotations

from unwet.tests.rewrite.sql_texts import TABLES, Columns, Writer, qualified

_DAYS = ("DATE '2024-01-31'", "DATE '2024-02-29'", "CAST(NULL AS DATE)")
_FRAMES = (
    "", "", "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW", "ROWS UNBOUNDED PRECEDING",
    "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
    "GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",
)  # fmt: skip


class WildWriter(Writer):
    """Writes one query."""

    def select(self, depth: int, ctes: dict[str, Columns], outer: Columns) -> tuple[str, Columns]:
        match self.pick(8):
            case 0:
                return self.qualified_rows(depth, ctes, outer)
            case 1:
                return self.first_rows(depth, ctes, outer)
            case 2:
                return self.grouping_sets(depth, ctes, outer)
            case 3 if depth > 1:
                return self.recursive(depth, ctes, outer)
            case _:
                return super().select(depth, ctes, outer)

    def set_operation(
        self, depth: int, ctes: dict[str, Columns], outer: Columns
    ) -> tuple[str, Columns]:
        first, columns = self.select(depth - 1, ctes, outer)
        word = self.one(
            ("UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL")
        )
        text, scope = self.from_clause(0, ctes, outer)
        items = [f"{self.value(kind, scope)} AS {self.fresh('z')}" for _, kind in columns]
        return f"({first}) {word} (SELECT {', '.join(items)} FROM {text})", columns

    def from_clause(
        self, depth: int, ctes: dict[str, Columns], outer: Columns
    ) -> tuple[str, Columns]:
        text, scope = super().from_clause(depth, ctes, outer)
        alias = self.fresh("w")
        match self.pick(8):
            case 0:
                name = self.one(tuple(TABLES))
                inner = qualified(f"i{alias}", TABLES[name])
                test = self.join_test(scope, inner)
                body = f"SELECT {self.value('int', (*inner, *scope))} AS n FROM {name} AS i{alias}"
                if self.pick(2):
                    body = f"SELECT MAX({self.value('int', inner)}) AS n FROM {name} AS i{alias}"
                words = self.one(("CROSS JOIN LATERAL ({}) AS {}", "LEFT JOIN LATERAL ({}) AS {} "
                                  "ON TRUE"))  # fmt: skip
                joined = words.format(f"{body} WHERE {test}", alias)
                return f"{text} {joined}", (*scope, (f"{alias}.n", "int"))
            case 1:
                both = f"{self.value('int', scope)}, {self.value('int', scope)}"
                array = f"CROSS JOIN UNNEST([{both}]) AS {alias}(n)"
                return f"{text} {array}", (*scope, (f"{alias}.n", "int"))
            case _:
                return text, scope

    def qualified_rows(
        self, depth: int, ctes: dict[str, Columns], outer: Columns
    ) -> tuple[str, Columns]:
        """QUALIFY, or windows among the outputs."""
        text, scope = self.from_clause(depth, ctes, outer)
        columns = tuple((self.fresh("c"), kind) for kind in ("int", "text"))
        items = [f"{self.value(kind, scope)} AS {name}" for name, kind in columns]
        if self.pick(2):
            test = f"{self.window(scope)} {self.one(('=', '<=', '>'))} {self.pick(3)}"
            return f"SELECT {', '.join(items)} FROM {text} QUALIFY {test}", columns
        more = ((self.fresh("n"), "int"), (self.fresh("n"), "int"))
        items += [f"{self.window(scope)} AS {name}" for name, _ in more]
        return f"SELECT {', '.join(items)} FROM {text}", (*columns, *more)

    def window(self, scope: Columns) -> str:
        every = ", ".join(name for name, _ in scope)
        part = self.one(("", f"PARTITION BY {self.value(self.kind(), scope)} "))
        value, order = self.value("int", scope), self.one(("", " DESC", " NULLS FIRST"))
        match self.pick(4):
            case 0:
                rank = self.one(("RANK", "DENSE_RANK"))
                return f"{rank}() OVER ({part}ORDER BY {value}{order})"
            case 1:
                return f"ROW_NUMBER() OVER ({part}ORDER BY {value}{order}, {every})"
            case 2:
                call = self.one(("LAG", "LEAD"))
                offset = self.one(("", ", 1", ", 2", ", 1, 0"))
                return f"{call}({value}{offset}) OVER ({part}ORDER BY {every})"
            case _:
                call = self.one(("COUNT(*)", f"COUNT({value})", f"MAX({value})",
                                 f"FIRST_VALUE({value})", f"LAST_VALUE({value})"))  # fmt: skip
                frame = self.one(_FRAMES)
                return f"{call} OVER ({part}ORDER BY {every} {frame})"

    def first_rows(
        self, depth: int, ctes: dict[str, Columns], outer: Columns
    ) -> tuple[str, Columns]:
        text, scope = self.from_clause(depth, ctes, outer)
        key, every = self.value("int", scope), ", ".join(name for name, _ in scope)
        columns = tuple((self.fresh("c"), kind) for kind in ("int", "int", "text"))
        items = [key, self.value("int", scope), self.value("text", scope)]
        listed = ", ".join(f"{i} AS {n}" for i, (n, _) in zip(items, columns, strict=True))
        order = f"{key}{self.one(('', ' DESC'))}, {every}"
        return f"SELECT DISTINCT ON ({key}) {listed} FROM {text} ORDER BY {order}", columns

    def grouping_sets(
        self, depth: int, ctes: dict[str, Columns], outer: Columns
    ) -> tuple[str, Columns]:
        text, scope = self.from_clause(depth, ctes, outer)
        names = [name for name, _ in scope][:2]
        kinds = [kind for _, kind in scope][:2]
        listed = ", ".join(names)
        by = self.one((f"ROLLUP ({listed})", f"CUBE ({listed})", "ALL",
                       f"GROUPING SETS (({listed}), ())"))  # fmt: skip
        columns = tuple((self.fresh("g"), kind) for kind in kinds)
        items = [f"{v} AS {n}" for v, (n, _) in zip(names, columns, strict=True)]
        count = self.fresh("n")
        items.append(f"{self.aggregate(scope)} AS {count}")
        body = f"SELECT {', '.join(items)} FROM {text} GROUP BY {by}"
        return body, (*columns, (count, "int"))

    def recursive(
        self, depth: int, ctes: dict[str, Columns], outer: Columns
    ) -> tuple[str, Columns]:
        text, scope = self.from_clause(0, ctes, outer)
        name, word = self.fresh("rec"), self.one(("UNION", "UNION ALL"))
        start = f"SELECT {self.value('int', scope)} AS n, 0 AS level FROM {text}"
        step = f"SELECT n + {self.pick(3)}, level + 1 FROM {name} WHERE level < {self.pick(3)}"
        body = f"WITH RECURSIVE {name}(n, level) AS ({start} {word} {step})"
        return f"{body} SELECT n, level FROM {name}", (("n", "int"), ("level", "int"))

    def value(self, kind: str, scope: Columns) -> str:
        plain = super().value(kind, scope)
        if self.pick(4):
            return plain
        other = super().value(kind, scope)
        text, number = super().value("text", scope), super().value("int", scope)
        day = self.one(_DAYS)
        match kind:
            case "int":
                return self.one((
                    f"({plain} // {other})", f"({plain} % 2)", f"ABS({plain})", f"LENGTH({text})",
                    f"GREATEST({plain}, {other})", f"NULLIF({plain}, {other})",
                    f"DATEDIFF('month', {day}, {self.one(_DAYS)})", f"EXTRACT(day FROM {day})",
                    f"CAST({plain} / 2 AS INTEGER)", f"TRY_CAST({text} AS INTEGER)",
                    f"CASE {plain} WHEN 1 THEN {other} WHEN NULL THEN 5 END",
                ))  # fmt: skip
            case "text":
                return self.one((
                    f"({plain} || {other})", f"CONCAT({plain}, {other})", f"UPPER({plain})",
                    f"SUBSTR({plain}, {self.pick(3)}, 1)", f"LEFT({plain}, 1)", f"TRIM({plain})",
                    f"CAST({number} AS VARCHAR)", f"STRFTIME({day}, '%Y-%m')",
                    f"CAST({day} + INTERVAL 1 MONTH AS VARCHAR)", f"REPLACE({plain}, 'a', 'b')",
                ))  # fmt: skip
            case _:
                return self.one((
                    f"({text} LIKE 'a%')", f"({number} BETWEEN 0 AND 1)", f"({plain} IS NOT TRUE)",
                    f"({plain} = {other})", f"({number} IS DISTINCT FROM 1)",
                    f"(({number}, {text}) IN ((1, 'a'), (2, NULL)))",
                    f"({day} > DATE '2024-02-01')",
                    f"COALESCE({plain}, FALSE)", f"({number} = ANY([1, NULL]))",
                ))  # fmt: skip
