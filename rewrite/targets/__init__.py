"""One module per kind of project that can be written; `known.py` lists them."""
