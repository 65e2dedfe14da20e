"""Every row of a run has the caption of its photo or class image, and its bare twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.importing.defaults import PHOTO_NEGATIVE, PHOTO_TEMPLATE
from headshots.settings import default_foundation
from services.trainer.captions.filling import NOTHING, Shown
from services.trainer.captions.run import caption_run
from services.trainer.captions.scenes import class_prompts, run_captions
from services.trainer.lora.batches import BARE, CAPTION, CLASS, EMPTY, FIRST_SCENE
from services.trainer.lora.recipe import Recipe
from tests.support.trainer.foundation import described_foundation

RECIPE = Recipe(
    caption="portrait photo of {trigger} {class_noun}, {shown}",
    prior_caption="portrait photo of a {class_noun}",
    prior_rows=1,
    prior_scenes=4,
    prior_images=9,
)


def photographic(path: Path) -> Foundation:
    """As an import describes a foundation."""
    return replace(
        described_foundation(path), trigger="ohwx", prompt_template=PHOTO_TEMPLATE, negative_prompt=PHOTO_NEGATIVE
    )


def test_each_photo_has_what_it_shows_and_its_twin_lacks_the_trigger_alone(tmp_path: Path) -> None:
    shown = [Shown("headshot"), NOTHING, Shown("close-up, looking to the side"), Shown("headshot")]
    run = caption_run(photographic(tmp_path), RECIPE, "man", 2, ["judged"], shown)
    captions = [run.texts[number] for number in run.photos]
    assert captions == [
        "portrait photo of ohwx man, headshot",
        "portrait photo of ohwx man",
        "portrait photo of ohwx man, close-up, looking to the side",
        "portrait photo of ohwx man, headshot",
    ]
    assert run.photos[0] == run.photos[3], "equal captions are encoded once"
    assert [run.texts[run.bare[number]] for number in run.photos] == [text.replace("ohwx ", "") for text in captions]
    for scene in range(FIRST_SCENE, FIRST_SCENE + 2):
        assert run.texts[run.bare[scene]] == run.texts[scene].replace("ohwx ", "")
    assert run.texts[run.first_portrait] == "judged"
    assert run.texts[run.negative] == PHOTO_NEGATIVE
    assert len(run.bare) == len(run.texts)


def test_class_images_show_scenes_of_the_galleries_template_without_the_trigger(tmp_path: Path) -> None:
    foundation = photographic(tmp_path)
    prompts = class_prompts(foundation, RECIPE, "man")
    assert len(prompts) == 4
    for prompt in prompts:
        assert prompt.startswith("portrait photo of a man, wearing a ")
        assert "ohwx" not in prompt
        assert "85mm lens" in prompt
    assert class_prompts(foundation, replace(RECIPE, seed=9), "man") == prompts, "trainings share class images"
    run = caption_run(foundation, RECIPE, "man", 0, [], [NOTHING])
    assert [run.texts[run.of_class(image)] for image in range(9)] == [prompts[image % 4] for image in range(9)]
    plain = replace(RECIPE, prior_scenes=0)
    assert class_prompts(foundation, plain, "man") == ("portrait photo of a man",)
    assert caption_run(foundation, plain, "man", 0, [], [NOTHING]).of_class(5) == CLASS


def test_the_bundled_foundation_is_captioned_as_ever() -> None:
    foundation = Foundation.read(default_foundation())
    recipe = Recipe.resolve(foundation)
    captions = run_captions(foundation, recipe, "man", 3)
    run = caption_run(foundation, recipe, "man", 3, ["one", "two"], [Shown("close-up"), NOTHING])
    assert run.texts == [*captions, "one", "two"]
    assert (run.photos, run.negative) == ([CAPTION, CAPTION], EMPTY)
    assert run.texts[CAPTION] == "headshot of a ohwx man"
    assert run.bare == [BARE, 1, 2, 3, 7, 8, 9, 7, 8, 9, 10, 11]
