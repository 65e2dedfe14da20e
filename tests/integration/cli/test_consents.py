"""Tests the options and commands about what people agreed to, against a gateway in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import Terminal


@pytest.fixture
def selfies(tmp_path: Path) -> Path:
    folder = tmp_path / "ada"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.png").write_bytes(painted_png("selfie", number))
    return folder


def test_a_subject_is_made_with_a_consent(terminal: Terminal) -> None:
    words = ("--consent", "Yes.", "--consent-version", "2", "--consent-reference", "form 7", "--consent-expires", "90d")
    made = terminal.json("subjects", "create", "Ada", *words)
    agreed = made["consent"]
    assert (agreed["text"], agreed["version"], agreed["reference"]) == ("Yes.", "2", "form 7")
    assert agreed["expire_time"] > agreed["give_time"]
    shown = terminal.run("subjects", "show", "s0").stdout
    assert "version 2 for training and painting until 20" in shown
    terminal.run("subjects", "create")
    assert "none given" in terminal.run("subjects", "show", "s1").stdout


def test_the_statement_may_stand_in_a_file(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "statement.txt").write_text("Jä.\n", "utf-8")
    made = terminal.json("subjects", "create", "--consent", f"@{tmp_path / 'statement.txt'}")
    assert made["consent"]["text"] == "Jä.\n"
    for wrong in (f"@{tmp_path}", f"@{tmp_path / 'nosuch'}", " ", ""):
        terminal.run("subjects", "create", "--consent", wrong, code=2)
    assert "--consent" in terminal.run("subjects", "create", "--consent-reference", "form 7", code=2).stderr
    assert len(terminal.fake.subjects) == 1


def test_without_a_consent_the_command_that_helps_is_named(terminal: Terminal, selfies: Path) -> None:
    terminal.fake.requires_consent = True
    terminal.run("subjects", "create")
    for words in ((), ("--only-usable",)):
        refused = terminal.run("train", "s0", "--photos", str(selfies), *words, code=4)
        assert "CONSENT_MISSING" in refused.stderr
        assert terminal.fake.calls["UploadPhotos"] + terminal.fake.calls["InspectPhotos"] == 0
    assert "`headshots subjects consent subjects/s0 --consent 'TEXT'`" in refused.stderr
    given = terminal.run("subjects", "consent", "s0", "--consent", "Yes.")
    assert "subjects/s0: version 1 for training and painting" in given.stderr
    terminal.run("train", "s0", "--photos", str(selfies))
    assert len(terminal.fake.trainings) == 1


def test_a_shoot_records_what_the_person_agreed_to_once(terminal: Terminal, selfies: Path) -> None:
    words = ("--styles", STYLES[0], "--count", "1", "--detach")
    terminal.run("shoot", str(selfies), *words, "--consent", "Yes.")
    (subject,) = terminal.fake.subjects.values()
    assert subject.consent.statement_text == "Yes."
    terminal.run("shoot", str(selfies), *words, "--consent", "Yes.")
    terminal.run("shoot", str(selfies), *words)
    assert terminal.fake.calls["GiveConsent"] == 1
    terminal.run("shoot", "s0", *words, "--consent", "Yes, and more.")
    assert (terminal.fake.calls["GiveConsent"], subject.consent.statement_text) == (2, "Yes, and more.")
    assert len(terminal.fake.subjects) == 1


def test_a_shoot_without_a_consent_sends_no_photo_and_says_what_is_missing(terminal: Terminal, selfies: Path) -> None:
    terminal.fake.requires_consent = True
    order = ("shoot", str(selfies), "--styles", STYLES[0], "--count", "1", "--detach")
    for words in ((), ("--quote",)):
        refused = terminal.run(*order, *words, code=4)
        assert "CONSENT_MISSING: nothing tells what the person of" in refused.stderr
        assert "say it with --consent, TEXT or @FILE" in refused.stderr
    assert terminal.fake.subjects == {}
    assert terminal.fake.calls["CreateSubject"] + terminal.fake.calls["InspectPhotos"] == 0
    terminal.run("subjects", "create")
    assert "say with --consent" in terminal.run("shoot", "s0", *order[2:], code=4).stderr
    for _ in range(2):
        terminal.run(*order, "--consent", "Yes.")
    assert (len(terminal.fake.photos["subjects/s1"]), len(terminal.fake.shoots)) == (6, 2)
    terminal.run("shoot", "s1", *order[2:])


def test_a_refused_shoot_of_a_folder_leaves_nobody_unless_they_were_there(terminal: Terminal, selfies: Path) -> None:
    order = ("shoot", str(selfies), "--styles", STYLES[0], "--count", "1", "--detach", "--consent", "Yes.")
    for words in ((), ("--quote",)):
        refused = terminal.run(*order, *words, "--priority", "high", code=4)
        assert "PRIORITY_NOT_GRANTED" in refused.stderr
        assert (terminal.fake.subjects, terminal.fake.calls["UploadPhotos"]) == ({}, 0)
    terminal.run(*order)
    terminal.run(*order, "--priority", "high", code=4)
    assert len(terminal.fake.photos["subjects/s0"]) == 6
    # As after a delivery, with which the photos go.
    terminal.run("train", "s0", "--detach")
    terminal.fake.photos["subjects/s0"].clear()
    terminal.fake.subjects["subjects/s0"].photo_count = 0
    terminal.run(*order, "--priority", "high", code=4)
    assert list(terminal.fake.subjects) == ["subjects/s0"]


def test_a_shoot_replaces_a_consent_that_covers_less(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "--consent", "Yes.", "--consent-version", "2")
    order = ("shoot", "s0", "--styles", STYLES[0], "--quote", "--consent", "Yes.")
    agreed = terminal.fake.subjects["subjects/s0"].consent
    terminal.run(*order, code=4)
    assert (terminal.fake.calls["GiveConsent"], agreed.statement_version) == (0, "2")
    del agreed.purposes[1:]
    terminal.run(*order, code=4)
    assert (terminal.fake.calls["GiveConsent"], len(agreed.purposes)) == (1, 2)
    agreed.expire_time.FromJsonString("2030-01-01T00:00:00Z")
    terminal.run(*order, code=4)
    assert (terminal.fake.calls["GiveConsent"], agreed.HasField("expire_time")) == (2, False)


def test_a_consent_is_withdrawn_after_a_question(terminal: Terminal, selfies: Path) -> None:
    terminal.run("subjects", "create", "Ada", "--consent", "Yes.")
    terminal.run("photos", "upload", "s0", str(selfies))
    terminal.run("subjects", "withdraw", "s0", input="n\n", code=1)
    assert terminal.fake.subjects
    assert "subjects/s0 is erased, 6 objects removed" in terminal.run("subjects", "withdraw", "s0", "--yes").stderr
    assert terminal.fake.subjects == {}
    terminal.run("subjects", "create", "Bob", "--consent", "Yes.")
    terminal.run("photos", "upload", "s0", str(selfies))
    terminal.run("train", "s0", "--detach")
    assert terminal.json("subjects", "withdraw", "s0", "--yes")["erased"] is False
    assert "headshots subjects list" in terminal.run("subjects", "withdraw", "s0", "--yes", code=4).stderr
