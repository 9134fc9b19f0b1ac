"""The `gpuregion` provider: an executable Pulumi plugin.

Owns the translation between Pulumi's protocol and handlers, and the list of handlers. Holds no logic of
any resource. `check` and `diff` touch nothing; the journal is opened by the first call that acts, so
previews never wait for a run.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from pulumi.provider.experimental import provider as protocol

from components.clients.approval import approval_of
from components.clients.redaction import redact
from components.engine.journal import Journal
from components.errors import Problem, RegionError
from components.provider.bucket_preview import BucketPreview
from components.provider.bucket_reader_preview import BucketReaderPreview
from components.provider.certificate_preview import CertificatePreview
from components.provider.engine_log import EngineLog, log_to
from components.provider.handler import Change, Context, Deferred, Handler
from components.provider.playbook_preview import PlaybookPreview
from components.provider.rack_preview import RackPreview
from components.provider.server import engine_address, serve
from components.provider.switch_preview import SwitchPreview
from components.provider.value import Wire, has_unknown, merged, to_plain, to_wire

VERSION = "0.1.0"
LOG = logging.getLogger(__name__)
T = TypeVar("T")

_ALL: tuple[Handler, ...] = (
    Deferred(RackPreview(), "components.provider.rack:RackHandler"),
    Deferred(SwitchPreview(), "components.provider.switch_config:SwitchConfigHandler"),
    Deferred(PlaybookPreview(), "components.provider.playbook_run:PlaybookRunHandler"),
    Deferred(CertificatePreview(), "components.provider.certificate:CertificateHandler"),
    Deferred(BucketPreview(), "components.provider.bucket:BucketHandler"),
    Deferred(BucketReaderPreview(), "components.provider.bucket_reader:BucketReaderHandler"),
)
HANDLERS: dict[str, Handler] = {handler.token: handler for handler in _ALL}
"""Every kind of resource of this provider, by its type token."""


class RegionProvider(protocol.Provider):
    """Serves the handlers it is given."""

    def __init__(self, handlers: Mapping[str, Handler], engine_log: EngineLog | None = None) -> None:
        self._handlers = handlers
        self._engine_log = engine_log
        self._project: Path | None = None
        self._region = ""
        self._journal: Journal | None = None
        self._opening = asyncio.Lock()
        self._acting: set[asyncio.Task[Any]] = set()
        self._cancelled = False

    # Pulumi's protocol, in the order of a resource's life.

    async def configure(self, request: protocol.ConfigureRequest) -> protocol.ConfigureResponse:
        settings = to_plain(request.args)
        problems = [
            Problem(path=f"gpuregion:{key}", message="the provider needs this setting", remedy="set it on Provider")
            for key in ("region", "project")
            if not isinstance(settings.get(key), str)
        ]
        if problems:
            raise RegionError("the provider is not configured", problems)
        self._project, self._region = Path(settings["project"]), settings["region"]
        log_to(self._region_dir / "logs" / "provider.log")
        # Inputs hold references to secrets, never values, so there is nothing to be told apart.
        return protocol.ConfigureResponse(accept_secrets=False, supports_preview=True)

    async def check(self, request: protocol.CheckRequest) -> protocol.CheckResponse:
        handler = self._handler(request.type)
        problems: list[Problem] = []
        # What is recorded has been checked. What depends on a resource that is not there yet is checked when it is:
        # check runs again.
        if request.new_inputs != request.old_inputs and not has_unknown(request.new_inputs):
            problems = handler.check(to_plain(request.new_inputs))
        failures = [protocol.CheckFailure(p.path, redact(_without_path(p))) for p in problems]
        return protocol.CheckResponse(inputs=request.new_inputs, failures=failures)

    async def diff(self, request: protocol.DiffRequest) -> protocol.DiffResponse:
        handler = self._handler(request.type)
        if has_unknown(request.new_inputs):
            return protocol.DiffResponse(changes=True)
        old, outputs = _recorded(request.old_state)
        new = to_plain(request.new_inputs)
        changes = [*(handler.diff(old, new) if old != new else ()), *handler.unfinished(new, outputs)]
        # Pulumi's own display of a difference shows keys; these are the words for people.
        for change in changes:
            self._say(request.urn, change.text)
        return _diff_response([c for c in changes if c.key not in request.ignore_changes], old, new)

    async def create(self, request: protocol.CreateRequest) -> protocol.CreateResponse:
        handler = self._handler(request.type)
        if request.preview:
            return protocol.CreateResponse(properties={})  # outputs are unknown until it exists
        context = await self._context(request.urn)
        created = await self._act(
            "create", request.urn, handler.create(request.name, to_plain(request.properties), context)
        )
        return protocol.CreateResponse(resource_id=created.id, properties=to_wire(created.outputs))

    async def read(self, request: protocol.ReadRequest) -> protocol.ReadResponse:
        handler = self._handler(request.type)
        state = merged(to_plain(request.inputs), to_plain(request.properties))
        context = await self._context(request.urn)
        outputs = await self._act("read", request.urn, handler.read(request.resource_id, state, context))
        if outputs is None:
            return protocol.ReadResponse(resource_id="")
        return protocol.ReadResponse(
            resource_id=request.resource_id, properties=to_wire(outputs), inputs=request.inputs
        )

    async def update(self, request: protocol.UpdateRequest) -> protocol.UpdateResponse:
        handler = self._handler(request.type)
        if request.preview:
            return protocol.UpdateResponse()
        old, _ = _recorded(request.olds)
        context = await self._context(request.urn)
        news = await self._act(
            "update", request.urn, handler.update(request.resource_id, old, to_plain(request.news), context)
        )
        return protocol.UpdateResponse(properties=to_wire(news))

    async def delete(self, request: protocol.DeleteRequest) -> None:
        handler = self._handler(request.type)
        state = merged(*_recorded(request.properties))
        context = await self._context(request.urn)
        await self._act("delete", request.urn, handler.delete(request.resource_id, state, context))

    async def cancel(self) -> None:
        """Stop waiting; what devices have begun goes on, and the next run finds it."""
        self._cancelled = True
        for task in self._acting:
            task.cancel()

    def close(self) -> None:
        """End the run in the journal."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    # How a call reaches a handler.

    @property
    def _region_dir(self) -> Path:
        if self._project is None:
            raise RegionError("the provider was called before it was configured")
        return self._project / ".region" / self._region

    def _handler(self, token: str) -> Handler:
        # A parent's type stands before the resource's own: `...:RackGroup$gpuregion:baremetal:Rack`.
        handler = self._handlers.get(token.rpartition("$")[2])
        if handler is None:
            raise RegionError(
                "the provider does not know this kind of resource",
                [Problem(path=token, message="unknown type", allowed=", ".join(sorted(self._handlers)))],
            )
        return handler

    async def _context(self, urn: str) -> Context:
        directory = self._region_dir
        async with self._opening:
            if self._journal is None:
                self._journal = await asyncio.to_thread(
                    Journal.open,
                    directory / "journal.db",
                    scope=_stack_of(urn),
                    redact=redact,
                    approval=approval_of(os.environ),
                )
        assert self._project is not None  # noqa: S101 - _region_dir has refused otherwise
        return Context(
            project=self._project,
            region=self._region,
            journal=self._journal,
            report=lambda text: self._say(urn, text),
        )

    def _say(self, urn: str, text: str) -> None:
        LOG.info("%s: %s", urn.rpartition("::")[2], text)
        if self._engine_log is not None:
            self._engine_log.status(urn, text)

    async def _act(self, what: str, urn: str, work: Coroutine[Any, Any, T]) -> T:
        """Run a handler so that a cancel reaches it and ends as a readable error."""
        name, began = urn.rpartition("::")[2], time.monotonic()
        LOG.info("%s: %s begins", name, what)
        task = asyncio.create_task(work)
        self._acting.add(task)
        try:
            result = await task
        except RegionError as error:
            LOG.warning("%s: %s failed after %.1f s: %s", name, what, time.monotonic() - began, error)
            raise
        except asyncio.CancelledError:
            if not self._cancelled:
                raise
            raise RegionError("cancelled; run again to go on where the devices are by then") from None
        else:
            LOG.info("%s: %s done after %.1f s", name, what, time.monotonic() - began)
            return result
        finally:
            self._acting.discard(task)


