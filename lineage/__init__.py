"""Understanding SQL: from files to column lineage. Never imports ``unwet.rewrite``."""
