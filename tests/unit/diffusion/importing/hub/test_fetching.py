"""A hub's model is fetched as far as it is needed, held to the digests that were told, and pinned to its commit."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.importing.hub.repository import Hub
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from headshots.errors import FailedPreconditionError, UnavailableError
from tests.support.foundations.hub_server import HubServer
from tests.support.foundations.paper import paper_pipeline, paper_weights

NAME = Path("org/model")
UNET = "unet/diffusion_pytorch_model.safetensors"
NOT_NEEDED = {
    "model.ckpt": b"\x80\x02.",
    "sd_xl_base_1.0.safetensors": paper_weights("whole"),
    "unet/diffusion_pytorch_model.bin": b"\x80\x02.",
    "unet/diffusion_flax_model.msgpack": b"flax",
    "unet/model.onnx": b"onnx",
    "unet/diffusion_pytorch_model.fp16.safetensors": paper_weights("half"),
    "unet/diffusion_pytorch_model.non_ema.safetensors": paper_weights("non_ema"),
    "safety_checker/model.safetensors": paper_weights("safety"),
    "safety_checker/config.json": b"{}",
    "feature_extractor/preprocessor_config.json": b"{}",
    "images/sample.png": b"png",
    "docs/LICENSE-of-something": b"no",
}
LICENCES = {"LICENSE.md": b"Do as you like.", "README.md": b"---\nlicense: openrail++\n---"}


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_only_what_a_foundation_needs_is_fetched(server: HubServer, hub: Hub, tmp_path: Path, family: str) -> None:
    needed = {**paper_pipeline(family, safety_checker=["a", "b"]), **LICENCES}
    server.repositories["org/model"].commit({**NOT_NEEDED, **needed})
    imported = import_foundation(NAME, tmp_path / "out", hub=hub)
    assert sorted(server.fetched()) == sorted(needed)
    assert Foundation.read(imported.folder).family == family
    assert (imported.folder / "LICENSE.md").read_bytes() == LICENCES["LICENSE.md"]
    assert (imported.folder / UNET).read_bytes() == needed[UNET]
    assert not (imported.folder / UNET).is_symlink(), "the cache may be cleared"


def test_a_variant_is_fetched_where_it_is_asked_for(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    server.repositories["org/model"].commit({**NOT_NEEDED, **paper_pipeline()})
    folder = import_foundation(NAME, tmp_path / "out", ImportOptions(variant="fp16"), hub=hub).folder
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in server.fetched()
    assert UNET not in server.fetched()
    assert (folder / UNET).read_bytes() == paper_weights("half")


def test_a_branch_is_pinned_to_its_commit_and_told(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    old = server.repositories["org/model"].branches["main"]
    imported = import_foundation(NAME, tmp_path / "old", hub=hub)
    assert f"the default branch of org/model is {old} now; org/model@{old} names it for ever" in imported.notes
    record = yaml.safe_load((tmp_path / "old" / "import.yaml").read_text())
    assert record["source"] == f"org/model@{old}"
    assert record["hub"] == {"endpoint": server.url, "asked": "org/model", "commit": old}
    new = server.repositories["org/model"].commit(paper_pipeline() | {UNET: paper_weights("other")})
    moved = import_foundation(Path("org/model@main"), tmp_path / "new", hub=hub)
    assert f"main of org/model is {new} now" in moved.notes[0]
    assert (moved.folder / UNET).read_bytes() == paper_weights("other")
    server.calls.clear()
    pinned = import_foundation(Path(f"org/model@{old}"), tmp_path / "again", hub=hub)
    assert (pinned.folder / UNET).read_bytes() == paper_weights("unet")
    assert not any("is" in note and old in note for note in pinned.notes), "a commit never moves"
    assert server.fetched() == [], "the cache has it"


def test_what_is_imported_already_costs_one_question(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    import_foundation(NAME, tmp_path / "out", hub=hub)
    server.calls.clear()
    assert not import_foundation(NAME, tmp_path / "out", hub=hub).is_new
    assert [path for _, path, _ in server.calls] == ["/api/models/org/model"]


def test_a_transfer_that_breaks_goes_on_where_it_was(
    server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 50)
    server.break_off[UNET] = [100]
    folder = import_foundation(NAME, tmp_path / "out", hub=hub).folder
    assert [ranged for _, path, ranged in server.calls if path.endswith(UNET) and ranged] == ["bytes=100-"]
    assert (folder / UNET).read_bytes() == paper_weights("unet")


def test_a_hub_that_goes_away_is_told_and_costs_nothing_that_is_whole(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    server.break_off["vae/diffusion_pytorch_model.safetensors"] = [100, -1]
    with pytest.raises(UnavailableError, match=r"HUB_UNAVAILABLE: .* answers 503 .*; try again: files that are whole"):
        import_foundation(NAME, tmp_path / "out", hub=hub)
    assert not (tmp_path / "out").exists()
    first = server.fetched()
    server.calls.clear()
    import_foundation(NAME, tmp_path / "out", hub=hub)
    assert UNET in first
    assert UNET not in server.fetched()
    assert "vae/diffusion_pytorch_model.safetensors" in server.fetched()


@pytest.mark.parametrize("file", [UNET, "unet/config.json"])
def test_another_digest_than_the_hubs_is_refused_and_fetched_anew(
    server: HubServer, hub: Hub, tmp_path: Path, file: str
) -> None:
    """SHA-256 of large files, git's SHA-1 of small ones."""
    data = bytearray(paper_pipeline()[file])
    data[-1] ^= 1
    server.changed[file] = bytes(data)
    with pytest.raises(FailedPreconditionError, match=r"FOUNDATION_DIGEST_WRONG: .* it was removed; try again"):
        import_foundation(NAME, tmp_path / "out", hub=hub)
    server.changed.clear()
    folder = import_foundation(NAME, tmp_path / "out", hub=hub).folder
    assert (folder / file).read_bytes() == paper_pipeline()[file]


def test_what_lies_in_the_cache_and_was_changed_there_is_fetched_anew(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    import_foundation(NAME, tmp_path / "out", hub=hub)
    (cached,) = (tmp_path / "cache").rglob(f"snapshots/*/{UNET}")
    cached.resolve().write_bytes(paper_weights("vandal"))
    with pytest.raises(FailedPreconditionError, match="FOUNDATION_DIGEST_WRONG"):
        import_foundation(NAME, tmp_path / "other", hub=hub)
    assert import_foundation(NAME, tmp_path / "other", hub=hub).is_new


def test_progress_only_grows(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    import_foundation(NAME, tmp_path / "out", None, lambda what, share: told.append((what, share)), hub=hub)
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert f"fetching {UNET}" in [what for what, _ in told]
    assert told[-1] == ("done", 1.0)
