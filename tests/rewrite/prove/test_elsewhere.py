"""Old and new on a server: only queries are sent there, unless a scratch schema was named."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.rewrite.prove.servers import connected, run_sql
from unwet.cli import main
from unwet.lineage.errors import EngineError, UsageError
from unwet.lineage.parse import Script, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.engines import Timeout
from unwet.rewrite.prove.on_data import run_on_data
from unwet.rewrite.prove.servers.secrets import Secrets
from unwet.rewrite.prove.servers.spark import SparkEngine, open_spark
from unwet.rewrite.prove.tested import DataVerdict

CLOCK = datetime(2024, 2, 1)
SECRET = "Sw0rdfish"
SERVER = (
    "CREATE SCHEMA shop",
    "CREATE SCHEMA scratch",
    "CREATE SCHEMA closed",
    "CREATE TABLE shop.orders (id int, region text, amount numeric(10, 2), day date)",
    "INSERT INTO shop.orders VALUES (1, 'n', 5, '2024-01-31'), (2, 'n', 5, '2024-02-01'), "
    "(3, 's', 7, '2024-02-01'), (4, 's', NULL, '2024-02-02'), (5, NULL, 9, '2024-03-01')",
    "CREATE TABLE closed.salaries (id int, pay int)",
    "CREATE TABLE shop.log (line text)",
    "CREATE FUNCTION shop.logged(x int) RETURNS int LANGUAGE sql VOLATILE AS "
    "'INSERT INTO shop.log VALUES (''called'') RETURNING 1'",
    f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'",
    "GRANT USAGE ON SCHEMA shop, closed, scratch TO reader",
    "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA shop TO reader",
    "GRANT CREATE ON SCHEMA scratch TO reader",
)
SOURCES = (
    "sources: [{name: shop, tables: [{name: orders}, {name: nix}]}, "
    "{name: closed, tables: [{name: salaries}]}]"
)
ORDERS = "{{ source('shop', 'orders') }}"
MODELS = {
    "macros/of.sql": "{% macro of(r) %}select id, amount from {{ ref('stg_orders') }} "
    "where region = '{{ r }}'{% endmacro %}",
    "models/stg_orders.sql": f"select * from {ORDERS}",
    "models/north.sql": "{{ of('n') }}",
    "models/south.sql": "{{ of('s') }}",
}
NORTH = ReportRef("north", "rep.north", "north")
SOUTH = ReportRef("south", "", "south", "south.sql", 1)
LEGACY = {
    "north.sql": "CREATE TEMP TABLE n AS SELECT * FROM shop.orders WHERE region = 'n';\n"
    "CREATE TABLE rep.north AS SELECT id, amount FROM n",
    "south.sql": "SELECT id, amount FROM shop.orders WHERE region = 's'",
}
WRITING = {
    "north.sql": "CREATE TABLE rep.north (id int, amount numeric(10, 2));\n"
    "INSERT INTO rep.north SELECT id, 0 FROM shop.orders WHERE region = 'n';\n"
    "UPDATE rep.north SET amount = o.amount FROM shop.orders AS o WHERE o.id = rep.north.id",
    "south.sql": LEGACY["south.sql"],
}


ENDLESS = (
    "WITH RECURSIVE r AS (SELECT 1 AS id UNION ALL SELECT id % 7 FROM r) "
    "SELECT MAX(id) AS id, MIN(id) AS amount FROM r"
)


@pytest.fixture(scope="module")
def server(postgres: str) -> Iterator[str]:
    """The DSN of a user who may read the shop and write into `scratch`."""
    run_sql(postgres, *SERVER)
    socket = re.search(r"host=([^&]+)", postgres)
    assert socket is not None
    yield f"postgresql://reader:{SECRET}@/postgres?host={socket[1]}"
    run_sql(
        postgres,
        "DROP SCHEMA shop, scratch, closed CASCADE",
        "DROP ROLE reader",
    )


class Bench:
    """A project, and the tests of it on a server."""

    def __init__(self, root: Path, server: str) -> None:
        self.root, self.server = root, server
        self.write("dbt_project.yml", "name: p\n")
        self.write("models/sources.yml", SOURCES)
        for name, content in MODELS.items():
            self.write(name, content)

    def write(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def run(
        self,
        legacy: Mapping[str, str],
        *reports: ReportRef,
        scratch: str = "",
        seconds: float | None = 20,
        dialect: str = "postgres",
    ) -> dict[str, DataVerdict]:
        scripts = [script(path, sql, dialect) for path, sql in legacy.items()]
        found = run_on_data(scripts, self.root, reports, self.server, dialect,
                            scratch=scratch, seconds=seconds, clock=CLOCK)  # fmt: skip
        assert [verdict.name for verdict in found] == [report.name for report in reports]
        assert SECRET not in repr(found)
        return {verdict.name: verdict for verdict in found}

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        with connected(self.server) as engine:
            return engine.rows(sql)


def script(path: str, sql: str, dialect: str) -> Script:
    return parse(mask(Source(path, sql)), dialect)


@pytest.fixture
def bench(tmp_path: Path, server: str) -> Bench:
    return Bench(tmp_path, server)


@pytest.mark.parametrize("scratch", ["", "scratch"])
def test_same_rows(bench: Bench, scratch: str) -> None:
    found = bench.run(LEGACY, NORTH, SOUTH, scratch=scratch)
    told = {name: (v.verdict, v.rows_before, v.rows_after, v.reason) for name, v in found.items()}
    assert told == {"north": ("identical", 2, 2, ""), "south": ("identical", 2, 2, "")}


@pytest.mark.parametrize("scratch", ["", "scratch"])
def test_other_rows_are_shown(bench: Bench, scratch: str) -> None:
    bench.write("models/south.sql", "{{ of('s') }} and amount > 0")
    south = bench.run(LEGACY, NORTH, SOUTH, scratch=scratch)["south"]
    assert (south.verdict, south.reason) == ("different", "rows 1 removed")
    assert [(d.change, d.row, d.copies) for d in south.sample] == [("removed", ("4", None), 1)]


def test_statements_that_write_are_refused_without_a_scratch_schema(bench: Bench) -> None:
    found = bench.run(WRITING, NORTH, SOUTH)
    assert found["north"].verdict == "not run"
    assert found["north"].reason == (
        "north.sql:1: rep.north is filled by statements that write: "
        "name a scratch schema with --scratch"
    )
    assert found["south"].verdict == "identical"


def test_a_scratch_schema_is_written_to_and_left_empty(bench: Bench) -> None:
    before = bench.ask("SELECT count(*), sum(amount) FROM shop.orders")
    found = bench.run(WRITING, NORTH, SOUTH, scratch="scratch")
    assert {name: v.verdict for name, v in found.items()} == {
        "north": "identical",
        "south": "identical",
    }
    left = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN "
    assert bench.ask(left + "('scratch', 'rep', 'unwet_models')") == []
    assert bench.ask("SELECT count(*), sum(amount) FROM shop.orders") == before


def test_data_that_scripts_change_is_changed_in_a_copy(bench: Bench) -> None:
    legacy = {
        "fix.sql": "UPDATE shop.orders SET region = 'n' WHERE region IS NULL;\n"
        "DELETE FROM shop.orders WHERE id = 1;\n"
        "CREATE TABLE rep.north AS SELECT id, amount FROM shop.orders WHERE region = 'n'"
    }
    bench.write(
        "models/north.sql",
        f"select id, amount from {ORDERS} where coalesce(region, 'n') = 'n' and id <> 1",
    )
    north = bench.run(legacy, NORTH, scratch="scratch")["north"]
    assert (north.verdict, north.rows_before) == ("identical", 2)
    assert bench.ask("SELECT count(*) FROM shop.orders WHERE region IS NULL OR id = 1") == [(2,)]
    refused = bench.run(legacy, NORTH)["north"]
    assert refused.verdict == "not run"
    assert "fix.sql:1: changes rows of shop.orders" in refused.reason


def test_what_is_kept_is_dropped_also_after_an_error(bench: Bench, postgres: str) -> None:
    with connected(bench.server, writes=True) as engine:
        engine.execute("CREATE TABLE scratch.made AS SELECT 1 AS a")
        with pytest.raises(EngineError, match="does not exist"):
            engine.execute("CREATE TABLE scratch.other AS SELECT * FROM nix")
        assert engine.rows("SELECT a FROM scratch.made") == [(1,)]
    assert bench.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'scratch'") == [(0,)]


def test_a_query_cannot_write_by_what_it_calls(bench: Bench) -> None:
    legacy = {"south.sql": "SELECT shop.logged(1) AS id, amount FROM shop.orders"}
    south = bench.run(legacy, SOUTH)["south"]
    assert south.verdict == "not run"
    assert "cannot execute INSERT in a read-only transaction" in south.reason
    assert bench.ask("SELECT count(*) FROM shop.log") == [(0,)]


@pytest.mark.parametrize(
    "call",
    ["pg_terminate_backend(1)", "pg_catalog.set_config('a.b', 'c', false)", "PG_READ_FILE('x')"],
)
def test_functions_that_do_more_are_not_called(bench: Bench, call: str) -> None:
    south = bench.run({"south.sql": f"SELECT id, {call} AS amount FROM shop.orders"}, SOUTH)[
        "south"
    ]
    assert south.verdict == "not run"
    assert "is not run on a server: calls" in south.reason


def test_what_goes_wrong_is_told_of_the_report_it_goes_wrong_with(bench: Bench) -> None:
    bad = {
        "denied": "SELECT id, pay FROM closed.salaries",
        "missing": "SELECT id, amount FROM shop.nix",
        "drifted": "SELECT id, discount FROM shop.orders",
        "retyped": "SELECT id, amount FROM shop.orders WHERE day > 20240131",
        "divided": "SELECT id, amount / 0 AS amount FROM shop.orders",
    }
    legacy = {**LEGACY, **{f"{name}.sql": sql for name, sql in bad.items()}}
    refs = [ReportRef(name, "", "south", f"{name}.sql", 1) for name in bad]
    found = bench.run(legacy, *refs, SOUTH)
    assert found["south"].verdict == "identical"
    assert {name: (found[name].verdict, found[name].reason) for name in bad} == {
        "denied": (
            "not run",
            "permission denied for table salaries (grant SELECT to the user that unwet connects "
            "as)",
        ),
        "missing": (
            "not run",
            'relation "shop.nix" does not exist (give the data that the pile reads, or the right '
            "database, or search_path)",
        ),
        "drifted": (
            "not run",
            'column "discount" does not exist (the table has changed since the pile was written, '
            "or it is another table)",
        ),
        "retyped": (
            "not run",
            "operator does not exist: date > integer (a column has another type than when the "
            "pile was written)",
        ),
        "divided": ("not run", "division by zero"),
    }


def test_a_report_that_takes_too_long_does_not_stop_the_others(bench: Bench) -> None:
    slow = ReportRef("slow", "", "south", "slow.sql", 1)
    found = bench.run({**LEGACY, "slow.sql": ENDLESS}, slow, SOUTH, NORTH, seconds=1.5)
    assert found["slow"].verdict == "not run"
    assert found["slow"].reason == "stopped after 1.5 s"
    assert (found["south"].verdict, found["north"].verdict) == ("identical", "identical")


def test_a_connection_that_breaks_loses_what_comes_after_it(bench: Bench, postgres: str) -> None:
    slow = ReportRef("slow", "", "south", "slow.sql", 1)

    def kill() -> None:
        killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'"
        with connected(postgres) as engine:
            for _ in range(1200):  # a minute, on a machine with other work
                time.sleep(0.05)
                engine.restart()
                if engine.rows(f"{killed} AND query LIKE '%unwet_both%' AND state = 'active'"):
                    return

    killer = threading.Thread(target=kill)
    killer.start()
    found = bench.run({**LEGACY, "slow.sql": ENDLESS}, NORTH, slow, SOUTH)
    killer.join()
    told = {name: (verdict.verdict, verdict.reason) for name, verdict in found.items()}
    assert told["north"] == ("identical", "")
    assert told["slow"][0] == told["south"][0] == "not run"
    assert "connection" in told["slow"][1] and "connection" in told["south"][1]


def test_ctrl_c_ends_the_query_and_the_command(bench: Bench) -> None:
    pile = bench.root / "pile"
    pile.mkdir()
    (pile / "south.sql").write_text(ENDLESS)
    command = [sys.executable, "-m", "unwet", "verify", str(pile), str(bench.root)]
    command += ["--dialect", "postgres", "--data", bench.server]
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%RECURSIVE r%' AND pid <> "
    count = f"{running} pg_backend_pid() AND state = 'active'"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        until(lambda: bench.ask(count) != [(0,)])
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 130
        assert child.stderr is not None
        assert SECRET not in child.stderr.read()
    until(lambda: bench.ask(count) == [(0,)])


def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so; fail when it does not become so."""
    for _ in range(400):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("it did not come to that")


