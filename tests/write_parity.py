"""`python -m tests.write_parity`: the texts of fixtures/rewrite/parity, anew."""

from tests.rewrite.prove.test_sql_out import FOLDER, everything
from unwet.rewrite.prove.servers.flavours import FLAVOURS

if __name__ == "__main__":
    for flavour in FLAVOURS:
        (FOLDER / f"{flavour.dialect}.sql").write_text(everything(flavour), encoding="utf-8")
