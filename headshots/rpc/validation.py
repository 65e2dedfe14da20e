"""Holds every message against the constraints that the protos state."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import protovalidate

from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.rpc.fitting import LEFT_OUT
from headshots.rpc.handlers import Context, Handler, Streaming, Unary, WrappingInterceptor
from headshots.rpc.violation_texts import described

# Time goes by broken rules: to name all of 400,000 bad names, in 4 MiB, would hold the event loop for a minute.
_WHOLLY_CHECKED_BYTES = 64 * 1024
# More do not fit into a status anyway.
_MOST_DESCRIBED = 100
_MOST_SUMMED_UP = 5


class ValidationInterceptor(WrappingInterceptor):
    """Holds every message against the constraints that the protos state."""

    def wrap_unary(self, inner: Unary, handler: Handler, method: str) -> Unary:
        """Validate, then answer."""
        streaming = handler.request_streaming

        async def call(request: Any, context: Context) -> Any:
            return await inner(_validated(request, streaming), context)

        return call

    def wrap_streaming(self, inner: Streaming, handler: Handler, method: str) -> Streaming:
        """Validate, then stream."""
        streaming = handler.request_streaming

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            async with contextlib.aclosing(inner(_validated(request, streaming), context)) as responses:  # type: ignore[type-var]
                async for response in responses:
                    yield response

        return call


def _validated(request: Any, streaming: bool) -> Any:
    if streaming:
        return _validated_stream(request)
    validate_message(request)
    return request


async def _validated_stream(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        validate_message(request)
        yield request


def validate_message(message: Any) -> None:
    """Check one message.

    Raises:
        InvalidArgumentError: CONSTRAINT_VIOLATED, with one violation for each rule that was broken; with the first
            alone where the message has more than 64 KiB.
    """
    try:
        protovalidate.validate(message, fail_fast=message.ByteSize() > _WHOLLY_CHECKED_BYTES)
    except protovalidate.ValidationError as error:
        found = error.violations[:_MOST_DESCRIBED]
        violations = [FieldViolation(_path(v.proto.field), described(v)) for v in found]
        left_out = len(error.violations) - len(found)
        raise InvalidArgumentError(
            "CONSTRAINT_VIOLATED",
            _summary(violations, len(error.violations)),
            metadata={LEFT_OUT: str(left_out)} if left_out else {},
            violations=violations,
        ) from error


def _summary(violations: Sequence[FieldViolation], count: int) -> str:
    """The first of ``count`` violations in a line."""
    told = "; ".join(f"{v.field or 'message'}: {v.description}" for v in violations[:_MOST_SUMMED_UP])
    return f"{told}; and {count - _MOST_SUMMED_UP} more" if count > _MOST_SUMMED_UP else told


def _path(field_path: Any) -> str:
    """``options.steps``, ``styles[2]``."""
    parts = []
    for element in field_path.elements if field_path is not None else ():
        subscript = getattr(element, "subscript", None)
        index = getattr(subscript, "value", None) if subscript is not None else None
        parts.append(f"{element.field_name}[{index}]" if index is not None else element.field_name)
    return ".".join(parts)
