"""Random SQL texts over the tables of the small worlds, for comparing a query with its plan.

Everything is drawn through one ``Pick``, a function that chooses a number below another. Every
output has a name of its own, LIMIT only stands on an order by all outputs, and windows that
depend on the order of peers are left out, so each query has one right answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Pick = Callable[[int], int]
Columns = tuple[tuple[str, str], ...]  # (name, kind)

TABLES: dict[str, Columns] = {
    "t": (("a", "int"), ("b", "int"), ("c", "text")),
    "u": (("a", "int"), ("k", "int"), ("d", "text")),
    "v": (("k", "int"), ("b", "int"), ("e", "bool")),
}
CONSTANTS = {
    "int": ("0", "1", "2", "NULL::INTEGER"),
    "text": ("''", "'a'", "'b'"),
    "bool": ("TRUE", "FALSE", "NULL::BOOLEAN"),
}


class Writer:
    """Writes one query; ``depth`` bounds how deep queries nest."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        self.names = 0

    def one(self, options: Sequence[str]) -> str:
        return options[self.pick(len(options))]

    def fresh(self, stem: str) -> str:
        self.names += 1
        return f"{stem}{self.names}"

    def statement(self) -> str:
        """A whole query, with CTEs now and then."""
        ctes: dict[str, Columns] = {}
        parts = []
        for _ in range(self.pick(3)):
            # a CTE may hide a table or an earlier CTE of its statement
            name = self.one(("x", "y", "t"))
            if name in ctes:
                continue
            body, columns = self.query(2, ctes, ())
            ctes[name] = columns
            parts.append(f"{name} AS ({body})")
        body, _ = self.query(2, ctes, ())
        return f"WITH {', '.join(parts)} {body}" if parts else body

    def query(self, depth: int, ctes: dict[str, Columns], outer: Columns) -> tuple[str, Columns]:
        if depth > 0 and self.pick(5) == 0:
            return self.set_operation(depth, ctes, outer)
        return self.select(depth, ctes, outer)

    def set_operation(
        self, depth: int, ctes: dict[str, Columns], outer: Columns
    ) -> tuple[str, Columns]:
        first, columns = self.select(depth - 1, ctes, outer)
        word = self.one(("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL"))
        source = self.one(tuple(TABLES))
        items = [self.value(kind, qualified(source, TABLES[source])) for _, kind in columns]
        listed = ", ".join(f"{item} AS {self.fresh('z')}" for item in items)
        second = f"SELECT {listed} FROM {source}"
        return f"({first}) {word} ({second})", columns

    def source(self, depth: int, ctes: dict[str, Columns], outer: Columns) -> tuple[str, Columns]:
        alias = self.fresh("r")
        if depth > 0 and self.pick(4) == 0:
            body, columns = self.query(depth - 1, ctes, ())
            return f"({body}) AS {alias}", qualified(alias, columns)
        named = {**TABLES, **ctes}
        name = self.one(tuple(sorted(named)))
        return f"{name} AS {alias}", qualified(alias, named[name])

    def from_clause(
        self, depth: int, ctes: dict[str, Columns], outer: Columns
    ) -> tuple[str, Columns]:
        text, scope = self.source(depth, ctes, outer)
        for _ in range(self.pick(3)):
            word = self.one(
                ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "SEMI JOIN")
            )
            right, columns = self.source(depth - 1, ctes, outer)
            if word == "CROSS JOIN":
                text, scope = f"{text} CROSS JOIN {right}", (*scope, *columns)
                continue
            test = self.join_test(scope, columns)
            text = f"{text} {word} {right} ON {test}"
            scope = scope if word == "SEMI JOIN" else (*scope, *columns)
        return text, scope

    def join_test(self, left: Columns, right: Columns) -> str:
        pairs = [(a, b) for a, k in left for b, m in right if k == m]
        if not pairs:
            return "TRUE"
        a, b = pairs[self.pick(len(pairs))]
        extra = f" AND {self.test((*left, *right), 0, {}, ())}" if self.pick(3) == 0 else ""
        return f"{a} = {b}{extra}"

    def select(self, depth: int, ctes: dict[str, Columns], outer: Columns) -> tuple[str, Columns]:
        text, scope = self.from_clause(depth, ctes, outer)
        where = f" WHERE {self.test(scope, depth, ctes, outer)}" if self.pick(2) else ""
        if self.pick(3) == 0:
            return self.grouped(text + where, scope)
        columns = tuple((self.fresh("c"), self.kind()) for _ in range(1 + self.pick(3)))
        items = [f"{self.output(kind, scope, depth, ctes)} AS {name}" for name, kind in columns]
        head = "SELECT DISTINCT" if self.pick(4) == 0 else "SELECT"
        body = f"{head} {', '.join(items)} FROM {text}{where}"
        return body + self.bounds(columns), columns

    def bounds(self, columns: Columns) -> str:
        if self.pick(5):
            return ""
        order = ", ".join(f"{name}{self.one(('', ' DESC', ' NULLS FIRST'))}" for name, _ in columns)
        offset = f" OFFSET {self.pick(3)}" if self.pick(2) else ""
        return f" ORDER BY {order} LIMIT {self.pick(4)}{offset}"

    def grouped(self, text: str, scope: Columns) -> tuple[str, Columns]:
        keys = [(self.fresh("g"), kind) for kind in [self.kind() for _ in range(self.pick(3))]]
        values = [self.value(kind, scope) for _, kind in keys]
        aggs = [(self.fresh("n"), self.aggregate(scope)) for _ in range(1 + self.pick(2))]
        items = [f"{v} AS {n}" for v, (n, _) in zip(values, keys, strict=True)]
        items += [f"{a} AS {n}" for n, a in aggs]
        by = ""
        if keys:
            how = self.pick(3)
            shown = [str(i + 1) for i in range(len(keys))]
            shown = [n for n, _ in keys] if how == 1 else values if how == 2 else shown
            if any(v in _SIMPLE for v in values):
                shown = [n for n, _ in keys]  # a bare number would be a position
            by = f" GROUP BY {', '.join(shown)}"
        having = f" HAVING {self.aggregate(scope)} > {self.pick(3)}" if self.pick(3) == 0 else ""
        columns = (*keys, *((n, "int") for n, _ in aggs))
        return f"SELECT {', '.join(items)} FROM {text}{by}{having}", columns

    def aggregate(self, scope: Columns) -> str:
        value = self.value("int", scope)
        call = self.one(("COUNT(*)", f"COUNT({value})", f"SUM({value})::INTEGER", f"MAX({value})",
                         f"MIN({value})", f"COUNT(DISTINCT {value})"))  # fmt: skip
        if self.pick(5) == 0 and "::" not in call:
            return f"{call} FILTER (WHERE {self.test(scope, 0, {}, ())})"
        return call

    def output(self, kind: str, scope: Columns, depth: int, ctes: dict[str, Columns]) -> str:
        if kind == "int" and self.pick(6) == 0:
            part = self.value(self.kind(), scope)
            call = self.one(("COUNT(*)", f"MAX({self.value('int', scope)})", "RANK()"))
            order = f" ORDER BY {self.value('int', scope)}" if call == "RANK()" else ""
            return f"{call} OVER (PARTITION BY {part}{order})"
        if kind == "int" and depth > 0 and self.pick(6) == 0:
            name = self.one(tuple(TABLES))
            alias = self.fresh("q")
            inner = qualified(alias, TABLES[name])
            test = self.join_test(scope, inner)
            value = self.value("int", inner)
            return f"(SELECT MAX({value}) FROM {name} AS {alias} WHERE {test})"
        return self.value(kind, scope)

    def kind(self) -> str:
        return self.one(("int", "int", "text", "bool"))

    def value(self, kind: str, scope: Columns) -> str:
        mine = [name for name, k in scope if k == kind]
        if not mine or self.pick(6) == 0:
            return self.one(CONSTANTS[kind])
        column = self.one(mine)
        if kind == "int" and self.pick(3) == 0:
            other = self.one(mine)
            return self.one((f"({column} + 1)", f"({column} - {other})", f"COALESCE({column}, 0)",
                             f"CASE WHEN {column} > 1 THEN {other} END"))  # fmt: skip
        return column

    def test(self, scope: Columns, depth: int, ctes: dict[str, Columns], outer: Columns) -> str:
        shape = self.pick(9 if depth > 0 else 6)
        if shape < 2 and depth < -1:
            shape = 2
        if shape == 0:
            both = [self.test(scope, depth - 1, ctes, outer) for _ in range(2)]
            return f"({self.one((' AND ', ' OR ')).join(both)})"
        if shape == 1:
            return f"NOT ({self.test(scope, depth - 1, ctes, outer)})"
        if shape == 2:
            return f"{self.value(self.kind(), scope)} IS {self.one(('', 'NOT '))}NULL"
        if shape == 3:
            word = self.one(("IN", "NOT IN"))
            return f"{self.value('int', scope)} {word} (1, {self.one(('2', 'NULL'))})"
        if shape >= 6:
            return self.subquery_test(scope, depth, ctes, outer)
        kind = self.one(("int", "text"))
        sides = self.value(kind, scope), self.value(kind, scope)
        return f"{sides[0]} {self.one(('=', '<>', '<', '>='))} {sides[1]}"

    def subquery_test(
        self, scope: Columns, depth: int, ctes: dict[str, Columns], outer: Columns
    ) -> str:
        named = {**TABLES, **ctes}
        name, alias = self.one(tuple(sorted(named))), self.fresh("s")
        inner = qualified(alias, named[name])
        around = (*scope, *outer)
        tests = [self.join_test(around, inner)] if self.pick(2) else []
        if depth > 1 and self.pick(2):
            tests.append(self.subquery_test(inner, depth - 1, ctes, around))
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        if self.pick(2):
            return f"{self.one(('', 'NOT '))}EXISTS (SELECT 1 FROM {name} AS {alias}{where})"
        ints = [n for n, k in inner if k == "int"] or ["1"]
        word = self.one(("IN", "NOT IN"))
        body = f"SELECT {self.one(ints)} FROM {name} AS {alias}{where}"
        return f"{self.value('int', scope)} {word} ({body})"


_SIMPLE = {constant for many in CONSTANTS.values() for constant in many}


def qualified(alias: str, columns: Columns) -> Columns:
    """The columns as those of something with an alias."""
    return tuple((f"{alias}.{name}", kind) for name, kind in columns)
