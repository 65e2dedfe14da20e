"""Sends every call of the public API nonsense: 10,000 requests of a seed, of which none may be answered as a defect."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.rpc import error_details_pb2, status_pb2

from benchmarks.faults.messages import Requests
from benchmarks.faults.report import Say, Scale
from benchmarks.faults.world import GatewayWorld
from benchmarks.report import Measured
from headshots.v1 import foundations_pb2, galleries_pb2, packs_pb2, styles_pb2
from tests.support.contract import CALLS
from tests.support.gateway.caller import Caller, selfie

_AT_ONCE = 8
_MESSAGES = 3
"""Read of a stream before the caller hangs up."""
_WATCH_SECONDS = 0.5
_ANSWER_SECONDS = 60.0
_DISPOSABLE, _GALLERIES, _STYLES = 20, 4, 4
_ABSENT = ("trainings/none", "galleries/none", "galleries/none/images/0", f"photos/{'0' * 32}")
_KEPT = 20
"""Unexplained calls that are kept with their bytes."""


@dataclass(frozen=True)
class Call:
    """A call that can be sent again just so."""

    method: MethodDescriptor
    wires: list[bytes]
    metadata: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """What came of a call: the status, and the reason where the gateway gave one. `""` where we hung up."""

    code: str
    reason: str
    message: str

    @property
    def explained(self) -> bool:
        """Whether the caller was told something; neither a defect nor a call that nobody answered."""
        if self.code in ("UNKNOWN", "INTERNAL"):
            return False
        return bool(self.reason) or self.code in ("OK", "", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED")


async def run(scale: Scale, seed: int, folder: Path, say: Say) -> Measured:
    """Calls a gateway process."""
    world = GatewayWorld(folder)
    async with world.open(), world.channel() as channel:
        begin = time.monotonic()
        found = await fuzz(world.address, Caller(channel, world.key("acme")), seed, scale.calls, say)
        seconds = time.monotonic() - begin
        has_died = world.platform.has_ended("gateway")
    answers = Counter(f"{answer.code or 'hung up'} {answer.reason}".strip() for _, answer in found)
    unexplained = [kept(call, answer) for call, answer in found if not answer.explained]
    details = {
        "answers": dict(answers.most_common()),
        "calls": dict(Counter(call.method.name for call, _ in found)),
        "per_second": len(found) / seconds,
        "gateway_died": has_died,
        "unexplained": unexplained[:_KEPT],
    }
    return Measured({"fuzzed_calls": len(found), "fuzz_unexplained": len(unexplained) + has_died}, {"fuzz": details})


async def fuzz(address: str, caller: Caller, seed: int, count: int, say: Say) -> list[tuple[Call, Answer]]:
    """Calls by turns over the contract, some at once, with the caller's key, without, and with wrong ones."""
    names, disposable = await _furnished(caller)
    calls = _calls(seed, count, tuple(caller.metadata), names, disposable)
    return await asyncio.to_thread(_send_all, address, calls, say)


async def _furnished(caller: Caller) -> tuple[list[str], list[str]]:
    """Names of all that a tenant can have, some of what a subject has not, and of what may be erased."""
    subject = await caller.trained_subject()
    training = (await caller.create_training(subject)).name
    gallery = await caller.finished_gallery(await caller.gallery(subject))
    assert isinstance(gallery, galleries_pb2.Gallery)
    photos = await caller.upload(subject, selfie(99))
    names = [subject, training, gallery.name, gallery.images[0].name, photos[0].name, *gallery.styles]
    names += [await _own_style(caller, "kept"), *await _of_the_installation(caller), await _own_pack(caller, "kept")]
    names += [f"{subject}/{absent}" for absent in _ABSENT] + [f"{gallery.name}/images/159"]
    subjects = [await caller.subject() for _ in range(_DISPOSABLE)]
    others = [photo.name for photo in await caller.upload(subject, *map(selfie, range(100, 100 + _DISPOSABLE)))]
    for _ in range(_GALLERIES):
        ended = await caller.finished_gallery(await caller.gallery(subject, shots_per_style=3))
        others += [ended.name, *(image.name for image in ended.images)]
    others += [await _own_style(caller, f"archived-{number}") for number in range(_STYLES)]
    others += [await _own_pack(caller, f"archived-{number}") for number in range(_STYLES)]
    return names, [*subjects, *others]


