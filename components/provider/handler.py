"""The contract between the plugin and one kind of resource.

The plugin (plugin.py) speaks Pulumi's protocol; a handler knows one resource. `check` and `diff` are
pure and never touch a device. `create` and `update` must be safe to run again at any point: they
observe, then do what is missing, through the journal.

Two words for what is recorded: *inputs* are what the program asked for, *state* (given to `read` and
`delete`) is the inputs with the outputs merged into them, mapping by mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Protocol, cast

from components.errors import Problem, RegionError

if TYPE_CHECKING:
    from components.engine.journal import Journal

Properties = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference between state and inputs."""

    key: str
    """Top-level input property that differs; what Pulumi prints."""
    text: str
    """The difference in words, with both values where they are not secret."""
    replaces: bool = False


def _say_nothing(text: str) -> None:
    del text


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a handler may use. Made once by the plugin from its provider configuration."""

    project: Path
    """Root of the project; `file:` references are relative to it."""
    region: str
    journal: Journal
    preview: bool = False
    report: Callable[[str], None] = _say_nothing
    """Shows one line of progress beside the resource, e.g. `lab-r01-t02: deploying (34 s)`."""


@dataclass(frozen=True, kw_only=True)
class Created:
    """Identity (the natural key) and outputs of a resource."""

    id: str
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])


class UnfinishedError(RegionError):
    """A resource exists and is not all that it shall be.

    Pulumi records `so_far`: the next run updates the resource even if its description is taken back, and a
    destroy finds it. Which inputs Pulumi keeps then is its own affair (those from before, in 3.274), so a
    handler must ask the device, not the old inputs, how far an earlier run came.
    """

    def __init__(self, error: RegionError, so_far: Created) -> None:
        super().__init__(error.message, error.problems)
        self.so_far = so_far


class Previewed(Protocol):
    """What a preview asks of one kind of resource. Pure: nothing here touches a device or keeps anything."""

    token: str
    """`gpuregion:<module>:<Class>`."""

    def check(self, inputs: Properties) -> list[Problem]:
        """All problems of the inputs."""
        ...

    def diff(self, old: Properties, new: Properties) -> list[Change]:
        """All differences of inputs. `old` are the inputs recorded in state."""
        ...

    def unfinished(self, inputs: Properties, outputs: Properties) -> list[Change]:
        """What is still to be done although inputs do not differ, by the outputs that an earlier run recorded."""
        ...


class Handler(Previewed, Protocol):
    """One kind of resource."""

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        """Bring the thing to its desired state; idempotent by natural key."""
        ...

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        """As create, knowing what was; returns outputs."""
        ...

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        """Observe; None if it is gone."""
        ...

    async def delete(self, id: str, state: Properties, context: Context) -> None:
        """Remove; tolerates absence."""
        ...


class Deferred:
    """A handler of which a preview loads only what it asks.

    The clients of Ironic, SSH and Ansible take a second to load. A preview would wait for them and use none.
    """

    def __init__(self, preview: Previewed, handler: str) -> None:
        """`handler` names the whole handler as `module:Class`."""
        self._name = handler
        self.token = preview.token
        self.check, self.diff, self.unfinished = preview.check, preview.diff, preview.unfinished

    @cached_property
    def _handler(self) -> Handler:
        return cast("Callable[[], Handler]", resolve_name(self._name))()

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        """As the handler does."""
        return await self._handler.create(name, inputs, context)

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        """As the handler does."""
        return await self._handler.update(id, old, new, context)

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        """As the handler does."""
        return await self._handler.read(id, state, context)

    async def delete(self, id: str, state: Properties, context: Context) -> None:
        """As the handler does."""
        await self._handler.delete(id, state, context)