def test_rows_that_depend_on_the_order_of_the_input(bench: Bench) -> None:
    legacy = {"south.sql": "SELECT id, amount FROM shop.orders LIMIT 2"}
    bench.write("models/south.sql", f"select id, amount from {ORDERS} limit 2")
    found = bench.run(legacy, SOUTH)["south"]
    assert found.verdict == "order-dependent", found
    firm = {"south.sql": "SELECT id, amount FROM shop.orders ORDER BY id LIMIT 2"}
    bench.write("models/south.sql", f"select id, amount from {ORDERS} order by id limit 2")
    assert bench.run(firm, SOUTH)["south"].verdict == "identical"


def test_a_report_with_an_order_keeps_it(bench: Bench) -> None:
    legacy = {"south.sql": "SELECT id, amount FROM shop.orders WHERE id > 2 ORDER BY id DESC"}
    query = f"select id, amount from {ORDERS} where id > 2"
    told = []
    for order in ("order by 1 desc", "order by id", ""):
        bench.write("models/south.sql", f"{query} {order}")
        told.append(bench.run(legacy, SOUTH)["south"].reason)
    assert told == ["", "the same rows in another order", "the same rows in another order"]


def test_a_script_in_another_dialect(bench: Bench) -> None:
    legacy = {
        "south.sql": "SELECT id, ISNULL(amount, 0) AS amount FROM shop.[orders] WHERE region = 's'"
    }
    bench.write(
        "models/south.sql",
        f"select id, coalesce(amount, 0) as amount from {ORDERS} where region = 's'",
    )
    assert bench.run(legacy, SOUTH, dialect="tsql")["south"].verdict == "identical"


