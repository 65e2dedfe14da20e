"""Settings of served links that cannot work are refused at the start, with the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.errors import InvalidArgumentError
from services.gateway.links.urls import LinksAddress
from services.gateway.settings import GatewaySettings

REFUSED = {
    "a name alone": ("127.0.0.1", 1, "images.example.com", "HEADSHOTS_GATEWAY_LINKS_URL='images.example.com'"),
    "a query": ("127.0.0.1", 1, "https://example.com/?a=b", "is no URL like"),
    "another scheme": ("127.0.0.1", 1, "ftp://example.com", "is no URL like"),
    "no port": ("127.0.0.1", None, "https://example.com", "needs HEADSHOTS_GATEWAY_LINKS_PORT"),
    "every address": ("0.0.0.0", 1, None, "set HEADSHOTS_GATEWAY_LINKS_URL"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_named(case: str, tmp_path: Path) -> None:
    host, port, url, told = REFUSED[case]
    given = {"HOST": host, "LINKS_PORT": "" if port is None else str(port), "LINKS_URL": url or ""}
    environ = {f"HEADSHOTS_GATEWAY_{name}": value for name, value in given.items()}
    with pytest.raises(InvalidArgumentError, match=told) as caught:
        GatewaySettings.from_environment({"HEADSHOTS_HOME": str(tmp_path), **environ})
    assert caught.value.reason == "SETTING_INVALID"


def test_clients_find_the_port_or_what_stands_before_it() -> None:
    assert LinksAddress("127.0.0.1", 0, None).url_of(81) == "http://127.0.0.1:81"
    assert LinksAddress("::1", 0, None).url_of(81) == "http://[::1]:81"
    behind_a_proxy = LinksAddress("0.0.0.0", 81, "https://images.example.com/")
    behind_a_proxy.check()
    assert behind_a_proxy.url_of(81) == "https://images.example.com"
    LinksAddress("0.0.0.0", None, None).check()