async def _own_style(caller: Caller, style_id: str) -> str:
    recipe = styles_pb2.StyleRecipe(prompt="a portrait of {subject}")
    request = styles_pb2.CreateStyleRequest(style_id=style_id, recipe=recipe)
    return str((await caller("CreateStyle", request)).style.name)


async def _own_pack(caller: Caller, pack_id: str) -> str:
    style = packs_pb2.PackStyle(style="styles/kept", shots=1)
    request = packs_pb2.CreatePackRequest(pack_id=pack_id, styles=[style])
    return str((await caller("CreatePack", request)).pack.name)


async def _of_the_installation(caller: Caller) -> list[str]:
    packs = (await caller("ListPacks", packs_pb2.ListPacksRequest())).packs
    foundations = (await caller("ListFoundations", foundations_pb2.ListFoundationsRequest())).foundations
    return [one.name for one in (*packs, *foundations)]


def _calls(
    seed: int, count: int, metadata: tuple[tuple[str, str], ...], names: list[str], disposable: list[str]
) -> Iterator[Call]:
    """Of each call of the contract as many; the same for the same seed, but for the names of what exists."""
    chance, files = random.Random(seed), [selfie(number) for number in range(3)]
    requests = Requests(chance, names, files)
    # What is erased or archived is nothing that the other calls are about.
    erasing = Requests(chance, disposable, files)
    keys: list[tuple[tuple[str, str], ...]] = [
        (),
        (("authorization", "Bearer hs_0_0"),),
        (("authorization", "Basic " + "A" * 5000),),
        (("x-api-key", ""),),
        (*metadata, ("x-api-key", "hs_other_key")),
    ]
    for method in itertools.islice(itertools.cycle(CALLS), count):
        source = erasing if method.name.startswith(("Delete", "Archive")) else requests
        given = metadata if chance.random() < 0.9 else chance.choice(keys)
        yield Call(method, source.of(method), given)


def _send_all(address: str, calls: Iterator[Call], say: Say) -> list[tuple[Call, Answer]]:
    found = []
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(address, options) as channel, ThreadPoolExecutor(_AT_ONCE) as pool:
        for number, each in enumerate(pool.map(lambda call: (call, send(channel, call)), calls), start=1):
            found.append(each)
            if number % 2000 == 0:
                say(f"{number} calls, {sum(not answer.explained for _, answer in found)} unexplained")
    return found


def send(channel: grpc.Channel, call: Call) -> Answer:
    """One call, its bytes as they are; of a stream of answers a few are read."""
    method = call.method
    path = f"/{method.containing_service.full_name}/{method.name}"
    requests: Any = iter(call.wires) if method.client_streaming else call.wires[0]
    timeout = _WATCH_SECONDS if method.server_streaming else _ANSWER_SECONDS
    try:
        if method.server_streaming:
            answers: Any = channel.unary_stream(path)(requests, timeout=timeout, metadata=call.metadata)
            for _ in itertools.islice(answers, _MESSAGES):
                pass
            answers.cancel()
        else:
            kind = channel.stream_unary if method.client_streaming else channel.unary_unary
            kind(path)(requests, timeout=timeout, metadata=call.metadata)
    except grpc.RpcError as error:
        code, reason = error.code(), _reason(error)
        if method.server_streaming and code is grpc.StatusCode.DEADLINE_EXCEEDED and not reason:
            return Answer("", "", "")
        return Answer(code.name, reason, error.details() or "")
    return Answer("OK", "", "")


def _reason(error: Any) -> str:
    """The reason in the error's details; empty where nobody gave one."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return str(info.reason)
    return ""


def kept(call: Call, answer: Answer) -> dict[str, Any]:
    """What is worth keeping of a call: enough to send it again."""
    return {
        "call": call.method.name,
        "code": answer.code,
        "reason": answer.reason,
        "message": answer.message,
        "metadata": [name for name, _ in call.metadata],
        "bytes": [wire[:400].hex() for wire in call.wires],
    }
