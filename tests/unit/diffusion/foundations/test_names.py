"""A foundation's name is a path of this machine or a hub's; what is here wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.diffusion.foundations.names import HubName, hub_name, named

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("org/name", HubName("org/name")),
        ("stabilityai/stable-diffusion-xl-base-1.0", HubName("stabilityai/stable-diffusion-xl-base-1.0")),
        ("org/name@refs/pr/1", HubName("org/name", "", "refs/pr/1")),
        ("org/name/a.safetensors", HubName("org/name", "a.safetensors")),
        (f"org/name/sub/a b.ckpt@{COMMIT}", HubName("org/name", "sub/a b.ckpt", COMMIT)),
    ],
)
def test_what_a_hub_has_is_named_as_it_is_typed(text: str, meant: HubName) -> None:
    assert hub_name(named(text)) == meant
    assert str(meant) == text
    assert meant.is_pinned == text.endswith(COMMIT)


@pytest.mark.parametrize(
    "text",
    [
        "name",
        "./org/name",
        "../name",
        "~/org/name",
        "/org/name",
        "a/b/c",
        "org/model.safetensors",
        "org/.hidden",
        "a b/c",
    ],
)
def test_all_else_is_a_path_of_this_machine(text: str) -> None:
    assert named(text) == Path(text).expanduser().absolute()
    assert hub_name(named(text)) is None


def test_a_path_that_is_here_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert hub_name(named("org/name")) == HubName("org/name")
    (tmp_path / "org" / "name").mkdir(parents=True)
    assert named("org/name") == tmp_path / "org" / "name"
    assert hub_name(Path("org/name")) is None
