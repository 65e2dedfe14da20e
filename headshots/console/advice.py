"""Names the command that helps after an error, in the words of this command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headshots.errors import HeadshotsError

# {subject} is the subject that the error names, {style} the style, {name} the resource, {jobs} the command for it.
_ADVICE = {
    "SERVER_UNREACHABLE": "`headshots serve all` starts a gateway on this machine; --address names another",
    "SUBJECT_NOT_FOUND": "`headshots subjects list` shows those there are",
    "CONSENT_MISSING": "`headshots subjects consent {subject} --consent 'TEXT'` records what the person agreed to",
    "CONSENT_EXPIRED": "`headshots subjects consent {subject} --consent 'TEXT'` records what the person agrees to now",
    "SUBJECT_EXPIRED": "`headshots subjects create` makes a new one, `subjects extend` keeps one longer in time",
    "ERASURE_NOT_FOUND": "`headshots erasure list` shows those there are",
    "SUBJECT_HELD": "`headshots subjects release {subject}` ends the hold",
    "TRAINING_NOT_FOUND": "`headshots trainings list {subject}` shows those there are",
    "GALLERY_NOT_FOUND": "`headshots galleries list {subject}` shows those there are",
    "IMAGE_NOT_FOUND": "`headshots galleries list {subject}` shows what has been painted",
    "PHOTO_NOT_FOUND": "`headshots photos list {subject}` shows those there are",
    "PHOTO_IN_USE": "`headshots {jobs} cancel {name}` ends it",
    "GALLERY_ACTIVE": "`headshots galleries cancel {name}` ends it",
    "GALLERY_IN_USE": "`headshots {jobs} cancel {name}` ends it",
    "IMAGE_IN_USE": "`headshots {jobs} cancel {name}` ends it",
    "SUBJECT_BUSY": "`headshots {jobs} cancel {name}` ends it",
    "REMIX_OF_REFUSED_IMAGE": "`headshots images list GALLERY --only accepted` shows others",
    "REMIX_PARTS_UNKNOWN": "`headshots generate SUBJECT --style STYLE --remix IMAGE` paints over all of it",
    "LINKS_NOT_SET_UP": "`headshots galleries fetch {name}` brings the files",
    "SHOOT_NOT_FOUND": "`headshots shoots list {subject}` shows those there are",
    "PACK_NOT_FOUND": "`headshots packs list` shows those there are",
    "PACK_VERSION_NOT_FOUND": "`headshots packs show {name}` tells its newest",
    "PACK_BUILT_IN": "`headshots packs create` makes one of your own, `packs show {name}` tells its styles",
    "PACK_EXISTS": "`headshots packs show {name}` tells of it",
    "PACK_ARCHIVED": "`headshots packs list` shows others",
    "LOOK_NOT_FOUND": "`headshots looks list` shows those there are",
    "LOOK_VERSION_NOT_FOUND": "`headshots looks show {name}` tells its newest",
    "LOOK_EXISTS": "`headshots looks show {name}` tells of it, `looks update` makes a new version",
    "LOOK_ARCHIVED": "`headshots looks list` shows others",
    "TEAM_NOT_FOUND": "`headshots teams list` shows those there are",
    "TEAM_CANCELLED": "`headshots teams shoot` orders another",
    "MEMBER_EXISTS": "`headshots teams show {name}` tells who is in it",
    "FRAME_BEYOND_PORTRAITS": "`headshots looks update LOOK --size WxH` fits a look that exists to what is painted now",
    "FRAME_NEEDS_ANALYZER": "`headshots doctor` tells what a generator lacks",
    "PROFILE_NOT_FOUND": "`headshots profiles list` shows those there are",
    "PROFILE_UNKNOWN": "`headshots profiles list` shows those there are",
    "PROFILE_BUILT_IN": "`headshots profiles create` makes one of your own",
    "PROFILE_EXISTS": "`headshots profiles update` makes a new version of it",
    "DEADLINE_TOO_EARLY": "--quote tells when it would be finished, without --deadline",
    "FOUNDATION_NOT_FOUND": "`headshots foundations list` shows those there are",
    "FOUNDATION_NOT_SERVED": "`headshots train SUBJECT` trains anew, `headshots foundations list` shows on what",
    "STYLE_NOT_FOUND": "`headshots styles list` shows those there are",
    "CLASS_NOUN_UNKNOWN": "`headshots subjects create --class-noun person` makes one that the foundation knows",
    "STYLE_WORDS_UNKNOWN": "`headshots foundations show FOUNDATION` tells all words, `styles list` shows other styles",
    "STYLE_VERSION_NOT_FOUND": "`headshots styles show {style}` tells its newest",
    "STYLE_BUILT_IN": "`headshots styles create` makes one of your own, `styles show {style}` tells its recipe",
    "STYLE_EXISTS": "`headshots styles show {style}` tells of it",
    "STYLE_ARCHIVED": "`headshots styles list` shows others",
    "STYLE_UNKNOWN": "`headshots styles list` tells more of each",
    "TRAINING_UNFINISHED": "`headshots trainings watch {name}` follows it",
    "TRAINING_EXPIRED": "`headshots train SUBJECT --photos FOLDER` trains anew",
    "TRAINING_ACTIVE": "`headshots {jobs} watch {name}` follows it, `headshots {jobs} cancel {name}` ends it",
    "SUBJECT_UNTRAINED": "`headshots train SUBJECT --photos FOLDER` trains it",
    "TOO_FEW_PHOTOS": "`headshots photos upload SUBJECT FOLDER` adds some",
    "PHOTOS_MISSING": "`headshots photos upload {subject} FOLDER` adds some; --allow-unjudged paints without",
    "PHOTOS_NOT_READY": "`headshots photos inspect FOLDER` tells of each photo",
}
_PHOTO_ADVICE = (
    "nothing was uploaded; `headshots photos inspect FOLDER` tells of each photo, and --only-usable leaves out those "
    "that cannot be used"
)
_LISTS = {
    "subject": "headshots subjects list",
    "photo": "headshots photos list SUBJECT --json",
    "training": "headshots trainings list SUBJECT",
    "gallery": "headshots galleries list SUBJECT",
    "image": "headshots images list GALLERY",
    "style": "headshots styles list",
    "shoot": "headshots shoots list SUBJECT",
    "pack": "headshots packs list",
    "profile": "headshots profiles list",
    "erasure": "headshots erasure list",
    "look": "headshots looks list",
    "team": "headshots teams list",
}


def advice_for(error: HeadshotsError) -> str:
    """What to type next; empty where the message says enough."""
    name = error.metadata.get("name", "")
    if error.reason == "NAME_INVALID" and (listing := _LISTS.get(error.metadata.get("kind", ""))):
        return f"`{listing}` shows those there are"
    if error.reason == "SUBJECT_UNTRAINED" and name:
        return f"`headshots trainings watch {name}` follows it"
    if error.reason == "SUBJECT_UNTRAINED" and any(each.field.startswith("members[") for each in error.violations):
        return "--train has those trained first who have photos"
    if error.reason.startswith("PHOTO_") and "photo" in error.metadata:
        return _PHOTO_ADVICE
    subject = "/".join(name.split("/")[:2]) or "SUBJECT"
    jobs = next((kind for kind in ("trainings", "shoots") if f"/{kind}/" in name), "galleries")
    advice = _ADVICE.get(error.reason, "")
    return advice.format(name=name, subject=subject, style=name.removeprefix("styles/"), jobs=jobs)