def test_seeds_and_kept_reports_feed_models(bench: Bench) -> None:
    bench.write("seeds/regions.csv", "region,title,rank\nn,North,1\ns,\"So, 'uth'\",2\n")
    bench.write(
        "models/south.sql",
        f"select o.id, r.title, r.rank from {ORDERS} as o join {{{{ ref('regions') }}}} as r "
        "on r.region = o.region where r.rank > 1",
    )
    legacy = {
        "south.sql": "SELECT id, 'So, ''uth''' AS title, CAST(2 AS BIGINT) AS rank "
        "FROM shop.orders WHERE region = 's'"
    }
    for scratch in ("", "scratch"):
        found = bench.run(legacy, SOUTH, scratch=scratch)["south"]
        assert (found.verdict, found.reason) == ("identical", "")


def test_scratch_schemas_that_cannot_be_used(bench: Bench) -> None:
    with pytest.raises(UsageError, match="there is no schema nowhere"):
        bench.run(LEGACY, SOUTH, scratch="nowhere")
    with pytest.raises(UsageError, match="nothing may be created in schema closed"):
        bench.run(LEGACY, SOUTH, scratch="closed")


def test_spark_over_a_folder(tmp_path: Path, spark: SparkEngine) -> None:
    bench = Bench(tmp_path, f"spark://local[1]/{tmp_path}/data")
    bench.write(
        "data/shop/orders.csv",
        "id,region,amount,day\n1,n,5,2024-01-31\n3,s,7,2024-02-01\n4,s,,2024-02-02\n",
    )
    bench.write("models/north.sql", "{{ of('n') }} or amount > 6")
    missing = ReportRef("missing", "", "south", "missing.sql", 1)
    insert = ReportRef("insert", "rep.made", "south")
    legacy = {
        **LEGACY,
        "missing.sql": "SELECT id, discount FROM shop.orders",
        "insert.sql": "CREATE TABLE rep.made (id INT);\nINSERT INTO rep.made VALUES (1)",
    }
    found = bench.run(legacy, NORTH, SOUTH, missing, insert, seconds=120, dialect="spark")
    north = found["north"]
    assert (north.verdict, north.reason) == ("different", "rows 1 added")
    assert [(d.change, d.row, d.copies) for d in north.sample] == [("added", ("3", "7"), 1)]
    assert (found["south"].verdict, found["south"].rows_before) == ("identical", 2)
    assert "with name `discount` cannot be resolved" in found["missing"].reason
    assert "name a scratch schema" in found["insert"].reason
    spark.rows("SELECT 1")  # a session that somebody else started goes on
    assert ("shop", "orders") not in spark.tables()


