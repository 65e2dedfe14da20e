"""Changes one thing of the best portrait: what is behind it or, where nobody can tell that, its light."""

from __future__ import annotations

from collections.abc import Sequence

from headshots.client import Acceptance, AsyncHeadshots, Gallery, RemixChange
from headshots.demo.display import Display
from headshots.demo.results.album import Portrait, Remixed
from headshots.errors import FailedPreconditionError

# Words that the bundled foundation was taught, and that others know.
BACKDROP = "city at night"
LIGHT = "warm sunset lighting"
UNKNOWN_PARTS = "REMIX_PARTS_UNKNOWN"


async def order_remix(client: AsyncHeadshots, portraits: Sequence[Portrait], display: Display) -> Remixed:
    """Order it, wait for it, and fetch it; shown as a stage.

    Args:
        client: of the demo's gateway.
        portraits: of the shoot, best first.
        display: gets the stage.

    Raises:
        FailedPreconditionError: PORTRAITS_REFUSED: there is none to change.
        HeadshotsError: what the gateway refused, or why the painting failed.
    """
    before = choose(portraits)
    with display.stage("remix", "Remixing the best") as shown:
        change, words, note = RemixChange.BACKDROP, BACKDROP, ""
        try:
            ordered = await client.remix_image(before.painted.image, change, words)
        except FailedPreconditionError as refusal:
            if refusal.reason != UNKNOWN_PARTS:
                raise
            change, words, note = RemixChange.LIGHT, LIGHT, f"The backdrop was refused: {refusal.message}."
            ordered = await client.remix_image(before.painted.image, change, words)
        async for event in client.watch_gallery(ordered):
            if isinstance(event, Gallery):
                event.raise_for_state()
                shown.update(event.completed_shots, event.total_shots, detail=event.status_message)
        [image] = (await client.get_gallery(ordered)).images
        return Remixed(before, await client.get_image(image), change, words, note)


def choose(portraits: Sequence[Portrait]) -> Portrait:
    """The best portrait that is not refused, rather one before another backdrop than the new one.

    Raises:
        FailedPreconditionError: PORTRAITS_REFUSED.
    """
    usable = [each for each in portraits if not _is_refused(each)]
    if not usable:
        message = "every portrait was refused, and a change of one thing would keep what is wrong with it"
        raise FailedPreconditionError("PORTRAITS_REFUSED", message)
    return next((each for each in usable if each.style.recipe.backdrop != BACKDROP), usable[0])


def _is_refused(portrait: Portrait) -> bool:
    verdict = portrait.painted.image.verdict
    return verdict is not None and verdict.acceptance is Acceptance.REFUSED
