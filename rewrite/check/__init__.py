"""`unwet check`: what changed files repeat or contradict, asked of an index on disk."""
