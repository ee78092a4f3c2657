"""What can stop a benchmark before it has a result."""


class BenchError(Exception):
    """The benchmark cannot go on; `help` says what the user can do about it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help