def test_spark_cancels_what_takes_too_long(spark: SparkEngine) -> None:
    spark.rows("SELECT 1")
    hurried = open_spark("local[1]", None, 2, Secrets())
    try:
        with pytest.raises(Timeout, match="stopped after 2 s"):
            hurried.rows("SELECT COUNT(*) FROM range(0, 100000000000000)")
        assert hurried.rows("SELECT 1") == [(1,)]
        with pytest.raises(EngineError, match="nothing is written here"):
            hurried.execute("CREATE TABLE t AS SELECT 1")
    finally:
        hurried.close()
    assert spark.rows("SELECT 2") == [(2,)]


def test_a_scratch_schema_on_spark(tmp_path: Path, spark: SparkEngine) -> None:
    bench = Bench(tmp_path, f"spark://local[1]/{tmp_path}/data")
    bench.write("data/shop/orders.csv", "id,region,amount\n1,n,5\n2,s,7\n")
    bench.write("data/scratch/nothing.csv", "a\n1\n")
    legacy = {
        "north.sql": "CREATE TABLE rep.north (id INT, amount INT);\n"
        "INSERT INTO rep.north SELECT id, amount FROM shop.orders WHERE region = 'n'"
    }
    found = bench.run(legacy, NORTH, scratch="scratch", seconds=120, dialect="spark")["north"]
    assert (found.verdict, found.rows_before, found.reason) == ("identical", 1, "")
    assert spark.tables() == ()


