"""Source archives of the package index, for suites that are published there.

unpacked(requirement, cache) -> folder with the archive's content
"""

import shutil
import sys
import tarfile
from pathlib import Path

from bench.errors import BenchError
from bench.process import run


def unpacked(requirement: str, cache: Path) -> Path:
    """The source archive of `name==version`, downloaded by pip when it is not there yet."""
    target = cache / requirement.replace("==", "-")
    if target.exists():
        return target
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    log = cache / f"{target.name}.log"
    words = ("download", "--no-binary", ":all:", "--no-deps", "--dest", str(partial), requirement)
    if run((sys.executable, "-m", "pip", *words), log).code:
        raise BenchError(f"cannot download {requirement}: see {log}")
    archive = next(partial.glob("*.tar.gz"))
    with tarfile.open(archive) as opened:
        opened.extractall(partial, filter="data")
    archive.unlink()
    next(each for each in partial.iterdir() if each.is_dir()).rename(target)
    shutil.rmtree(partial)
    return target
