"""Engines that are started once for all tests."""

import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.rewrite.prove.servers import missing, postgres_server
from unwet.rewrite.prove.servers.secrets import Secrets
from unwet.rewrite.prove.servers.spark import SparkEngine, open_spark


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The DSN of an empty PostgreSQL."""
    if find_spec("adbc_driver_postgresql") is None:
        missing("adbc-driver-postgresql")
    with postgres_server() as dsn:
        yield dsn


SMALL = {  # nothing here is worth compiling
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkEngine]:
    """A Spark session without data."""
    if shutil.which("java") is None:
        missing("java")
    if find_spec("pyspark") is None:
        missing("pyspark")
    with tempfile.TemporaryDirectory() as folder:
        engine = open_spark("local[1]", Path(folder), 120, Secrets(), settings=SMALL)
        yield engine
        engine.close()
