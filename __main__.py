"""``python -m unwet`` is the ``unwet`` command."""

from unwet.cli import main

main()
