"""Tests `headshots images` against a gateway in memory."""

from __future__ import annotations

from pathlib import Path

from headshots.v1 import images_pb2
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import TWO_STYLES, Terminal


def test_images_are_listed_fetched_and_painted_again(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    terminal.fake.refused_shots = {0}
    order = ("shoot", str(selfies), *TWO_STYLES, "--count", "3", "--out", str(tmp_path / "all"))
    done = terminal.json(*order, code=7)
    gallery = done["shoot"]["gallery"]
    rows = [line.split() for line in terminal.run("images", "list", gallery).stdout.splitlines()]
    assert [row[:4] for row in rows[1:]] == [
        [f"{gallery}/images/2", "1", STYLES[2], "accepted"],
        [f"{gallery}/images/1", "2", STYLES[0], "accepted"],
        [f"{gallery}/images/0", "-", STYLES[0], "refused"],
    ]
    assert [image["rank"] for image in terminal.json("images", "list", gallery, "--only", "accepted")] == [1, 2]
    assert len(terminal.json("images", "list", gallery, "--styles", STYLES[2])) == 1
    assert (
        len(terminal.json("images", "download", gallery, "--best", "3", "--out", str(tmp_path / "two"))["files"]) == 2
    )
    best = terminal.run("images", "download", gallery, "--best", "1", "--out", str(tmp_path / "best")).stdout.split()
    assert best == [str(tmp_path / "best" / f"01-{STYLES[2]}.png")]
    disliked = f"{gallery}/images/1"
    again = terminal.json("images", "regenerate", disliked, "--max-tries", "2", "--out", str(tmp_path / "again"))
    assert again["gallery"]["regenerates"] == disliked
    assert len(again["files"]) == 1
    said = terminal.run("images", "regenerate", disliked, "--out", str(tmp_path / "again")).stderr
    assert f"keeps its place and its rank until `headshots images delete {disliked}`" in " ".join(said.split())
    nosuch = terminal.run("images", "regenerate", f"{gallery}/images/9", code=4)
    assert "`headshots galleries list subjects/s0`" in nosuch.stderr


def test_one_thing_of_an_image_is_changed(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    done = terminal.json("shoot", str(selfies), *TWO_STYLES, "--count", "2", "--out", str(tmp_path / "all"))
    image = f"{done['shoot']['gallery']}/images/0"
    out = ("--out", str(tmp_path / "remix"))
    made = terminal.json("remix", image, "--backdrop", "sandy beach", "--shots", "2", *out)
    assert made["gallery"]["remix"] == {"image": image, "repaint": None, "change": "BACKDROP", "to": "sandy beach"}
    assert len(made["files"]) == 2
    lit = terminal.run("remix", image, "--light", "styles/clinic-lab-coat", "--repaint", "0.5", *out)
    assert len(lit.stdout.split()) == 1
    remixed = next(reversed(terminal.fake.galleries))
    assert f"next: `headshots images list {remixed}` names the images" in " ".join(lit.stderr.split())
    for wrong in ((), ("--outfit", "lab coat", "--light", "neon lighting")):
        said = terminal.run("remix", image, *wrong, code=2).stderr
        assert "give one of" in " ".join(said.split())
    terminal.fake.galleries[done["shoot"]["gallery"]].images[0].verdict.acceptance = images_pb2.ACCEPTANCE_REFUSED
    refused = terminal.run("remix", image, "--outfit", "lab coat", code=4)
    assert "--only accepted" in refused.stderr