# --- the command ------------------------------------------------------------------------------


def verify(
    bench: Bench, *options: str, env: Mapping[str, str | None] | None = None
) -> tuple[int, str]:
    pile = bench.root / "pile"
    pile.mkdir(exist_ok=True)
    (pile / "south.sql").write_text("SELECT id, amount FROM shop.orders WHERE region = 's'")
    told = CliRunner().invoke(
        main,
        ["verify", str(pile), str(bench.root), "--dialect", "postgres", *options],
        env={"PGPASSWORD": None, "DBT_PROFILES_DIR": None, **(env or {})},
    )
    assert SECRET not in told.output + repr(told.exception)
    return told.exit_code, told.output


def test_the_dsn_may_stand_in_the_environment(bench: Bench) -> None:
    code, output = verify(bench, "--data", "env:SHOP", env={"SHOP": bench.server})
    assert code == 0, output
    code, output = verify(bench, "--data", "env:SHOP", env={"SHOP": ""})
    assert (code, "the environment has no variable SHOP" in output) == (2, True)


def test_the_dsn_may_stand_in_a_profile_of_dbt(bench: Bench, tmp_path: Path) -> None:
    socket = bench.server.rpartition("host=")[2]
    (tmp_path / "profiles.yml").write_text(
        "shop:\n  target: dev\n  outputs:\n    dev:\n      type: postgres\n"
        f"      host: {socket}\n      user: reader\n      port: 5432\n      dbname: postgres\n"
        "      schema: shop\n      password: \"{{ env_var('SHOP_PASSWORD') }}\"\n"
    )
    env: dict[str, str | None] = {"DBT_PROFILES_DIR": str(tmp_path), "SHOP_PASSWORD": SECRET}
    code, output = verify(bench, "--data", "dbt:shop/dev", env=env)
    assert code == 0, output
    code, output = verify(bench, "--data", "dbt:shop/prod", env=env)
    assert code == 2
    assert "has no target prod" in output and "it has dev" in output
    code, output = verify(bench, "--data", "dbt:shop", env={**env, "SHOP_PASSWORD": None})
    assert code == 2
    assert "needs the environment variable SHOP_PASSWORD" in output


