"""Checks orders of shoots, and makes a shoot with its training or its gallery in one transaction. Blocking SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, read, write
from headshots.errors import UnavailableError
from headshots.schema import PENDING, shoots
from headshots.styles.library import StyleLibrary
from headshots.styles.packs import PackLibrary
from services.gateway.api.labels import Labelling
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.consents.checks import check_consent
from services.gateway.consents.models import Purpose
from services.gateway.galleries.creating import create_gallery_in
from services.gateway.galleries.models import GalleryOrder
from services.gateway.galleries.orders.lookup import untrained
from services.gateway.peers.models import Adapter, TrainingOptions
from services.gateway.peers.pools.models import TrainingPlace
from services.gateway.photos.removing import check_not_expired
from services.gateway.shoots.counts import named_profile, named_styles
from services.gateway.shoots.events import insert, to_shoot
from services.gateway.shoots.models import Plan, Shoot, ShootOrder, new_plan
from services.gateway.shoots.quote import Quote
from services.gateway.shoots.rates import check_deadline_ahead, quote_order
from services.gateway.tenants.ownership import find_subject, new_id
from services.gateway.tenants.priority import check_places, check_priority
from services.gateway.trainings.creating import check_none_active, create_training_in
from services.gateway.trainings.models import finished_adapter
from services.gateway.trainings.rows import newest_adapter, newest_of_foundation


@dataclass(frozen=True)
class Wanted:
    """What an order names, as it was found."""

    plan: Plan
    class_noun: str
    training_id: str | None
    """An earlier training, whose adapter is taken; None: a new one is needed."""
    adapter: Adapter | None
    place: TrainingPlace
    """Where it is trained, if that is needed."""
    photos: tuple[str, ...] = ()
    """Names of those to learn from, where a training is needed."""

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """What the person must have agreed to."""
        return (Purpose.TRAINING, Purpose.PAINTING) if self.trains else (Purpose.PAINTING,)

    @property
    def trains(self) -> bool:
        """Whether a training comes first."""
        return self.training_id is None

    @property
    def foundation_digest(self) -> str | None:
        """Of the adapter's foundation, or of that which is trained on; None where that is not known yet."""
        if self.adapter is not None:
            return self.adapter.foundation_digest
        return self.place.foundation_digest or None


def look_up(
    engine: Engine,
    library: StyleLibrary,
    packs: PackLibrary,
    tenant_id: str,
    subject_id: str,
    order: ShootOrder,
    key: IdempotencyKey,
    place: TrainingPlace,
    served: Sequence[str],
) -> Shoot | Wanted:
    """What the order names, or the shoot that an earlier call with this `key` made. `place` is where it is trained,
    `served` the digests of the foundations whose adapters are of use, the first rather.

    Raises:
        NotFoundError: SUBJECT_NOT_FOUND, PACK_NOT_FOUND.
        AlreadyExistsError: REQUEST_ID_REUSED.
        InvalidArgumentError: PACK_OR_STYLES, STYLE_UNKNOWN, PROFILE_UNKNOWN, DEADLINE_PASSED.
        PermissionDeniedError: PRIORITY_NOT_GRANTED.
        FailedPreconditionError: CONSENT_MISSING, CONSENT_EXPIRED, PACK_ARCHIVED, STYLE_ARCHIVED, TRAINING_ACTIVE,
            PHOTOS_MISSING, DEADLINE_TOO_EARLY, SUBJECT_UNTRAINED.
        UnavailableError: GENERATOR_UNREACHABLE.
    """
    with read(engine) as connection:
        subject = find_subject(connection, tenant_id, subject_id)
        if (made := find_made(connection, shoots, shoots.c.subject_id == subject_id, key)) is not None:
            return to_shoot(made)
        check_priority(connection, tenant_id, order.priority)
        check_deadline_ahead(connection, order)
        pack, recipes, counts = named_styles(connection, library, packs, tenant_id, order)
        plan = new_plan(order, recipes, counts, named_profile(connection, tenant_id, order), pack)
        wanted = Wanted(plan, subject.class_noun, *_earlier(connection, subject_id, order, place, served), place)
        if wanted.trains:
            _check_may_train(connection, subject_id, order)
        check_consent(connection, tenant_id, subject_id, *wanted.purposes)
        if wanted.trains or not order.allow_unjudged:
            check_not_expired(connection, subject_id)
        if order.deadline is not None:
            _quote(connection, subject_id, order, wanted)
        return wanted


def _check_may_train(connection: Connection, subject_id: str, order: ShootOrder) -> None:
    if not order.may_train:
        raise untrained(subject_id)
    check_none_active(connection, subject_id)


