"""Calls the gateway about shoots, and waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from headshots.client.calls.galleries import style_names
from headshots.client.connection import Connection, new_request_id
from headshots.client.convert import shoots as convert
from headshots.client.convert.labels import wire_labelling
from headshots.client.convert.values import TERMINAL_STATES
from headshots.client.models.labels import Labelling
from headshots.client.models.packs import Pack
from headshots.client.models.shoots import Quote, Shoot, ShootEvent, ShootOptions, ShootRef
from headshots.client.models.styles import Style
from headshots.client.models.subjects import SubjectRef
from headshots.client.names import Kind, resource_name
from headshots.v1 import shoots_pb2


class ShootCalls(Connection):
    """Orders: from selfies to accepted portraits."""

    async def create_shoot(
        self,
        subject: SubjectRef,
        *,
        pack: Pack | str = "",
        styles: Iterable[Style | str] = (),
        count: int,
        options: ShootOptions | None = None,
        labelling: Labelling | None = None,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> Shoot:
        """Queue a shoot: a training where one is needed, then a gallery whose refused shots are painted again.

        Args:
            subject: whose photos.
            pack: whose styles to paint, in its proportions; a bare id does. A pack or styles, not both.
            styles: up to 32 distinct styles, over which the portraits are spread evenly.
            count: portraits, 1 to 160.
            options: all that may be left to the server.
            labelling, request_id: as for `create_training`.
            validate_only: check everything and answer the shoot as it would be, with its quote, without making it.

        Raises:
            InvalidArgumentError: a style twice, a deadline in the past, or what the limits above exclude.
            NotFoundError: no such subject, pack, style, profile or photo.
            FailedPreconditionError: too few usable photos, a deadline that cannot be met, or another training runs.
            PermissionDeniedError: no right to high priority. AlreadyExistsError: REQUEST_ID_REUSED, for another order.
        """
        request = shoots_pb2.CreateShootRequest(
            parent=resource_name(subject, Kind.SUBJECT),
            pack=resource_name(pack, Kind.PACK) if pack else "",
            styles=style_names(styles),
            count=count,
            request_id=request_id or new_request_id(),
            validate_only=validate_only,
            **convert.wire_options(options or ShootOptions()),
            **wire_labelling(labelling),
        )
        return convert.shoot((await self._unary("CreateShoot", request)).shoot)

    async def quote(
        self,
        subject: SubjectRef,
        *,
        pack: Pack | str = "",
        styles: Iterable[Style | str] = (),
        count: int,
        options: ShootOptions | None = None,
    ) -> Quote:
        """What a shoot would take, and when it would be finished; raises what `create_shoot` raises, makes nothing."""
        would_be = await self.create_shoot(
            subject, pack=pack, styles=styles, count=count, options=options, validate_only=True
        )
        return would_be.quote

    async def get_shoot(self, shoot: ShootRef) -> Shoot:
        """One shoot as it stands.

        Raises:
            NotFoundError: no such shoot in this tenant.
        """
        request = shoots_pb2.GetShootRequest(name=resource_name(shoot, Kind.SHOOT))
        return convert.shoot((await self._unary("GetShoot", request)).shoot)

    async def list_shoots(
        self, subject: SubjectRef, *, labelling: Labelling | None = None, page_size: int = 0
    ) -> AsyncIterator[Shoot]:
        """All shoots of a subject, newest first.

        Raises:
            NotFoundError: no such subject in this tenant.
        """
        request = shoots_pb2.ListShootsRequest(
            parent=resource_name(subject, Kind.SUBJECT), page_size=page_size, **wire_labelling(labelling)
        )
        async for item in self._pages("ListShoots", request, "shoots"):
            yield convert.shoot(item)

    async def watch_shoot(self, shoot: ShootRef, *, after_event: int | None = None) -> AsyncIterator[ShootEvent]:
        """The shoot now and on every change, with the images that are finished, until it is terminal.

        A gateway that goes away meanwhile is waited for, and the watch goes on after the last event seen: each comes
        once, in order of `event_number`.

        Args:
            shoot: which.
            after_event: go on after this event, 0 for every event from the creation; default the present first. After
                the last event of a shoot that is over there is nothing to yield.

        Raises:
            UnavailableError: no gateway answered for `reconnect_seconds`.
            InvalidArgumentError: no event has had the number `after_event`.
            NotFoundError: no such shoot in this tenant.
        """
        request = shoots_pb2.WatchShootRequest(name=resource_name(shoot, Kind.SHOOT), after_event=after_event)
        async for message in self._watch(
            "WatchShoot",
            request,
            lambda message: message.shoot.state in TERMINAL_STATES,
            lambda message: message.shoot.event_number,
        ):
            yield convert.shoot_event(message)

    async def wait_shoot(self, shoot: ShootRef, *, on_progress: Callable[[Shoot], None] | None = None) -> Shoot:
        """The shoot once it has succeeded, its guarantee met or not; `on_progress` is called with each change.

        Raises:
            JobFailedError: it failed; `reason` and `message` say why.
            CancelledByCallerError: it was cancelled.
            NotFoundError: no such shoot in this tenant.
        """
        latest: ShootEvent | None = None
        async for latest in self.watch_shoot(shoot):
            if on_progress is not None:
                on_progress(latest.shoot)
        assert latest is not None, "a watch ends with a terminal message"
        latest.shoot.raise_for_state()
        return latest.shoot

    async def shoot(
        self,
        subject: SubjectRef,
        *,
        pack: Pack | str = "",
        styles: Iterable[Style | str] = (),
        count: int,
        options: ShootOptions | None = None,
        labelling: Labelling | None = None,
        on_progress: Callable[[Shoot], None] | None = None,
    ) -> Shoot:
        """Queue a shoot and wait for it; raises what `create_shoot` and `wait_shoot` raise.

        `download_images(shoot.gallery, …)` fetches the portraits, best first.
        """
        made = await self.create_shoot(
            subject, pack=pack, styles=styles, count=count, options=options, labelling=labelling
        )
        return await self.wait_shoot(made, on_progress=on_progress)

    async def cancel_shoot(self, shoot: ShootRef) -> Shoot:
        """Ask a shoot to stop, its training or gallery with it; answers at once. A terminal one is left as it is.

        Raises:
            NotFoundError: no such shoot in this tenant.
        """
        request = shoots_pb2.CancelShootRequest(name=resource_name(shoot, Kind.SHOOT))
        return convert.shoot((await self._unary("CancelShoot", request)).shoot)
