"""The plugin's gRPC side: what the Pulumi SDK's server leaves open.

Owns three things around the SDK's servicer: handlers get the recorded inputs as well as the outputs,
errors reach the operator as text without a traceback (an unfinished resource with its state), and
the process ends with its engine. Deliberately knows no resource.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf import struct_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import Provider
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from components.clients.redaction import redact
from components.errors import RegionError
from components.provider.handler import UnfinishedError
from components.provider.value import to_wire

LOG = logging.getLogger(__name__)
MESSAGE_BYTES = 64 * 1024 * 1024
PARENT_POLL_S = 1.0
GRACE_S = 5.0

Context = grpc.aio.ServicerContext[Any, Any]


async def _abort(context: Context, error: BaseException) -> NoReturn:
    """End the call with a text for people, and with the state of what exists so far."""
    if isinstance(error, RegionError):
        text = redact(str(error))
    else:
        LOG.error("unexpected error", exc_info=error)
        text = redact(f"unexpected {type(error).__name__}: {error}; the provider's log has the details")
    metadata: tuple[tuple[str, bytes], ...] = ()
    if isinstance(error, UnfinishedError):
        detail = provider_pb2.ErrorResourceInitFailed(
            id=error.so_far.id,
            properties=PropertyValue.marshal_map(to_wire(error.so_far.outputs)),
            reasons=[text],  # shown instead of the status's message
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=text)
        status.details.add().Pack(detail)
        metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(grpc.StatusCode.UNKNOWN, text, metadata)


def _readable(name: str) -> Any:
    """The SDK's method `name`, its errors made readable."""
    method = getattr(ProviderServicer, name)

    async def call(self: Any, request: Any, context: Context) -> Any:
        try:
            return await method(self, request, context)
        except NotImplementedError:
            raise
        except Exception as error:
            # The SDK wraps every exception in one whose text is the traceback; ours is its context.
            await _abort(context, error.__context__ or error)

    return call


def _recorded(inputs: struct_pb2.Struct, outputs: struct_pb2.Struct) -> struct_pb2.Struct:
    both = struct_pb2.Struct()
    both.fields["inputs"].struct_value.CopyFrom(inputs)
    both.fields["outputs"].struct_value.CopyFrom(outputs)
    return both


class Servicer(ProviderServicer):
    """The SDK's servicer. The `old` of diff, update and delete becomes `{inputs, outputs}`.

    The SDK's request classes have no room for the recorded inputs that the engine sends.
    """

    Configure = _readable("Configure")
    Check = _readable("Check")
    Create = _readable("Create")
    Read = _readable("Read")
    _diff = _readable("Diff")
    _update = _readable("Update")
    _delete = _readable("Delete")

    async def Diff(self, request: Any, context: Context) -> Any:
        request.olds.CopyFrom(_recorded(request.old_inputs, request.olds))
        return await self._diff(request, context)

    async def Update(self, request: Any, context: Context) -> Any:
        request.olds.CopyFrom(_recorded(request.old_inputs, request.olds))
        return await self._update(request, context)

    async def Delete(self, request: Any, context: Context) -> Any:
        request.properties.CopyFrom(_recorded(request.old_inputs, request.properties))
        return await self._delete(request, context)


def engine_address(argv: list[str]) -> str:
    """The engine's address, the one argument that the engine gives."""
    parser = argparse.ArgumentParser(description="Pulumi provider plugin of gpuregion; started by Pulumi")
    parser.add_argument("engine", help="address of the Pulumi engine")
    known, _ = parser.parse_known_args(argv)
    return known.engine


async def serve(engine: str, version: str, provider: Provider) -> None:
    """Serve until the engine stops us, or is gone."""
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
    server = grpc.aio.server(options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer([], version, provider, engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Pulumi ends its plugins by an interrupt; a terminal's Ctrl-C reaches only Pulumi, which then asks.
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    watch = asyncio.create_task(_stop_with_parent(os.getppid(), stop))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    try:
        await stop.wait()
        await provider.cancel()
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        await server.stop(GRACE_S)


async def _stop_with_parent(parent: int, stop: asyncio.Event) -> None:
    """A killed engine must not leave a provider that goes on holding the journal."""
    while os.getppid() == parent:  # noqa: ASYNC110 - the kernel offers no event for this
        await asyncio.sleep(PARENT_POLL_S)
    LOG.warning("the engine is gone; stopping")
    stop.set()
