"""What all tests stand on."""

import signal

from hypothesis import HealthCheck, settings

# A busy machine draws slowly, and that is no fault of what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_configure() -> None:
    """A shell starts background jobs with SIGINT ignored, and so would be every program that the
    tests start and interrupt: they would wait for ever."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
