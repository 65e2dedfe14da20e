"""Makes the blocking client from the asyncio client: one line a method, with the same signature."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from headshots.client.aio import AsyncHeadshots
from headshots.client.roots import RootCertificates
from headshots.errors import HeadshotsError

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Headshots, P], R]:
    """The method, waiting for its result."""

    @functools.wraps(method)
    def call(self: Headshots, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._run(method(self._client, *args, **kwargs))

    return call


def _iterating(
    method: Callable[Concatenate[Any, P], AsyncIterator[R]],
) -> Callable[Concatenate[Headshots, P], Iterator[R]]:
    """The method, as a generator that waits for each item; closing it ends the call."""

    @functools.wraps(method)
    def call(self: Headshots, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
        items: Any = method(self._client, *args, **kwargs)
        asked: list[asyncio.Task[Any]] = []
        try:
            while True:
                try:
                    yield self._run(_next(items, asked))
                except StopAsyncIteration:
                    return
        finally:
            # A generator may outlive its client, whose channel has then ended the call already.
            if not self._loop.is_closed():
                self._run(_aclose(items, asked))

    return call


async def _next(items: AsyncIterator[R], asked: list[asyncio.Task[Any]]) -> R:
    """The next item; the task that waits for it is kept in ``asked``."""
    task = asyncio.current_task()
    assert task is not None
    asked[:] = [task]
    return await anext(items)


async def _aclose(items: Any, asked: list[asyncio.Task[Any]]) -> None:
    """Close an async generator. After Ctrl-C its last `anext` may still be unwinding; until then it refuses.

    Or it waits for an item still, where Ctrl-C came before the waiting thread knew what to cancel.
    """
    for task in asked:
        if not task.cancelling():
            task.cancel()
    while items.ag_running:  # noqa: ASYNC110  (an async generator tells nobody when it is done)
        await asyncio.sleep(0.001)
    await items.aclose()


class Headshots:
    """The public API, blocking: `AsyncHeadshots` on an event loop in a thread of its own.

    ::

        with Headshots("127.0.0.1:50051", api_key) as headshots:
            agreed = Consent("Portraits of me may be made.", version="2026-11")
            subject = headshots.create_subject("Ada", class_noun="woman", consent=agreed)
            headshots.upload_photos(subject, Path("selfies").glob("*.jpg"))
            shoot = headshots.shoot(subject, pack="business", count=40, on_progress=lambda now: print(now.stage))
            headshots.download_images(shoot.gallery, "portraits", best=10)

    Methods, arguments and errors are those of `AsyncHeadshots`. It may be shared between threads. Callbacks run on
    the loop's thread.
    """

    def __init__(
        self,
        address: str,
        api_key: str,
        *,
        root_certificates: RootCertificates = None,
        timeout_seconds: float = 30.0,
        upload_timeout_seconds: float = 600.0,
        reconnect_seconds: float = 60.0,
        wait_for_gateway: bool = False,
        on_reconnect: Callable[[HeadshotsError], None] | None = None,
    ) -> None:
        """As `AsyncHeadshots`; nothing is sent until the first call."""
        self._client = AsyncHeadshots(
            address,
            api_key,
            root_certificates=root_certificates,
            timeout_seconds=timeout_seconds,
            upload_timeout_seconds=upload_timeout_seconds,
            reconnect_seconds=reconnect_seconds,
            wait_for_gateway=wait_for_gateway,
            on_reconnect=on_reconnect,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="headshots-client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the channel and end the thread. The client cannot be used afterwards."""
        if self._loop.is_closed():
            return
        self._run(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, awaitable: Coroutine[Any, Any, R]) -> R:
        if self._loop.is_closed():
            awaitable.close()
            raise RuntimeError("this Headshots client is closed")
        future = asyncio.run_coroutine_threadsafe(awaitable, self._loop)
        try:
            return future.result()
        except BaseException:
            # Also for Ctrl-C in the waiting thread: the call must not go on without anybody to hear of it.
            future.cancel()
            raise

    get_tenant = _blocking(AsyncHeadshots.get_tenant)
    update_tenant = _blocking(AsyncHeadshots.update_tenant)
    list_audit_events = _iterating(AsyncHeadshots.list_audit_events)
    get_erasure_receipt = _blocking(AsyncHeadshots.get_erasure_receipt)
    list_erasure_receipts = _iterating(AsyncHeadshots.list_erasure_receipts)
    list_erasure_keys = _iterating(AsyncHeadshots.list_erasure_keys)
    list_erasure_commitments = _iterating(AsyncHeadshots.list_erasure_commitments)
    create_subject = _blocking(AsyncHeadshots.create_subject)
    get_subject = _blocking(AsyncHeadshots.get_subject)
    list_subjects = _iterating(AsyncHeadshots.list_subjects)
    update_subject = _blocking(AsyncHeadshots.update_subject)
    delete_subject = _blocking(AsyncHeadshots.delete_subject)
    give_consent = _blocking(AsyncHeadshots.give_consent)
    withdraw_consent = _blocking(AsyncHeadshots.withdraw_consent)
    extend_retention = _blocking(AsyncHeadshots.extend_retention)
    hold_subject = _blocking(AsyncHeadshots.hold_subject)
    release_subject = _blocking(AsyncHeadshots.release_subject)
    upload_photos = _blocking(AsyncHeadshots.upload_photos)
    inspect_photos = _blocking(AsyncHeadshots.inspect_photos)
    list_photos = _iterating(AsyncHeadshots.list_photos)
    update_photo = _blocking(AsyncHeadshots.update_photo)
    delete_photo = _blocking(AsyncHeadshots.delete_photo)
    create_style = _blocking(AsyncHeadshots.create_style)
    list_styles = _iterating(AsyncHeadshots.list_styles)
    get_style = _blocking(AsyncHeadshots.get_style)
    update_style = _blocking(AsyncHeadshots.update_style)
    archive_style = _blocking(AsyncHeadshots.archive_style)
    preview_style = _blocking(AsyncHeadshots.preview_style)
    create_pack = _blocking(AsyncHeadshots.create_pack)
    list_packs = _iterating(AsyncHeadshots.list_packs)
    get_pack = _blocking(AsyncHeadshots.get_pack)
    update_pack = _blocking(AsyncHeadshots.update_pack)
    archive_pack = _blocking(AsyncHeadshots.archive_pack)
    create_profile = _blocking(AsyncHeadshots.create_profile)
    list_profiles = _iterating(AsyncHeadshots.list_profiles)
    get_profile = _blocking(AsyncHeadshots.get_profile)
    update_profile = _blocking(AsyncHeadshots.update_profile)
    list_foundations = _iterating(AsyncHeadshots.list_foundations)
    get_foundation = _blocking(AsyncHeadshots.get_foundation)

    create_shoot = _blocking(AsyncHeadshots.create_shoot)
    quote = _blocking(AsyncHeadshots.quote)
    get_shoot = _blocking(AsyncHeadshots.get_shoot)
    list_shoots = _iterating(AsyncHeadshots.list_shoots)
    watch_shoot = _iterating(AsyncHeadshots.watch_shoot)
    wait_shoot = _blocking(AsyncHeadshots.wait_shoot)
    shoot = _blocking(AsyncHeadshots.shoot)
    cancel_shoot = _blocking(AsyncHeadshots.cancel_shoot)

    create_training = _blocking(AsyncHeadshots.create_training)
    get_training = _blocking(AsyncHeadshots.get_training)
    list_trainings = _iterating(AsyncHeadshots.list_trainings)
    watch_training = _iterating(AsyncHeadshots.watch_training)
    wait_training = _blocking(AsyncHeadshots.wait_training)
    train = _blocking(AsyncHeadshots.train)
    cancel_training = _blocking(AsyncHeadshots.cancel_training)
    download_training = _blocking(AsyncHeadshots.download_training)

    create_gallery = _blocking(AsyncHeadshots.create_gallery)
    get_gallery = _blocking(AsyncHeadshots.get_gallery)
    list_galleries = _iterating(AsyncHeadshots.list_galleries)
    watch_gallery = _iterating(AsyncHeadshots.watch_gallery)
    wait_gallery = _blocking(AsyncHeadshots.wait_gallery)
    generate = _iterating(AsyncHeadshots.generate)
    cancel_gallery = _blocking(AsyncHeadshots.cancel_gallery)
    delete_gallery = _blocking(AsyncHeadshots.delete_gallery)
    list_images = _iterating(AsyncHeadshots.list_images)
    download_images = _blocking(AsyncHeadshots.download_images)
    save_image = _blocking(AsyncHeadshots.save_image)
    regenerate_image = _blocking(AsyncHeadshots.regenerate_image)
    remix_image = _blocking(AsyncHeadshots.remix_image)
    get_image = _blocking(AsyncHeadshots.get_image)
    image_links = _blocking(AsyncHeadshots.image_links)
    update_image = _blocking(AsyncHeadshots.update_image)
    delete_image = _blocking(AsyncHeadshots.delete_image)
    verify_image = _blocking(AsyncHeadshots.verify_image)

    create_look = _blocking(AsyncHeadshots.create_look)
    list_looks = _iterating(AsyncHeadshots.list_looks)
    get_look = _blocking(AsyncHeadshots.get_look)
    update_look = _blocking(AsyncHeadshots.update_look)
    archive_look = _blocking(AsyncHeadshots.archive_look)
    create_team = _blocking(AsyncHeadshots.create_team)
    get_team = _blocking(AsyncHeadshots.get_team)
    list_teams = _iterating(AsyncHeadshots.list_teams)
    watch_team = _iterating(AsyncHeadshots.watch_team)
    wait_team = _blocking(AsyncHeadshots.wait_team)
    add_team_members = _blocking(AsyncHeadshots.add_team_members)
    cancel_team = _blocking(AsyncHeadshots.cancel_team)
