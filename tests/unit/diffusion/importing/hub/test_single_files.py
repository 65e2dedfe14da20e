"""A repository that is one checkpoint, or holds several, is imported as a file is, with the repository's licence."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.importing.hub.repository import Hub
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from headshots.errors import InvalidArgumentError
from tests.support.foundations.hub_server import HubServer, sha256
from tests.support.foundations.single_files import toy_packages, write_single

CARD = b"---\nlicense: creativeml-openrail-m\n---\n"


def test_the_one_file_is_taken_and_another_where_it_is_named(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    model = write_single(tmp_path / "portraits.safetensors", "sd15", "v_pred").read_bytes()
    server.repositories["org/model"].commit({"portraits.safetensors": model, "README.md": CARD, "a/vae.pt": b"pickle"})
    imported = import_foundation(Path("org/model"), tmp_path / "one", packages=toy_packages(), hub=hub)
    assert "the repository's one file was taken: portraits.safetensors" in imported.notes
    assert Foundation.read(imported.folder).prediction_type == "v_prediction"
    assert (imported.folder / "README.md").read_bytes() == CARD
    assert server.fetched().count("a/vae.pt") == 0

    files = {"v1/portraits.safetensors": model, "v2.safetensors": b"a", "v3.safetensors": b"b", "LICENSE": CARD}
    commit = server.repositories["org/model"].commit(files)
    options = ImportOptions(sha256=sha256(model), prediction="epsilon")
    name = Path("org/model/v1/portraits.safetensors@main")
    named = import_foundation(name, tmp_path / "two", options, packages=toy_packages(), hub=hub)
    assert Foundation.read(named.folder).prediction_type == "epsilon"
    assert (named.folder / "LICENSE").read_bytes() == CARD
    record = yaml.safe_load((named.folder / "import.yaml").read_text())
    assert record["source"] == f"org/model/v1/portraits.safetensors@{commit}"
    assert "v2.safetensors" not in server.fetched()

    with pytest.raises(InvalidArgumentError, match="FOUNDATION_DIGEST_WRONG"):
        import_foundation(name, tmp_path / "three", ImportOptions(sha256="0" * 64), packages=toy_packages(), hub=hub)