def _quote(connection: Connection, subject_id: str, order: ShootOrder, wanted: Wanted) -> Quote:
    digest, pool = wanted.foundation_digest, wanted.place.pool
    return quote_order(connection, subject_id, order, trains=wanted.trains, foundation=digest, pool=pool)


def create_shoot(
    engine: Engine,
    tenant_id: str,
    subject_id: str,
    order: ShootOrder,
    wanted: Wanted,
    *,
    key: IdempotencyKey,
    validate_only: bool,
) -> Shoot:
    """Makes a shoot, and with it its training, or its gallery where an adapter is there.

    A repeated `key` returns the shoot that it created before; `validate_only` inserts nothing.
    Raises as `look_up`, `create_training_in` and `create_gallery_in`; takes places for high priority for all of it.
    """
    with write(engine) as connection:
        find_subject(connection, tenant_id, subject_id, lock=True)
        if (made := find_made(connection, shoots, shoots.c.subject_id == subject_id, key)) is not None:
            return to_shoot(made)
        check_places(connection, tenant_id, wanted.plan.priority, wanted.plan.asked + wanted.trains)
        estimate = _quote(connection, subject_id, order, wanted)
        first = _make_first(connection, tenant_id, subject_id, order, wanted, validate_only=validate_only)
        shoot = Shoot(
            id=new_id(),
            subject_id=subject_id,
            tenant_id=tenant_id,
            state=PENDING,
            plan=wanted.plan,
            training_id=first[0],
            trains=wanted.trains,
            quote=estimate,
            created_at=database_now(connection),
            gallery_id=first[1],
            deadline=order.deadline,
            labelling=order.labelling,
        )
        if not validate_only:
            insert(connection, shoot, key)
        return shoot


def _make_first(
    connection: Connection, tenant_id: str, subject_id: str, order: ShootOrder, wanted: Wanted, *, validate_only: bool
) -> tuple[str, str | None]:
    """Queues what a shoot begins with; ids of its training and its gallery, None where that comes later."""
    # For all of the shoot: what is queued below asks for its own purpose alone.
    check_consent(connection, tenant_id, subject_id, *wanted.purposes)
    if wanted.training_id is not None:
        made_with = connection, tenant_id, subject_id, wanted.training_id, wanted.plan
        return wanted.training_id, create_gallery(
            *made_with,
            labelling=order.labelling.of_parts,
            allow_unjudged=order.allow_unjudged,
            validate_only=validate_only,
        )
    training = create_training_in(
        connection,
        tenant_id,
        subject_id,
        options=TrainingOptions(),
        priority=wanted.plan.priority,
        key=IdempotencyKey(),
        validate_only=validate_only,
        photos=wanted.photos,
        place=wanted.place,
        labelling=order.labelling.of_parts,
        has_places=True,
    )
    return training.id, None


def create_gallery(
    connection: Connection,
    tenant_id: str,
    subject_id: str,
    training_id: str,
    plan: Plan,
    *,
    labelling: Labelling,
    allow_unjudged: bool,
    validate_only: bool = False,
) -> str:
    """Queues the gallery of a shoot with the adapter of a training; its id. `labelling`: the gallery's.

    Raises as `create_gallery_in`.
    """
    order = GalleryOrder(
        styles=tuple(recipe.name for recipe in plan.recipes),
        style_shots=plan.style_shots,
        seed=plan.seed,
        style_seeds=plan.style_seeds,
        image_format=plan.image_format,
        quality=plan.quality,
        priority=plan.priority,
        training=(subject_id, training_id),
        profile=plan.profile.name,
        max_tries=plan.max_tries,
        allow_unjudged=allow_unjudged,
        frame=plan.frame,
        labelling=labelling,
    )
    return create_gallery_in(
        *(connection, tenant_id, subject_id, order, plan.recipes, plan.profile),
        key=IdempotencyKey(),
        validate_only=validate_only,
        has_places=True,
    ).id


def _earlier(
    connection: Connection, subject_id: str, order: ShootOrder, place: TrainingPlace, served: Sequence[str]
) -> tuple[str | None, Adapter | None]:
    """The training that the order may take the adapter of, and that: the subject's newest of the foundation that is
    named, else of the default one, else of another that is served."""
    if order.retrain or order.photos or newest_adapter(connection, subject_id) is None:
        return None, None
    for digest in [place.foundation_digest] if order.foundation else served:
        if (training := newest_of_foundation(connection, subject_id, digest)) is not None:
            return training.id, finished_adapter(training)
    if place.described is None:
        raise UnavailableError(
            "GENERATOR_UNREACHABLE",
            "no generator tells which foundation it runs, so it is not known whether the subject's adapter fits; try "
            "again, or order with retrain",
        )
    return None, None
