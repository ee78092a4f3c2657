"""The commands that find copies, rewrite them and prove it; `unwet.cli` puts them in its group."""
