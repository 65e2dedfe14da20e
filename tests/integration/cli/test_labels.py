"""Tests `--label` and `--external-id` of every command that makes or lists resources, against a gateway in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import Terminal

GIVEN = ("--label", "order=4711", "--label", "note=a=b", "--external-id", "customer/1")
LABELS = {"order": "4711", "note": "a=b"}


@pytest.fixture
def subject(terminal: Terminal, tmp_path: Path) -> str:
    """One with a resource of each kind, with labels and without."""
    photos = tmp_path / "selfies"
    photos.mkdir()
    for number in range(6):
        (photos / f"{number}.png").write_bytes(painted_png("selfie", number))
    out = ("--out", str(tmp_path / "out"))
    terminal.run("subjects", "create")
    terminal.run("subjects", "create", *GIVEN)
    terminal.run("photos", "upload", "s0", str(photos))
    for number, given in enumerate(((), GIVEN)):
        terminal.run("train", "s0", *given)
        terminal.run("generate", "s0", "--style", STYLES[0], "--shots", "1", *out, *given)
        terminal.run("shoot", "s0", "--styles", STYLES[0], "--count", "1", "--detach", *given)
        terminal.run("styles", "create", f"own-{number}", "--prompt", "{subject}", *given)
        terminal.run("profiles", "create", f"own-{number}", *given)
        terminal.run("packs", "create", f"own-{number}", "--style", f"{STYLES[0]}=1", *given)
    return "s0"


LISTS = {
    "subjects": ((), "subjects/s1"),
    "trainings": (("s0",), "subjects/s0/trainings/t1"),
    "galleries": (("s0",), "subjects/s0/galleries/g1"),
    "shoots": (("s0",), "subjects/s0/shoots/"),
    "styles": ((), "styles/own-1"),
    "profiles": ((), "profiles/own-1"),
    "packs": ((), "packs/own-1"),
}


@pytest.mark.usefixtures("subject")
def test_what_was_given_is_found_again(terminal: Terminal) -> None:
    for group, (arguments, name) in LISTS.items():
        everything = terminal.json(group, "list", *arguments)
        for wanted in (GIVEN, GIVEN[:2], GIVEN[-2:]):
            [found] = terminal.json(group, "list", *arguments, *wanted)
            assert found["name"].startswith(name)
            assert (found["labels"], found["external_id"]) == (LABELS, "customer/1")
        assert len(everything) > 1
        assert terminal.json(group, "list", *arguments, "--label", "order=4712") == []


def test_the_labels_of_a_subject_are_shown_and_changed(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "Ada", *GIVEN)
    assert "note=a=b order=4711" in terminal.run("subjects", "show", "s0").stdout
    changed = terminal.json("subjects", "label", "s0", "--label", "order=1")
    assert (changed["labels"], changed["external_id"]) == ({"order": "1"}, "customer/1")
    assert "order=1" in terminal.run("subjects", "label", "s0", "--external-id", "").stdout
    emptied = terminal.json("subjects", "label", "s0", "--no-labels")
    assert (emptied["labels"], emptied["external_id"], emptied["display_name"]) == ({}, "", "Ada")
    both = ("--label", "order=1", "--no-labels")
    for command in (("subjects", "label", "s0"), ("photos", "label", "p"), ("images", "label", "i")):
        assert "leave one out" in terminal.run(*command, *both, code=2).stderr


def test_photos_and_images_are_labelled_and_found(terminal: Terminal, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(7)]
    for number, file in enumerate(files):
        file.write_bytes(painted_png("selfie", number))
    terminal.run("subjects", "create")
    for more, named in ((("--only-usable",), files[:3]), ((), files[3:6])):
        uploaded = terminal.json("photos", "upload", "s0", *map(str, named), *GIVEN, *more)
        assert [(each["labels"], each["external_id"]) for each in uploaded] == [(LABELS, "customer/1")] * 3
    [plain] = terminal.json("photos", "upload", "s0", str(files[6]))
    assert len(terminal.json("photos", "list", "s0", *GIVEN)) == 6
    changed = terminal.json("photos", "label", plain["name"], "--label", "order=1")
    assert (changed["labels"], changed["external_id"]) == ({"order": "1"}, "")
    assert [each["name"] for each in terminal.json("photos", "list", "s0", "--label", "order=1")] == [plain["name"]]
    terminal.run("train", "s0")
    terminal.run("generate", "s0", "--style", STYLES[0], "--shots", "2", "--out", str(tmp_path / "out"))
    image, _ = terminal.json("images", "list", "subjects/s0/galleries/g0")
    assert "note=a=b order=4711" in terminal.run("images", "label", image["name"], *GIVEN).stdout
    [found] = terminal.json("images", "list", "subjects/s0/galleries/g0", *GIVEN)
    assert (found["name"], found["labels"]) == (image["name"], LABELS)
    emptied = terminal.json("images", "label", image["name"], "--no-labels")
    assert (emptied["labels"], emptied["external_id"]) == ({}, "customer/1")


@pytest.mark.parametrize(
    ("given", "told"), [(("order",), "is no KEY=VALUE"), (("order=1", "order=2"), "is given twice")]
)
def test_what_is_no_label_is_refused_before_anything_is_sent(
    terminal: Terminal, given: tuple[str, ...], told: str
) -> None:
    options = [part for each in given for part in ("--label", each)]
    assert told in terminal.run("subjects", "create", *options, code=2).stderr
    assert terminal.fake.subjects == {}


def test_a_key_that_the_contract_refuses_is_an_error_of_the_command(terminal: Terminal) -> None:
    refused = terminal.run("subjects", "create", "--label", "Order=1", code=4).stderr
    assert "'Order' is no key of a label: small letters, digits, _ and -" in " ".join(refused.split())