def test_an_engine_that_is_down(bench: Bench) -> None:
    down = f"postgresql://reader:{SECRET}@127.0.0.1:9/postgres"
    code, output = verify(bench, "--data", down)
    assert code == 2
    assert "cannot connect to PostgreSQL" in output and "help:" in output


def test_drift_looks_into_files_only(bench: Bench) -> None:
    told = CliRunner().invoke(main, ["drift", str(bench.root), "--data", bench.server])
    assert told.exit_code == 2
    assert "drift does not look for rows on postgresql://" in told.output
    assert SECRET not in told.output


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://reader:{SECRET}@[::1/postgres",
        f"postgresql://reader:{SECRET}@nowhere.invalid/postgres",
        f"postgresql:///postgres?host=/nowhere&password={SECRET}",
        f"postgresql:///postgres?host=/nowhere&passwort={SECRET}%20",
        f"snowflake://reader:{SECRET}@account/db",
        f"mysql://reader:{SECRET}@host/db",
    ],
)
def test_no_message_shows_a_password(bench: Bench, dsn: str) -> None:
    code, output = verify(bench, "--data", dsn)
    assert code == 2
    assert "Error" in output or "error" in output


def test_refactor_writes_no_password_anywhere(bench: Bench, tmp_path: Path) -> None:
    pile, out = tmp_path / "reports", tmp_path / "out"
    pile.mkdir()
    for n in range(3):
        (pile / f"r{n}.sql").write_text(f"SELECT id, amount FROM shop.orders WHERE region = 'r{n}'")
    told = CliRunner().invoke(
        main,
        ["refactor", str(pile), "--dialect", "postgres", "--out", str(out), "--data",
         bench.server, "--scratch", "scratch"],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert SECRET not in told.output + "".join(p.read_text("utf-8", "replace") for p in written)


@pytest.mark.parametrize("output", ["{type: duckdb}", "{type: duckdb, path: ':memory:'}"])
def test_a_profile_of_dbt_that_is_in_memory_has_no_data(
    bench: Bench, tmp_path: Path, output: str
) -> None:
    (tmp_path / "profiles.yml").write_text(f"shop:\n  target: dev\n  outputs: {{dev: {output}}}\n")
    code, told = verify(bench, "--data", "dbt:shop", env={"DBT_PROFILES_DIR": str(tmp_path)})
    assert code == 2
    assert "profile shop, target dev is in memory" in told and "help: name a file" in told
