"""The policy of an offline page: its own style and script, by hash, and nothing from anywhere."""

from base64 import b64encode
from hashlib import sha256


def policy(script: str, style: str) -> str:
    """The Content-Security-Policy of a page with this one script and this one style inside."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
