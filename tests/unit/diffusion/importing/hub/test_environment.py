"""The variables of huggingface_hub hold in commands and services, each a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.importing.ensure import find_place, usable_foundation
from headshots.diffusion.importing.hub.repository import Hub
from services.generator.settings import GeneratorSettings
from services.trainer.settings import TrainerSettings
from tests.support.foundations.hub_server import TOKEN, HubServer
from tests.support.foundations.paper import paper_pipeline
from tests.support.paths import ROOT


def environment(server: HubServer, home: Path, **variables: str) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return {**mine, "HF_ENDPOINT": server.url, "HF_HOME": str(home), "HF_TOKEN": TOKEN, **variables}


def test_the_command_fetches_through_the_cache_with_the_token_and_does_without_a_network(
    server: HubServer, tmp_path: Path
) -> None:
    def run(out: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "headshots", "foundation", "import", "org/model@main", "--out", out],
            cwd=tmp_path,
            env=environment(server, tmp_path / "hf", PYTHONPATH=str(ROOT), **variables),
            capture_output=True,
            text=True,
            check=False,
        )

    server.repositories["org/model"].access = "private"
    first = run("first")
    assert (first.returncode, first.stdout) == (0, f"{tmp_path}/first\n"), first.stderr
    assert "main of org/model is " in first.stderr.replace("\n", " ")
    assert (tmp_path / "hf" / "hub" / "models--org--model" / "snapshots").is_dir()
    server.calls.clear()
    again = run("again", HF_HUB_OFFLINE="1")
    assert (again.returncode, server.calls) == (0, []), again.stderr
    assert "HF_HUB_OFFLINE is set" in again.stderr


def test_a_service_imports_a_hubs_model_once_and_finds_it_where_the_cache_was_cleared(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    variables, cache, told = environment(server, tmp_path / "hf"), tmp_path / "foundations", list[str]()

    def usable(name: str) -> Path:
        return usable_foundation(
            Path(name), cache, variables, lambda what, share: told.append(what), told.append, hub=hub
        )

    folder = usable("org/model")
    commit = server.repositories["org/model"].branches["main"]
    assert folder.parent == cache
    assert folder.name.startswith("model-")
    assert Foundation.read(folder).family == "sd15"
    assert told[0] == f"the default branch of org/model is {commit} now; org/model@{commit} names it for ever"
    assert "fetching unet/diffusion_pytorch_model.safetensors" in told
    (tmp_path / "hf").rename(tmp_path / "gone")
    server.calls.clear()
    told.clear()
    assert usable(f"org/model@{commit}") == folder
    assert (told, server.calls) == ([], []), "a commit is asked for nowhere"
    server.repositories["org/model"].commit(paper_pipeline(moved=True))
    assert not find_place(Path("org/model"), cache, hub=hub).is_there, "the branch has moved"


@pytest.mark.parametrize("variable", ["HEADSHOTS_FOUNDATION", "HEADSHOTS_{}_FOUNDATION"])
def test_settings_tell_a_hubs_model_from_a_path(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for cls, name in ((TrainerSettings, "TRAINER"), (GeneratorSettings, "GENERATOR")):
        named = {"HEADSHOTS_HOME": str(tmp_path), variable.format(name): "org/model@main"}
        assert cls.from_environment(named).foundation == Path("org/model@main")
        (tmp_path / "org" / "model@main").mkdir(parents=True)
        assert cls.from_environment(named).foundation == tmp_path / "org" / "model@main"
        (tmp_path / "org" / "model@main").rmdir()
        (tmp_path / "org").rmdir()
