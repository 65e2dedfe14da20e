"""A hub that tells nonsense, or means harm, ends with a reason; nothing is written but in the cache and --out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headshots.diffusion.importing.hub.repository import Hub
from headshots.diffusion.importing.importer import import_foundation
from headshots.errors import FailedPreconditionError, HeadshotsError, InvalidArgumentError, UnavailableError
from tests.support.foundations.hub_server import HubServer
from tests.support.foundations.paper import paper_pipeline, paper_weights

NAME = Path("org/model")
UNET = "unet/diffusion_pytorch_model.safetensors"


def test_files_outside_of_the_repository_are_not_fetched(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    names = ("../../x", "../LICENSE", "/tmp/x.json", "unet/../x.json", "unet/../../../x.json", "../x.safetensors")
    server.repositories["org/model"].commit({**paper_pipeline(), **dict.fromkeys(names, b"{}")})
    import_foundation(NAME, tmp_path / "out", hub=hub)
    assert sorted(server.fetched()) == sorted(paper_pipeline())
    assert not list(tmp_path.rglob("x*"))
    server.repositories["org/model"].commit({"../x.safetensors": paper_weights("unet")})
    with pytest.raises(InvalidArgumentError, match=r"FOUNDATION_INVALID: .* at its top, and is no foundation"):
        import_foundation(NAME, tmp_path / "other", hub=hub)
    with pytest.raises(HeadshotsError, match=r"HUB_FILE_NOT_FOUND: .* has no file \.\./\.\./x.safetensors at"):
        import_foundation(NAME / "../../x.safetensors", tmp_path / "other", hub=hub)


@pytest.mark.parametrize(
    "odd",
    [
        {"sha": None},
        {"siblings": "none"},
        {"siblings": [{"rfilename": None}]},
        {"siblings": [{"size": 7}]},
        {"siblings": [{"rfilename": "model_index.json", "size": "much"}]},
        {"siblings": [{"rfilename": "model_index.json", "size": 7, "blobId": 7}]},
        {"siblings": [{"rfilename": "model_index.json", "size": 7, "lfs": 7}]},
    ],
)
def test_answers_that_no_hub_gives(server: HubServer, hub: Hub, tmp_path: Path, odd: dict[str, Any]) -> None:
    server.odd = odd
    with pytest.raises(
        UnavailableError, match=r"^HUB_UNAVAILABLE: .* answers with nonsense .*, as no hub does"
    ) as caught:
        import_foundation(NAME, tmp_path / "out", hub=hub)
    assert hub.url in caught.value.message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", ["file:///etc/hostname", "/org/model/resolve/main/model_index.json"])
def test_a_redirect_leads_to_no_file_of_this_machine_and_not_in_a_circle(
    server: HubServer, hub: Hub, tmp_path: Path, to: str
) -> None:
    server.moved["model_index.json"] = to
    with pytest.raises(UnavailableError, match="HUB_UNAVAILABLE"):
        import_foundation(NAME, tmp_path / "out", hub=hub)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file", ["model_index.json", "tokenizer/tokenizer.json"])
def test_texts_of_gigabytes_are_not_fetched(server: HubServer, hub: Hub, tmp_path: Path, file: str) -> None:
    server.odd["siblings"] = [
        {"rfilename": name, "size": 7 << 30 if name == file else len(data), "blobId": ""}
        for name, data in paper_pipeline().items()
    ]
    with pytest.raises(InvalidArgumentError, match=rf"^FOUNDATION_INVALID: .*/{file}: 7168 MB") as caught:
        import_foundation(NAME, tmp_path / "out", hub=hub)
    assert "org/model@" in caught.value.message
    assert file not in server.fetched()


def test_a_mirror_without_digests_is_told_of(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    server.odd["siblings"] = [{"rfilename": name} for name in paper_pipeline()]
    notes = import_foundation(NAME, tmp_path / "out", hub=hub).notes
    assert any(f"{hub.url} tells no digest of model_index.json, " in note for note in notes), notes


def test_what_was_changed_in_the_cache_is_not_taken_without_a_network(
    server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_foundation(NAME, tmp_path / "out", hub=hub)
    (cached,) = (tmp_path / "cache").rglob(f"snapshots/*/{UNET}")
    cached.resolve().write_bytes(paper_weights("vandal"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(FailedPreconditionError, match=r"FOUNDATION_DIGEST_WRONG: .* it was removed"):
        import_foundation(NAME, tmp_path / "other", hub=hub)


def test_a_branch_that_moves_meanwhile_changes_nothing(
    server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the commit is known, nothing is asked of the branch any more."""
    commit = server.repositories["org/model"].branches["main"]
    import_foundation(NAME, tmp_path / "out", hub=hub)
    first, *others = [path for _, path, _ in server.calls]
    assert first == "/api/models/org/model"
    assert others
    assert all(f"/revision/{commit}" in path or f"/resolve/{commit}/" in path for path in others), others


@pytest.mark.parametrize("target", ["there", "not-there"])
def test_a_link_is_followed(hub: Hub, tmp_path: Path, target: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / target)
    assert import_foundation(NAME, tmp_path / "out", hub=hub).folder == tmp_path / target
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / target / UNET).is_file()
    assert not import_foundation(NAME, tmp_path / "out", hub=hub).is_new
