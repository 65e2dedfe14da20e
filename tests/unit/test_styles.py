"""The style library: what is shipped, what is refused, and how a style becomes a prompt."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from foundry import portraits
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.importing.defaults import PHOTO_NEGATIVE, PHOTO_TEMPLATE
from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.styles.library import StyleLibrary
from headshots.styles.packs import PackLibrary
from headshots.styles.prompts import check_template, compose_prompt
from headshots.styles.recipe import Style
from tests.support.paths import ROOT

SHIPPED = ROOT / "styles"
PHOTOGRAPHIC = SHIPPED / "photographic"
# A word, a digit or a mark is a token of CLIP's at least; of its window of 77 the longest prompt here needs 55.
PIECE = re.compile(r"[^\W\d_]+|\d|[^\s\w]+")
GOOD = {
    "name": "plain",
    "version": "1",
    "display_name": "Plain",
    "description": "Nothing special.",
    "outfit": "white shirt",
    "backdrop": "plain white studio",
    "lighting": "soft studio lighting",
    "framing": "headshot",
}

WORDLESS = {"outfit": None, "backdrop": None, "lighting": None, "framing": None}
TEMPLATE = "{framing} of a {subject}, wearing a {outfit}, {backdrop} background, {lighting}"


def write_style(folder: Path, name: str = "plain", **changes: str | None) -> Path:
    fields = {**GOOD, **changes}
    path = folder / f"{name}.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in fields.items() if value is not None))
    return path


@pytest.mark.parametrize("style", StyleLibrary.load(SHIPPED), ids=lambda style: style.name)
def test_shipped_styles_use_words_that_the_bundled_foundation_knows(style: Style) -> None:
    assert style.outfit in portraits.OUTFITS
    assert style.backdrop in portraits.BACKDROPS
    assert style.lighting in portraits.LIGHTS
    assert style.framing in ("headshot", "portrait", "studio portrait", "professional headshot")


def test_shipped_styles_differ() -> None:
    library = StyleLibrary.load(SHIPPED)
    assert len(library) >= 8
    assert len({(style.outfit, style.backdrop, style.lighting) for style in library}) == len(library)
    assert [style.name for style in library] == sorted(style.name for style in library)


def test_shipped_styles_wear_and_show_all_that_the_bundled_foundation_knows() -> None:
    library = StyleLibrary.load(SHIPPED)
    assert {style.outfit for style in library} == set(portraits.OUTFITS)
    assert {style.backdrop for style in library} == set(portraits.BACKDROPS)
    assert {style.lighting for style in library} == set(portraits.LIGHTS)


@pytest.mark.parametrize("style", StyleLibrary.load(SHIPPED), ids=lambda style: style.name)
def test_the_gateway_takes_no_word_of_a_shipped_style_for_unknown(style: Style) -> None:
    bundled = Foundation.read(ROOT / "models" / "tiny-portrait")
    prompt = compose_prompt(bundled.prompt_template, style, trigger=bundled.trigger, class_noun="person")
    assert set(re.findall(r"[^\W\d_]+", prompt.lower())) <= set(bundled.vocabulary)


@pytest.mark.parametrize("style", StyleLibrary.load(SHIPPED), ids=lambda style: style.name)
def test_a_shipped_style_means_the_same_on_photographic_foundations_within_the_window(style: Style) -> None:
    prompt = compose_prompt(PHOTO_TEMPLATE, style, trigger="ohwx", class_noun="person")
    assert prompt.startswith("portrait photo of ohwx person, wearing a")
    for words in (style.outfit, style.backdrop, style.lighting, style.framing):
        assert words in prompt
    assert max(len(PIECE.findall(text)) for text in (prompt, PHOTO_NEGATIVE)) <= 60


PACKS = ("academic", "casual", "corporate", "creative", "medical", "outdoor")


@pytest.mark.parametrize("style", StyleLibrary.load(PHOTOGRAPHIC), ids=lambda style: style.name)
def test_photographic_styles_tell_lens_light_and_backdrop_within_the_window(style: Style) -> None:
    prompt = compose_prompt("{subject}", style, trigger="sks", class_noun="person")
    assert "photo of sks person, wearing " in prompt
    assert re.search(r"\b\d{2,3}mm lens at f/\d", prompt)
    assert re.search(r"light|flash|softbox|sun\b", prompt)
    assert re.search(r"backdrop|behind", prompt)
    assert len(style.negative_prompt.split(", ")) >= 8
    assert max(len(PIECE.findall(text)) for text in (prompt, style.negative_prompt)) <= 60


def test_photographic_styles_come_in_six_packs() -> None:
    library = StyleLibrary.load(PHOTOGRAPHIC)
    assert len(library) >= 40
    packs = Counter(style.name.split("-")[0] for style in library)
    assert sorted(packs) == list(PACKS)
    assert min(packs.values()) >= 6
    listed = {pack.name: dict(pack.styles) for pack in PackLibrary.load(PHOTOGRAPHIC, library)}
    assert {name: len(styles) for name, styles in listed.items()} == packs, "every style is in its pack"
    assert all(style.startswith(f"{name}-") for name, styles in listed.items() for style in styles)
    assert len({style.prompt for style in library}) == len({style.display_name for style in library}) == len(library)
    assert not {style.name for style in library} & {style.name for style in StyleLibrary.load(SHIPPED)}


def test_a_style_is_found_by_name(tmp_path: Path) -> None:
    write_style(tmp_path)
    library = StyleLibrary.load(tmp_path)
    assert library.get("plain").outfit == "white shirt"
    assert "plain" in library
    with pytest.raises(NotFoundError, match=r"'fancy'.*there are plain") as caught:
        library.get("fancy")
    assert caught.value.reason == "STYLE_NOT_FOUND"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "other"}, "name must be the file's"),
        ({"version": "0"}, "version must be a whole number"),
        ({"version": "yes"}, "version must be a whole number"),
        ({"outfit": None}, "lacks outfit"),
        ({"outfit": "''"}, "outfit must be"),
        ({"outfit": "[a, b]"}, "outfit must be"),
        ({"description": "x" * 300}, "description must be"),
        ({"shoes": "brown"}, "unknown fields shoes"),
        ({"outfit": "{unclosed"}, "is not YAML"),
        ({"prompt": "'photo of {subject}'"}, "outfit must be empty beside a whole prompt"),
        ({"prompt": "'photo of {subject.name}'", **WORDLESS}, "prompt must have {subject} once"),
        ({"prompt": "'{subject} and {subject}'", **WORDLESS}, "prompt must have {subject} once"),
        ({"prompt": "'photo of somebody'", **WORDLESS}, "prompt must have {subject} once"),
        ({"negative_prompt": "x" * 1001}, "negative_prompt must be at most 1000"),
        ({"steps": "151"}, "steps must be 0 to 150"),
        ({"steps": "2.5"}, "steps must be a whole number"),
        ({"guidance_scale": "31"}, "guidance_scale must be 0 to 30"),
        ({"guidance_scale": "true"}, "guidance_scale must be a number"),
        ({"guidance_interval": "0.5"}, "guidance_interval must be a list of two numbers"),
        ({"guidance_interval": "[0.5]"}, "guidance_interval must be two numbers from 0 to 1"),
        ({"guidance_interval": "[false, true]"}, "guidance_interval must be two numbers from 0 to 1"),
        ({"guidance_interval": "[0.8, 0.2]"}, "the lower first"),
        ({"guidance_interval": "[0.2, 1.2]"}, "guidance_interval must be two numbers from 0 to 1"),
        ({"width_px": "100"}, "width_px must be a multiple of 8"),
        ({"height_px": "8192"}, "height_px must be a multiple of 8 up to 4096"),
    ],
)
def test_bad_styles_are_refused_with_file_and_field(
    tmp_path: Path, changes: dict[str, str | None], complaint: str
) -> None:
    path = write_style(tmp_path, **changes)
    with pytest.raises(InvalidArgumentError, match=complaint) as caught:
        StyleLibrary.load(tmp_path)
    assert caught.value.reason == "STYLE_INVALID"
    assert str(path) in caught.value.message


def test_a_list_is_no_style(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text("- a\n")
    with pytest.raises(InvalidArgumentError, match="must be a mapping"):
        StyleLibrary.load(tmp_path)


def test_an_empty_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="holds no style") as caught:
        StyleLibrary.load(tmp_path)
    assert caught.value.reason == "STYLES_MISSING"


def test_prompts_follow_the_foundation() -> None:
    style = StyleLibrary.load(SHIPPED).get("studio-navy-suit")
    prompt = compose_prompt(TEMPLATE, style, trigger="ohwx", class_noun="man")
    assert prompt == ("headshot of a ohwx man, wearing a navy suit, plain grey studio background, soft studio lighting")
    assert compose_prompt("{subject}", style, trigger="", class_noun="man") == "man"


def styled(**fields: Any) -> Style:
    return dataclasses.replace(StyleLibrary.load(SHIPPED).get("studio-navy-suit"), **fields)


@pytest.mark.parametrize(
    ("outfit", "worn"),
    [
        ("orange hoodie", "an orange hoodie"),
        ("Aran sweater", "an Aran sweater"),
        ("uniform", "a uniform"),
        ("unironed shirt", "an unironed shirt"),
        ("European scarf", "a European scarf"),
        ("one-piece swimsuit", "a one-piece swimsuit"),
        ("umbrella hat", "an umbrella hat"),
        ("hourglass dress", "an hourglass dress"),
        ("hat", "a hat"),
        ("an orange hoodie", "an orange hoodie"),
        ("the same suit", "the same suit"),
    ],
)
def test_the_article_fits_the_word(outfit: str, worn: str) -> None:
    prompt = compose_prompt(TEMPLATE, styled(outfit=outfit), trigger="ohwx", class_noun="man")
    assert prompt.startswith(f"headshot of a ohwx man, wearing {worn}, plain"), "the trigger's article was learned"


@pytest.mark.parametrize(
    ("template", "plain", "laughing"),
    [
        ("{subject}, {outfit}", "man, navy suit", "man, navy suit, big laugh"),
        ("{subject}, {expression}, {outfit}", "man, navy suit", "man, big laugh, navy suit"),
    ],
)
def test_an_expression_has_its_place_or_comes_last(template: str, plain: str, laughing: str) -> None:
    for expression, prompt in (("", plain), ("big laugh", laughing)):
        style = styled(expression=expression)
        assert compose_prompt(template, style, trigger="", class_noun="man") == prompt


def test_a_whole_prompt_replaces_the_template(tmp_path: Path) -> None:
    fields = {"guidance_scale": "0", "guidance_interval": "[0, 0.8]", **WORDLESS}
    write_style(tmp_path, prompt="'a film still of {subject}, 85mm'", **fields)
    style = StyleLibrary.load(tmp_path).get("plain")
    assert compose_prompt(TEMPLATE, style, trigger="ohwx", class_noun="man") == "a film still of ohwx man, 85mm"
    assert Style(**json.loads(json.dumps(style.to_json()))) == style
    assert style.guidance_interval == (0, 0.8)
    assert style.guidance_scale == 0


def test_what_a_style_does_not_say_is_not_kept() -> None:
    assert set(styled().to_json()) == set(GOOD)


@pytest.mark.parametrize(
    "template", ["", "a {outfit}", "{subject} {shoes}", "{subject", "{subject} {}", "{0}", "{subject:d}", "{subject!r}"]
)
def test_bad_templates_are_refused(template: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check_template(template)
    assert caught.value.reason == "PROMPT_TEMPLATE_INVALID"


def write_pack(folder: Path, text: str) -> None:
    (folder / "packs").mkdir()
    (folder / "packs" / "all.yaml").write_text(text)


PACK = "display_name: All\ndescription: Everything.\nstyles: "


def test_a_folder_may_have_no_packs(tmp_path: Path) -> None:
    write_style(tmp_path)
    assert list(PackLibrary.load(tmp_path, StyleLibrary.load(tmp_path))) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (PACK + "{fancy: 4}", "names 'fancy', which there is not"),
        (PACK + "{plain: 0}", "styles.plain must be 1 to 64 shots"),
        (PACK + "{plain: 65}", "styles.plain must be 1 to 64 shots"),
        (PACK + "{plain: true}", "styles.plain must be 1 to 64 shots"),
        (PACK + "{}", "styles must map names"),
        (PACK + "[plain]", "styles must map names"),
        (PACK.replace("Everything.", "''") + "{plain: 1}", "description must be text"),
        ("styles: {plain: 1}", "must have exactly"),
        (PACK + "{plain: ", "is not YAML"),
    ],
)
def test_bad_packs_are_refused_with_file_and_field(tmp_path: Path, text: str, complaint: str) -> None:
    write_style(tmp_path)
    write_pack(tmp_path, text)
    with pytest.raises(InvalidArgumentError, match=complaint) as caught:
        PackLibrary.load(tmp_path, StyleLibrary.load(tmp_path))
    assert caught.value.reason == "PACK_INVALID"
    assert "all.yaml" in caught.value.message


def test_a_pack_has_at_most_160_shots(tmp_path: Path) -> None:
    library = StyleLibrary(styled(name=name) for name in "abc")
    write_pack(tmp_path, PACK + "{a: 64, b: 64, c: 32}")
    (pack,) = PackLibrary.load(tmp_path, library)
    assert pack.total_shots == 160
    (tmp_path / "packs" / "all.yaml").write_text(PACK + "{a: 64, b: 64, c: 33}")
    with pytest.raises(InvalidArgumentError, match="at most 160 shots in all; found 161"):
        PackLibrary.load(tmp_path, library)
