"""Truth by execution: change one column of one table, and see which outputs change.

Whatever changes must be in the lineage (of any kind); where a mark put into a text comes out again,
there must be a DIRECT edge. What does not change proves nothing: another row might show it.
"""
