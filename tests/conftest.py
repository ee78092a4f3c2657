"""What all tests stand on."""

import os
import signal

from hypothesis import HealthCheck, settings

# A busy machine draws slowly, and that is no fault of what is tested. One commit has one result:
# what is drawn anew each time is looked for with UNWET_LAW_EXAMPLES=2 and more.
settings.register_profile(
    "busy",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("UNWET_LAW_EXAMPLES", "1") == "1",
)
settings.load_profile("busy")


def pytest_configure() -> None:
    """A shell starts background jobs with SIGINT ignored, and so would be every program that the
    tests start and interrupt: they would wait for ever."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
