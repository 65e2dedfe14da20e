"""Keeps keys and passwords out of what is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

HIDDEN = "***"
_SECRET_NAME = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|CREDENTIAL|SIGNATURE|CONNECTION_STRING")
_FILE_NAME = re.compile(r"_(FILE|PATH|DIR)$")
# Shorter ones would blank innocent words; in URLs, where secrets stand, patterns find them whatever their length.
_SHORTEST = 4
_PATTERNS = (
    (re.compile(r"(\w[\w+.-]*://[^\s@]*?:|\b[\w.-]+:(?!//))[^\s@]*[^\s]*@"), rf"\1{HIDDEN}@"),
    (
        re.compile(r"(?i)((?:password|passwd|secret|token|signature|sig|credential|api_?key)=)[^&\s'\";,)]+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\bhs_[A-Za-z0-9_-]+"), f"hs_{HIDDEN}"),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), HIDDEN),
)


class Redactor:
    """Hides the secrets of an environment, and whatever looks like one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Values of variables that are named like secrets, and passwords within URLs. Our own variables name files."""
        found: set[str] = set()
        for name, value in environ.items():
            is_ours = name.startswith("HEADSHOTS_") and name != "HEADSHOTS_API_KEY"
            if _SECRET_NAME.search(name) and not is_ours and not _FILE_NAME.search(name):
                found.add(value)
            if "://" in value:
                found.update(_of_url(value))
        self._secrets = sorted((each for each in found if len(each) >= _SHORTEST), key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text without them."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def _of_url(url: str) -> set[str]:
    """The password of a URL, as it stands there and as it is meant; none where it is no URL after all."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return set()
    return {password, unquote(password)} if password else set()
