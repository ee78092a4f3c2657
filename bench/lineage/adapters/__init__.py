"""One module per tool, run in that tool's environment: a case in, its edges out.

Each has `answer(case) -> {"columns": [edge, ...], "tables": {"sources": [...], "targets": [...]}}`;
an edge is [source relation, source column, target relation, target column]. What it raises is a
crash. The modules import nothing of bench, as they run where only the tool is installed.
"""
