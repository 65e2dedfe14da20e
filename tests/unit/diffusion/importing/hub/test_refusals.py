"""What a hub does not have, does not give, or has of another kind ends with its reason, and before any weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from headshots.diffusion.importing.hub.repository import Hub
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from headshots.errors import HeadshotsError
from tests.support.foundations.hub_server import TOKEN, HubServer
from tests.support.foundations.paper import paper_pipeline, paper_weights
from tests.support.ports import free_port

NAME = "org/model"
FLUX = b'{"_class_name": "FluxPipeline", "transformer": ["diffusers", "FluxTransformer2DModel"]}'
FLUX_TENSORS = ("double_blocks.0.img_attn.norm.key_norm.scale",)


def refused(hub: Hub, out: Path, name: str = NAME, **options: Any) -> str:
    """What is told, with its reason."""
    with pytest.raises(HeadshotsError) as caught:
        import_foundation(Path(name), out, ImportOptions(**options), hub=hub)
    assert not out.exists()
    return str(caught.value)


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "nobody/nothing",
            r"HUB_REPOSITORY_NOT_FOUND: there is no folder or file nobody/nothing here, and \S+ shows no",
        ),
        ("org/model@v9", r"HUB_REVISION_NOT_FOUND: \S+/org/model has no revision 'v9'"),
        ("org/model@" + "0" * 40, r"HUB_REVISION_NOT_FOUND: "),
        ("org/model/none.safetensors", r"HUB_FILE_NOT_FOUND: \S+ has no file none.safetensors at [0-9a-f]{40}"),
        ("org/model/unet/model.ckpt", r"FOUNDATION_PICKLED: org/model: unet/model.ckpt can run code"),
        ("org/model/model.gguf", r"FOUNDATION_INVALID: .* not a .safetensors file"),
    ],
)
def test_what_is_not_there_is_told(server: HubServer, hub: Hub, tmp_path: Path, name: str, told: str) -> None:
    assert re.match(told, refused(hub, tmp_path / "out", name))
    assert server.fetched() == []


@pytest.mark.parametrize(
    ("access", "told"),
    [
        ("gated", r"HUB_ACCESS_DENIED: .* terms that you accept first, at \S+/org/model; then set HF_TOKEN"),
        ("private", r"HUB_REPOSITORY_NOT_FOUND: .* where it is a private one, set HF_TOKEN"),
    ],
)
def test_what_needs_a_token_says_so_and_takes_it(
    server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, access: str, told: str
) -> None:
    server.repositories[NAME].access = access
    assert re.match(told, refused(hub, tmp_path / "out"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert import_foundation(Path(NAME), tmp_path / "out", hub=hub).is_new


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"model_index.json": FLUX, "transformer/a.safetensors": paper_weights("x")},
            r"is FLUX, a diffusion transformer",
        ),
        ({"flux1.safetensors": paper_weights(*FLUX_TENSORS)}, r"flux1.safetensors is FLUX, a diffusion transformer"),
        ({"lora.safetensors": paper_weights("unet.lora_down.weight")}, r"is a LoRA"),
    ],
)
def test_other_kinds_are_refused_by_name_before_their_weights(
    server: HubServer, hub: Hub, tmp_path: Path, files: dict[str, bytes], told: str
) -> None:
    server.repositories[NAME].commit(files)
    assert re.search(rf"^FOUNDATION_UNSUPPORTED: org/model.*{told}", refused(hub, tmp_path / "out"))
    # A header is a range of a file; no file of weights came whole.
    weights = [ranged for _, path, ranged in server.calls if "/resolve/" in path and path.endswith(".safetensors")]
    assert all(weights)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"a.safetensors": b"a", "b.safetensors": b"b"},
            r"HUB_FILES_AMBIGUOUS: .* name one of them, as org/model/a.saf",
        ),
        ({"a.ckpt": b"a"}, r"FOUNDATION_PICKLED: org/model@\w+: a.ckpt can run code"),
        ({"README.md": b"a"}, r"FOUNDATION_INVALID: org/model@\w+: it has neither model_index.json nor a .safetensors"),
        ({**paper_pipeline(), "vae/diffusion_pytorch_model.safetensors": None}, r"FOUNDATION_INVALID: org/model/vae: "),
    ],
)
def test_repositories_without_a_foundation_are_told(
    server: HubServer, hub: Hub, tmp_path: Path, files: dict[str, bytes | None], told: str
) -> None:
    server.repositories[NAME].commit({name: data for name, data in files.items() if data is not None})
    assert re.match(told, refused(hub, tmp_path / "out"))
    assert not any(name.endswith((".safetensors", ".ckpt")) for name in server.fetched())


def test_options_that_do_not_fit_are_told_before_anything_is_fetched(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    assert refused(hub, tmp_path / "out", prediction="epsilon").startswith("IMPORT_OPTIONS_INVALID")
    server.repositories[NAME].commit({"a.safetensors": b"a"})
    assert refused(hub, tmp_path / "out", variant="fp16").startswith("IMPORT_OPTIONS_INVALID")
    assert server.fetched() == []


def test_a_hub_that_cannot_be_reached_is_told_with_both_readings_of_the_name(tmp_path: Path) -> None:
    away = Hub(f"http://127.0.0.1:{free_port()}", tmp_path / "cache")
    told = refused(away, tmp_path / "out")
    assert "Connection refused" in refused(away, tmp_path / "out", f"org/model@{'0' * 40}"), "why is told"
    assert re.match(r"HUB_UNAVAILABLE: there is no folder or file org/model here, and http://\S+ did not give it", told)


def test_a_server_that_is_no_hub_is_told(server: HubServer, tmp_path: Path) -> None:
    elsewhere = Hub(f"{server.url}/portal", tmp_path / "cache")
    assert re.match(
        r"HUB_UNAVAILABLE: .* answers 404 .* as no hub does; HF_ENDPOINT", refused(elsewhere, tmp_path / "o")
    )


def test_offline_the_cache_has_to_do(
    server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert re.match(r"HUB_OFFLINE: .* HF_HUB_OFFLINE is set: the cache \S+ has not all", refused(hub, tmp_path / "out"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    import_foundation(Path(NAME), tmp_path / "first", hub=hub)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    server.calls.clear()
    imported = import_foundation(Path(NAME), tmp_path / "out", hub=hub)
    assert any(note.startswith("HF_HUB_OFFLINE is set: what the cache has of org/model@") for note in imported.notes)
    assert server.calls == []
    (cached,) = (tmp_path / "cache").rglob("snapshots/*/vae/diffusion_pytorch_model.safetensors")
    cached.unlink()
    assert re.match(r"HUB_OFFLINE: .* The cache has it in part: ", refused(hub, tmp_path / "other"))
