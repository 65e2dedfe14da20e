"""Writes the gallery page: one HTML file with everything in it, which loads nothing from the network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from headshots.client import Guarantee
from headshots.console.output import counted
from headshots.console.shoots import turnaround_line
from headshots.demo.results.album import Album, Portrait, Stage, picture_uri, thumbnail_uri
from headshots.demo.results.curve import curve_svg
from headshots.demo.results.page_css import CSS

# Tells browsers to load nothing from anywhere, whatever ends up in the page.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def gallery_page(album: Album) -> str:
    """The page as HTML. Words that came from people are escaped."""
    person = escape(album.person)
    title = f"{person}: {album.image_count} headshots from {len(album.selfies)} selfies"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{title}</title>
<style>{CSS}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>One order: a personal LoRA learned from the selfies below, on the frozen foundation {escape(album.foundation)};
portraits in {escape(album.library)}, each judged{_judge(album)}, and painted again where it was refused.</p>
{_facts(album)}
</header>
<main>
{_portraits("Accepted, the best first", album.accepted, album.person)}
{_portraits("Not accepted", album.others, album.person)}
<section>
<h2>The selfies</h2>
<p>All that the training saw of {person}.{_left_out(album)}</p>
{_selfies(album)}
</section>
{_training(album)}
<section>
<h2>Where the time went</h2>
<p>{album.total_seconds:.0f} seconds in all. The shoot {turnaround_line(album.shoot)}.</p>
{_stages(album.stages)}
</section>
</main>
<footer>Made by headshots on {escape(album.made_on)}.</footer>
</body>
</html>
"""


def _facts(album: Album) -> str:
    shoot = album.shoot
    facts = {
        "Accepted": f"{shoot.delivered} of {shoot.asked}",
        "Guarantee": _in_words(shoot.guarantee),
        "Tries": f"{shoot.tries}",
        "Likeness": f"{album.likeness:.2f}" if album.likeness is not None else "",
        "Training": f"{album.train_seconds:.0f} s",
        "Seconds a portrait": f"{album.seconds_per_image:.2f}",
        "Start to end": f"{album.total_seconds:.0f} s",
        "Peak memory": f"{album.peak_rss_mb / 1024:.1f} GiB",
    }
    items = "".join(
        f"<div><dt>{name}</dt>" + (f"<dd>{value}</dd>" if value else '<dd class="none">not measured</dd>') + "</div>"
        for name, value in facts.items()
    )
    return f'<dl class="facts">{items}</dl>'


def _judge(album: Album) -> str:
    """Who says what a likeness is."""
    return f" by the analyzer of faces {escape(album.analyzer)}" if album.analyzer else ""


def _in_words(guarantee: Guarantee | None) -> str:
    """Empty where it was not measured, as other facts are."""
    return {Guarantee.MET: "met", Guarantee.NOT_MET: "not met"}.get(guarantee, "") if guarantee else ""


def _selfies(album: Album) -> str:
    items = "".join(
        f'<li><img src="{thumbnail_uri(content)}" alt="Selfie {number} of {escape(album.person)}"></li>'
        for number, content in enumerate(album.selfies, start=1)
    )
    return f'<ul class="selfies">{items}</ul>'


def _left_out(album: Album) -> str:
    if not album.left_out:
        return ""
    names = ", ".join(f"{escape(each.filename)} ({escape(each.reason)})" for each in album.left_out)
    return f" Left out before: {names}."


def _portraits(title: str, portraits: Sequence[Portrait], person: str) -> str:
    if not portraits:
        return ""
    shots = "".join(_shot(each, person) for each in portraits)
    return f"""<section>
<h2>{title}</h2>
<div class="shots">{shots}</div>
</section>
"""


def _shot(portrait: Portrait, person: str) -> str:
    image, name = portrait.painted.image, escape(portrait.label)
    rank = f'<b class="rank">{image.rank}</b>' if image.rank else ""
    likeness = "" if image.likeness is None else f"<span>likeness {image.likeness:.2f}</span>"
    tries = f"<span>{counted(image.tries, 'try', 'tries')}</span>"
    kind = "accepted" if image.rank else "refused"
    return (
        f'<figure title="{escape(image.prompt)}">{rank}<img src="{picture_uri(portrait.painted)}" '
        f'width="{image.width_px}" height="{image.height_px}" '
        f'alt="Portrait of {escape(person)}, {name}, seed {image.seed}"><figcaption><strong>{name}</strong>'
        f'<span class="{kind}">{escape(portrait.outcome)}</span>{likeness}{tries}</figcaption></figure>'
    )


def _training(album: Album) -> str:
    training = album.training
    rank = f" of rank {training.adapter.rank}" if training.adapter is not None else ""
    chart = curve_svg([(point.step, point.loss) for point in training.curve]) if training.curve else ""
    return f"""<section>
<h2>The training</h2>
<p>{training.total_steps} steps on {training.photo_count} photos made a LoRA{rank}.
The denoising loss is noisy by nature; the strong line is its moving average.</p>
{chart}
</section>
"""


def _stages(stages: Sequence[Stage]) -> str:
    longest = max(stage.seconds for stage in stages) or 1.0
    rows = "".join(
        f'<tr><th scope="row">{escape(stage.name)}</th>'
        f'<td><span class="bar" style="width:{100 * stage.seconds / longest:.1f}%"></span></td>'
        f'<td class="seconds">{stage.seconds:.1f} s</td></tr>'
        for stage in stages
    )
    return f'<table class="stages">{rows}</table>'
