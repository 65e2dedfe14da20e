"""Finds the person that a command is about: a subject by its name, or a new one from a folder of selfies."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headshots.console.output import counted, note
from headshots.console.photo_files import find_photos, report_inspection, upload_new

if TYPE_CHECKING:
    from headshots.client import Consent, Headshots, Pack, Style, Subject

# What an order lacks before its photos are uploaded.
_CURED_BY_PHOTOS = frozenset({"TOO_FEW_PHOTOS", "PHOTOS_MISSING"})


def find_person(
    client: Headshots,
    given: str,
    *,
    name: str | None,
    class_noun: str,
    consent: Consent | None = None,
    check: Callable[[Subject], object],
) -> Subject:
    """The subject of that name; or where it is a folder, one made of its usable selfies. A consent is recorded for it.

    The same selfies are the same subject, so that a command may be repeated. What is refused leaves nothing, and
    without a consent no photo is sent. `check` asks the gateway whether it would take the order; it is called before
    the selfies of a folder are uploaded.

    Raises:
        FailedPreconditionError: CONSENT_MISSING: the tenant needs one, and there is none.
        InvalidPhotoError: PHOTOS_NOT_READY, PHOTO_MISSING: the folder holds too few usable selfies.
        NotFoundError: SUBJECT_NOT_FOUND: there is neither.
        HeadshotsError: as `check`.
    """
    folder = Path(given).expanduser()
    if not given.startswith("subjects/") and folder.is_dir():
        return _from_folder(client, folder, name, class_noun, consent, check)
    return _with_consent(client, _existing(client, given, folder), consent)


@contextlib.contextmanager
def before_photos() -> Iterator[None]:
    """Lets an order pass that lacks nothing but the photos that are uploaded next.

    Raises:
        HeadshotsError: whatever else it is refused for.
    """
    from headshots.errors import FailedPreconditionError

    try:
        yield
    except FailedPreconditionError as error:
        if error.reason not in _CURED_BY_PHOTOS:
            raise


def _with_consent(client: Headshots, subject: Subject, consent: Consent | None) -> Subject:
    """Records the consent, unless it stands there already: so a command that is repeated changes nothing.

    Raises:
        FailedPreconditionError: CONSENT_MISSING: the tenant needs one, and there is none.
    """
    from headshots.errors import FailedPreconditionError

    known = subject.consent
    if consent is None:
        if known is None and client.get_tenant().consent_required:
            told = f"{subject.name} has given no consent; say with --consent what the person agreed to, TEXT or @FILE"
            raise FailedPreconditionError("CONSENT_MISSING", told, metadata={"name": subject.name})
        return subject
    if known is None or known.text != consent.text or known.expire_time is not None:
        return client.give_consent(subject, consent)
    covered = set(consent.purposes) <= set(known.purposes)
    return subject if covered else client.give_consent(subject, consent)


def check_catalog(client: Headshots, *, pack: str, styles: Sequence[str], profile: str) -> None:
    """Look up what an order names, so that what cannot be ordered is told before a person is made and photos are sent.

    Raises:
        NotFoundError: PACK_NOT_FOUND, STYLE_NOT_FOUND, PROFILE_NOT_FOUND.
        FailedPreconditionError: PACK_ARCHIVED, STYLE_ARCHIVED, also of a style of the pack.
    """
    if pack:
        found = client.get_pack(pack)
        _refuse_archived("PACK_ARCHIVED", found)
        # Styles of built-in packs are built in, and never archived.
        named = () if found.built_in else found.styles
        for each in named:
            cure = f"`headshots packs update {pack}` gives the pack others"
            _refuse_archived("STYLE_ARCHIVED", client.get_style(each.style), cure)
    for style in styles:
        _refuse_archived("STYLE_ARCHIVED", client.get_style(style))
    if profile:
        client.get_profile(profile)


def _refuse_archived(reason: str, found: Pack | Style, cure: str = "take another") -> None:
    from headshots.errors import FailedPreconditionError

    if found.archived:
        message = f"{found.name} is archived and out of use; {cure}"
        raise FailedPreconditionError(reason, message, metadata={"name": found.name})


def _existing(client: Headshots, given: str, folder: Path) -> Subject:
    from headshots.errors import InvalidArgumentError, NotFoundError

    try:
        return client.get_subject(given)
    except (NotFoundError, InvalidArgumentError) as error:
        if given.startswith("subjects/"):
            raise
        what = "is a file, and no folder of selfies" if folder.is_file() else "is neither a folder nor a subject"
        raise NotFoundError("SUBJECT_NOT_FOUND", f"{given} {what}") from error


def _from_folder(
    client: Headshots,
    folder: Path,
    name: str | None,
    class_noun: str,
    consent: Consent | None,
    check: Callable[[Subject], object],
) -> Subject:
    from headshots.errors import InvalidPhotoError

    found = find_photos([folder])
    _check_consent_of_folder(client, folder, consent)
    inspection = client.inspect_photos(photos=found)
    report_inspection(inspection)
    if not inspection.ready_to_train:
        raise InvalidPhotoError("PHOTOS_NOT_READY", "; ".join(finding.message for finding in inspection.findings))
    usable = [path for path, photo in zip(found, inspection.photos, strict=True) if photo.usable]
    display_name = name or folder.resolve().name
    subject = client.create_subject(
        display_name, class_noun=class_noun, request_id=_digest(usable, display_name, class_noun)
    )
    with _leaving_nothing(client, subject):
        subject = _with_consent(client, subject, consent)
        with before_photos():
            check(subject)
    sent = upload_new(client, subject, usable)
    left_out = f", {counted(len(found) - len(usable), 'photo')} left out" if len(found) > len(usable) else ""
    note(f"{subject.name} is {display_name!r}: {sent}{left_out}")
    return client.get_subject(subject)


def _check_consent_of_folder(client: Headshots, folder: Path, consent: Consent | None) -> None:
    """Returns where a person may be made of a folder.

    Raises:
        FailedPreconditionError: CONSENT_MISSING.
    """
    from headshots.errors import FailedPreconditionError

    if consent is None and client.get_tenant().consent_required:
        told = (
            f"nothing tells what the person of {folder} agreed to; say it with --consent, TEXT or @FILE, or name their "
            "subject, where it has consented, in place of the folder"
        )
        raise FailedPreconditionError("CONSENT_MISSING", told)


@contextlib.contextmanager
def _leaving_nothing(client: Headshots, subject: Subject) -> Iterator[None]:
    """Deletes the subject where the gateway refuses what is done with it, unless it has, or ever had, anything.

    Raises:
        HeadshotsError: why it is refused.
    """
    from headshots.errors import HeadshotsError, UnavailableError

    try:
        yield
    except HeadshotsError as error:
        # A gateway that is away cannot be asked, and the command will be repeated.
        if not isinstance(error, UnavailableError) and _is_empty(client, subject):
            client.delete_subject(subject)
        raise


def _is_empty(client: Headshots, subject: Subject) -> bool:
    now = client.get_subject(subject)
    # All that a subject can have begins with a photo, which may have gone since, or a training.
    return now.photo_count == 0 and now.hold is None and not any(client.list_trainings(now))


def _digest(photos: Sequence[Path], *words: str) -> str:
    """The same for the same photos and words, in whatever order the photos come."""
    parts = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in photos)
    return hashlib.sha256("\0".join((*words, *parts)).encode()).hexdigest()
