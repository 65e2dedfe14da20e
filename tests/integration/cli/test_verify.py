"""`headshots verify` tells which layer of a file spoke, and asks no service unless it is told to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from foundry.portraits.identity import sample_identity
from foundry.portraits.render import render
from foundry.portraits.scene import sample_scene
from headshots.cli.app import app
from headshots.marking.settings import MarkingSettings
from services.generator.images.encoding import encode
from services.generator.images.marking import Marker, mark_id_of
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.gateway.caller import selfie
from tests.support.images.marked import screenshot_of
from tests.support.terminal import Terminal, columns

PIXELS = render(sample_identity(4), sample_scene(np.random.default_rng(4)), 512)


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """An image as the generator of this home writes it."""
    settings = MarkingSettings.from_environment({"HEADSHOTS_HOME": str(tmp_path / "home")})
    file = tmp_path / "image.png"
    file.write_bytes(
        Marker(settings, settings.open_signer(), "tiny", "0" * 64).write("a", PIXELS, "png", 0, None).signed
    )
    return file


def verify(file: Path, home: Path, *more: str, code: int = 0, **environment: str) -> str:
    environment = {"HEADSHOTS_HOME": str(home), "COLUMNS": "200", **environment}
    result = CliRunner().invoke(app, ["verify", str(file), *more], env=environment)
    assert result.exit_code == code, result.output
    return result.stdout


def test_all_layers_of_an_image_made_here(marked: Path, tmp_path: Path) -> None:
    found = json.loads(verify(marked, tmp_path / "home", "--json"))
    assert (found["made_here"], found["made_by_machine"], found["signature"]["state"]) == (True, True, "valid")
    assert found["metadata"]["owner"] == "The person shown"
    assert found["watermark"]["id"] == mark_id_of("a", PIXELS).hex() == found["signature"]["mark_id"]


def test_another_home_trusts_it_by_the_authority_that_it_is_given(marked: Path, tmp_path: Path) -> None:
    told = verify(marked, tmp_path / "elsewhere")
    assert "not trusted here" in told
    assert "made here          by an installation of headshots; --online tells whether by this one" in told
    lines = verify(marked, tmp_path / "elsewhere", **columns(80)).splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()) == " ".join(told.split())
    trust = ("--trust", str(tmp_path / "home" / "marking" / "authority.pem"))
    assert "not trusted here" not in verify(marked, tmp_path / "elsewhere", *trust)


def test_a_screenshot_by_its_watermark_alone(marked: Path, tmp_path: Path) -> None:
    shot = tmp_path / "screenshot.jpg"
    shot.write_bytes(screenshot_of(marked.read_bytes()))
    found = json.loads(verify(shot, tmp_path / "home", "--json"))
    assert (found["made_here"], found["made_by_headshots"]) == (None, True), (
        "a mark does not tell which installation gave it"
    )
    assert (found["signature"]["state"], found["metadata"]) == ("absent", None)
    assert found["watermark"]["id"] == mark_id_of("a", PIXELS).hex()


def test_what_nothing_speaks_of_and_what_is_no_picture(tmp_path: Path) -> None:
    plain, text = tmp_path / "plain.png", tmp_path / "text.png"
    plain.write_bytes(encode(PIXELS, "png"))
    text.write_text("no picture")
    assert "nothing says so" in verify(plain, tmp_path, code=1)
    verify(text, tmp_path, code=4)


def test_a_damaged_file_is_told_without_advice_that_strips_it(tmp_path: Path, marked: Path) -> None:
    data = bytearray(marked.read_bytes())
    data[len(data) // 2] ^= 1
    marked.write_bytes(data)
    result = CliRunner().invoke(app, ["verify", str(marked)], env={"HEADSHOTS_HOME": str(tmp_path)})
    assert result.exit_code == 4
    assert "proves nothing" in result.output.replace("\n", " ")


def test_a_gateway_names_the_image(terminal: Terminal, tmp_path: Path) -> None:
    photos, out = tmp_path / "selfies", tmp_path / "out"
    photos.mkdir()
    for number in range(6):
        (photos / f"{number}.png").write_bytes(painted_png("selfie", number))
    terminal.run("subjects", "create")
    terminal.run("train", "s0", "--photos", str(photos))
    terminal.run("generate", "s0", "--style", STYLES[0], "--shots", "1", "--out", str(out))
    [file] = out.glob("*.png")
    told = terminal.run("verify", str(file), "--online").stdout
    assert "yes, for you" in told
    assert "subjects/s0/galleries/g0/images/0" in told
    found = terminal.json("verify", str(file), "--online")
    assert (found["made_here"], found["images"]) == (True, ["subjects/s0/galleries/g0/images/0"])


def test_a_gateway_tells_what_is_erased_and_what_it_does_not_know(terminal: Terminal, tmp_path: Path) -> None:
    shot, stranger, text = tmp_path / "shot.jpg", tmp_path / "stranger.png", tmp_path / "text.png"
    shot.write_bytes(selfie(1))
    stranger.write_bytes(painted_png("nobody's", 1))
    text.write_text("no picture")
    assert "erased since" in terminal.run("verify", str(shot), "--online").stdout
    assert "nothing says so" in terminal.run("verify", str(stranger), "--online", code=1).stdout
    assert "PHOTO_UNDECODABLE" in terminal.run("verify", str(text), "--online", code=4).stderr
    refused = terminal.run("verify", str(shot), "--online", "--trust", str(shot), code=2)
    assert "leave --trust or --online out" in refused.stderr.replace("\n", " ")
