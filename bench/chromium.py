"""A headless Chromium, driven through the two pipes of its DevTools protocol: no driver, no port.

    with Browser() as browser:
        page = browser.open(path.as_uri())
        page.press("Enter")
        assert page.run("document.title") == "..."

Commands and events are JSON, each ended by a NUL byte: what the browser reads is its file
descriptor 3, what it writes 4 (`--remote-debugging-pipe`).
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--remote-debugging-pipe",
)
CODES = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
         "ArrowDown": 40, "Tab": 9}  # fmt: skip


# Becomes the browser, with the two descriptors called 3 and 4.
RENAME = """
import os, sys
from fcntl import F_DUPFD, fcntl
read, write = (fcntl(int(number), F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.closerange(5, 99)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserError(Exception):
    """The browser is missing, has gone, or could not do what was asked."""


def program() -> str | None:
    """Where Chromium is, if it is installed."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One browser process with a profile of its own, ended with the block.

    Raises BrowserError when no Chromium is installed.
    """

    def __init__(self, width: int = 1400, height: int = 900) -> None:
        self.size = (width, height)

    def __enter__(self) -> "Browser":
        found = program()
        if found is None:
            raise BrowserError(f"none of {', '.join(NAMES)} is installed")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", RENAME, str(commands), str(answers), found, *FLAGS,
             f"--user-data-dir={self._profile.name}", "about:blank"],
            pass_fds=(commands, answers), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)
        self._waiting = b""
        self._sent = 0
        self.events: list[dict[str, Any]] = []
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def open(self, address: str) -> "Page":
        """A new page with its own history; waits until it is loaded."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = {"targetId": target, "flatten": True}
        page = Page(self, self.call("Target.attachToTarget", attached)["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        width, height = self.size
        page.resize(width, height)
        page.goto(address)
        return page

    def call(
        self, method: str, values: Mapping[str, Any] | None = None, session: str | None = None
    ) -> dict[str, Any]:
        """The answer to one command; events that arrive before it are kept in `events`."""
        self._sent += 1
        command: dict[str, Any] = {"id": self._sent, "method": method, "params": dict(values or {})}
        if session:
            command["sessionId"] = session
        os.write(self._write, json.dumps(command).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") != self._sent:
                self.events.append(message)
            elif "error" in message:
                raise BrowserError(f"{method}: {message['error'].get('message')}")
            else:
                result: dict[str, Any] = message["result"]
                return result

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            got = os.read(self._read, 1 << 20)
            if not got:
                raise BrowserError("the browser has gone")
            self._waiting += got
        first, _, self._waiting = self._waiting.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message


@dataclass
class Page:
    """One tab. What goes wrong inside it is in `complaints`."""

    browser: Browser
    session: str

    def call(self, method: str, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self.browser.call(method, values, self.session)

    def goto(self, address: str) -> None:
        self.call("Page.navigate", {"url": address})
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def close(self) -> None:
        self.call("Page.close")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; promises are waited for."""
        given = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", given)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 15) -> Any:
        """The value of the expression as soon as it is true.

        Raises BrowserError when it is not in time.
        """
        end = time.monotonic() + seconds
        while not (value := self.run(script)):
            if time.monotonic() > end:
                raise BrowserError(f"not within {seconds} s: {script}")
            time.sleep(0.02)
        return value

    def press(self, key: str) -> None:
        """Press and release one key: a character, or a name as in KeyboardEvent.key."""
        code = CODES.get(key, ord(key[0].upper()))
        text = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
        shared = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", **shared, **text})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **shared})

    def type(self, text: str) -> None:
        for key in text:
            self.press(key)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button at a point of the window."""
        self._mouse("mouseMoved", x, y, 0)
        self._mouse("mousePressed", x, y, 1)
        self._mouse("mouseReleased", x, y, 0)

    def drag(self, x: float, y: float, to_x: float, to_y: float) -> None:
        self._mouse("mousePressed", x, y, 1)
        self._mouse("mouseMoved", (x + to_x) / 2, (y + to_y) / 2, 1)
        self._mouse("mouseMoved", to_x, to_y, 1)
        self._mouse("mouseReleased", to_x, to_y, 0)

    def wheel(self, x: float, y: float, amount: float) -> None:
        given = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": amount}
        self.call("Input.dispatchMouseEvent", given)

    def pinch(self, x: float, y: float, span: float, to_span: float) -> None:
        """Two fingers, side by side around a point, `span` pixels apart and then `to_span`."""
        for kind, apart in (("Start", span), ("Move", (span + to_span) / 2), ("Move", to_span)):
            points = [{"x": x - apart / 2, "y": y, "id": 0}, {"x": x + apart / 2, "y": y, "id": 1}]
            self.call("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        self.call("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def prefer(self, **features: str) -> None:
        """Media features, such as prefers_color_scheme="dark"."""
        media = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.call("Emulation.setEmulatedMedia", {"features": media})

    def resize(self, width: int, height: int) -> None:
        given = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", given)

    def save_downloads(self, folder: Path) -> None:
        given = {"behavior": "allow", "downloadPath": str(folder)}
        self.browser.call("Browser.setDownloadBehavior", given)

    def screenshot(self, file: Path) -> None:
        shot = self.call("Page.captureScreenshot", {"format": "png"})
        file.write_bytes(base64.b64decode(shot["data"]))

    @property
    def complaints(self) -> list[str]:
        """Exceptions, errors and policy violations of this page so far."""
        self.run("0")  # what is on its way arrives
        mine = [e for e in self.browser.events if e.get("sessionId") == self.session]
        bad = [e["params"] for e in mine if e["method"] == "Runtime.exceptionThrown"]
        entries = [e["params"]["entry"] for e in mine if e["method"] == "Log.entryAdded"]
        bad += [entry for entry in entries if entry["level"] == "error"]
        return [json.dumps(each) for each in bad]

    @property
    def requests(self) -> list[str]:
        """Every address this page asked for so far."""
        self.run("0")
        return [
            e["params"]["request"]["url"]
            for e in self.browser.events
            if e.get("sessionId") == self.session and e["method"] == "Network.requestWillBeSent"
        ]

    def _mouse(self, kind: str, x: float, y: float, buttons: int) -> None:
        self.call(
            "Input.dispatchMouseEvent",
            {"type": kind, "x": x, "y": y, "button": "left" if kind != "mouseMoved" else "none",
             "buttons": buttons, "clickCount": int(kind != "mouseMoved")},
        )  # fmt: skip
