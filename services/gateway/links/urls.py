"""Says where links are served, and where clients find them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from headshots.errors import InvalidArgumentError

_EVERY_ADDRESS = ("", "0.0.0.0", "::")


@dataclass(frozen=True)
class LinksAddress:
    """Where a gateway serves links."""

    host: str
    port: int | None
    """None: it serves none; 0: a free one."""
    url: str | None
    """What clients open; None: host and port."""

    def check(self) -> None:
        """Holds the settings to each other.

        Raises:
            InvalidArgumentError: SETTING_INVALID, naming the variable.
        """
        if self.url is not None:
            parts = urlsplit(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                raise _invalid(f"HEADSHOTS_GATEWAY_LINKS_URL={self.url!r} is no URL like https://images.example.com")
            if self.port is None:
                raise _invalid("HEADSHOTS_GATEWAY_LINKS_URL needs HEADSHOTS_GATEWAY_LINKS_PORT, where links are served")
        elif self.port is not None and self.host in _EVERY_ADDRESS:
            raise _invalid(
                f"with HEADSHOTS_GATEWAY_HOST={self.host} nobody knows where links on HEADSHOTS_GATEWAY_LINKS_PORT are "
                "found; set HEADSHOTS_GATEWAY_LINKS_URL to what clients open"
            )

    def url_of(self, port: int) -> str:
        """What leads clients to the port that is listened on, without a slash at its end."""
        if self.url is not None:
            return self.url.rstrip("/")
        return f"http://[{self.host}]:{port}" if ":" in self.host else f"http://{self.host}:{port}"


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError("SETTING_INVALID", message)