def _stack_of(urn: str) -> str:
    """`urn:pulumi:<stack>::<project>::<type>::<name>`: what a run may touch alone is its stack."""
    return urn.split("::", 1)[0].rpartition(":")[2]


def _recorded(state: Wire) -> tuple[dict[str, Any], dict[str, Any]]:
    """Recorded inputs and outputs, as the servicer hands them over."""
    inputs, outputs = (cast("Wire", state[key].value) for key in ("inputs", "outputs"))
    return to_plain(inputs), to_plain(outputs)


def _without_path(problem: Problem) -> str:
    """Pulumi prints the property before the reason."""
    return str(problem).removeprefix(f"{problem.path}: ")


def _diff_response(changes: list[Change], old: Mapping[str, Any], new: Mapping[str, Any]) -> protocol.DiffResponse:
    kinds = protocol.PropertyDiffKind
    detailed: dict[str, protocol.PropertyDiff] = {}
    for change in changes:
        name = "ADD" if change.key not in old else "DELETE" if change.key not in new else "UPDATE"
        kind = kinds[f"{name}_REPLACE" if change.replaces else name]
        detailed[change.key] = protocol.PropertyDiff(kind, input_diff=True)
    return protocol.DiffResponse(
        changes=bool(changes),
        replaces=sorted({c.key for c in changes if c.replaces}),
        diffs=sorted({c.key for c in changes}),
        detailed_diff=detailed,
        # One physical thing cannot be there twice, so the old one always goes first.
        delete_before_replace=True,
    )


def run(handlers: Mapping[str, Handler]) -> None:
    """Serve `handlers` to the engine that started this process."""
    engine = engine_address(sys.argv[1:])

    async def serve_all() -> None:
        engine_log = EngineLog(engine)
        provider = RegionProvider(handlers, engine_log)
        try:
            await serve(engine, VERSION, provider)
        finally:
            provider.close()
            await engine_log.close()

    asyncio.run(serve_all())


def main() -> None:
    """Console script `pulumi-resource-gpuregion`."""
    run(HANDLERS)
