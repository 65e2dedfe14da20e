"""Tests the options and commands about how long people are kept, against a gateway in memory."""

from __future__ import annotations

from tests.support.terminal import Terminal


def test_a_person_is_made_for_a_time_and_kept_longer(terminal: Terminal) -> None:
    made = terminal.json("subjects", "create", "Ada", "--keep", "2h")
    assert terminal.fake.requests[-1].retention_seconds == 7200
    later = terminal.json("subjects", "extend", "s0", "90d")
    assert later["expire_time"] > made["expire_time"]
    assert "subjects/s0 is kept until 20" in terminal.run("subjects", "extend", "s0", "91d").stderr
    assert "RETENTION_INVALID" in terminal.run("subjects", "extend", "s0", "1d", code=4).stderr
    for wrong in (("create", "--keep", "soon"), ("extend", "s0", "soon")):
        terminal.run("subjects", *wrong, code=2)


def test_a_person_is_held_and_released(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "Ada")
    terminal.run("subjects", "hold", "s0", code=2)
    assert "subjects/s0 is held: a dispute" in terminal.run("subjects", "hold", "s0", "--reason", "a dispute").stderr
    assert "it is released; held: a dispute" in terminal.run("subjects", "show", "s0").stdout
    assert "a dispute" in terminal.run("subjects", "show", "s0").stdout
    refused = terminal.run("subjects", "delete", "s0", "--yes", code=4).stderr
    assert "`headshots subjects release subjects/s0`" in refused
    assert "subjects/s0 is kept until" in terminal.run("subjects", "release", "s0").stderr
    terminal.run("subjects", "delete", "s0", "--yes")


def test_releasing_a_person_whose_time_is_past_says_that_they_are_erased(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "Ada")
    terminal.run("subjects", "hold", "s0", "--reason", "a dispute")
    terminal.fake.subjects["subjects/s0"].expire_time.FromJsonString("2020-02-03T04:05:06Z")
    told = terminal.run("subjects", "release", "s0").stderr
    assert "subjects/s0 expired at 2020-02-03 04:05 UTC and is being erased" in told


def test_a_tenants_policy_is_shown_and_set(terminal: Terminal) -> None:
    shown = terminal.run("tenant", "show").stdout
    assert "30d after their last delivery" in shown
    assert "as long as the person" in shown
    changed = terminal.json("tenant", "set-policy", "--keep", "90d", "--photos", "0")
    assert (changed["retention_seconds"], changed["photo_retention_seconds"]) == (90 * 86400, 0)
    assert "until a delivery" in terminal.run("tenant", "show").stdout
    assert "7d after a delivery" in terminal.run("tenant", "set-policy", "--photos", "7d").stdout
    changed = terminal.json("tenant", "set-policy", "--adapters", "30d", "--images", "7d")
    assert (changed["adapter_retention_seconds"], changed["image_retention_seconds"]) == (30 * 86400, 7 * 86400)
    assert "7d after their gallery has ended" in terminal.run("tenant", "show").stdout
    changed = terminal.json("tenant", "set-policy", "--adapters", "subject", "--images", "subject")
    assert (changed["adapter_retention_seconds"], changed["image_retention_seconds"]) == (None, None)
    changed = terminal.json("tenant", "set-policy", "--keep", "default", "--photos", "subject")
    assert (changed["retention_seconds"], changed["photo_retention_seconds"]) == (30 * 86400, None)
    for wrong in ((), ("--keep", "0"), ("--keep", "soon"), ("--photos", "soon"), ("--images", "0")):
        terminal.run("tenant", "set-policy", *wrong, code=2)


def test_what_a_tenants_images_say_is_shown_and_set(terminal: Terminal) -> None:
    shown = terminal.run("tenant", "show").stdout
    assert shown.count("as the installation says") == 3
    changed = terminal.json("tenant", "set-rights", "--owner", "Ada & co", "--licence", "", "--prompts")
    said = {name: changed[name] for name in ("rights_owner", "usage_terms", "licence", "prompts_in_images")}
    assert said == {"rights_owner": "Ada & co", "usage_terms": None, "licence": "", "prompts_in_images": True}
    shown = terminal.run("tenant", "set-rights", "--terms", "Ask her.").stdout
    for line in ("Ada & co", "Ask her.", "none", "yes"):
        assert line in shown
    assert list(terminal.fake.requests[-1].update_mask.paths) == ["usage_terms"]
    changed = terminal.json("tenant", "set-rights", "--owner", "default", "--licence", "default", "--no-prompts")
    assert (changed["rights_owner"], changed["licence"], changed["prompts_in_images"]) == (None, None, False)
    terminal.run("tenant", "set-rights", code=2)


def test_a_persons_photos_go_earlier_and_orders_may_do_without(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "Ada", "--keep-photos", "0")
    assert terminal.fake.requests[-1].photo_retention_seconds == 0
    assert terminal.fake.requests[-1].HasField("photo_retention_seconds")
    terminal.fake.subjects["subjects/s0"].photo_expire_time.FromJsonString("2026-02-03T04:05:06Z")
    assert "0, those of the last delivery until 2026-02-03 04:05 UTC" in terminal.run("subjects", "show", "s0").stdout
    terminal.fake.subjects["subjects/s0"].adapter.sha256 = "ab" * 32
    terminal.run("shoot", "s0", "--pack", "business", "--count", "4", "--allow-unjudged", "--quote")
    assert terminal.fake.requests[-1].allow_unjudged


def test_people_who_end_soon_are_listed(terminal: Terminal) -> None:
    for name, span in (("Ada", "3h"), ("Bob", "48h"), ("Cleo", "1h")):
        terminal.run("subjects", "create", name, "--keep", span)
    ending = terminal.json("subjects", "list", "--expire-before", "1d")
    assert [each["display_name"] for each in ending] == ["Cleo", "Ada"]
    assert "KEPT UNTIL" in terminal.run("subjects", "list", "--expire-before", "1d").stdout
    terminal.run("subjects", "list", "--expire-before", "soon", code=2)
