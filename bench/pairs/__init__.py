"""Published pairs of equivalent and of different queries: which of them meet in the normal form."""
