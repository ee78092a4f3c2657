"""What all tests stand on."""

import signal


def pytest_configure() -> None:
    """A shell starts background jobs with SIGINT ignored, and so would be every program that the
    tests start and interrupt: they would wait for ever."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
