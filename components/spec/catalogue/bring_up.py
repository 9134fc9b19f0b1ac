"""How a kind of rack is brought up: for each kind of endpoint its steps, and where its Redfish service has what.

Owns the model of the files in `bring_up/`. The decisions that follow from them are in `components.plan.bring_up`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.base import Model
from components.spec.catalogue.evidence import CatalogueItem
from components.spec.catalogue.firmware import Endpoint, InventoryId
from components.spec.types import Name

Seconds = Annotated[int, Field(ge=1, le=86_400)]
"""Of the machine, as on hardware."""

RedfishPath = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9_./#-]*$")]
"""Path below `/redfish/v1/`."""


class StepName(StrEnum):
    """What is done to an endpoint, in this order; a kind has those that it needs."""

    FIND = "find"
    """It answers at its address, with a certificate of the region."""
    CREDENTIALS = "credentials"
    """The factory's password gives way to one of this region's."""
    MATCH = "match"
    """Serial number and slot are those delivered for the place, and nothing leaks."""
    FLASH = "flash"
    """The bundle's package is pushed, and its task ends well."""
    ACTIVATE = "activate"
    """What was pushed becomes what runs."""
    VERIFY = "verify"
    """Every component of the bundle runs its version."""
    CONFIGURE = "configure"
    """BIOS, Secure Boot, boot order and mode are set; they wait for the next boot."""
    BOOT = "boot"
    """The host is switched on, so that the settings take effect, and they are read back."""
    POWER_OFF = "power-off"
    """The host is switched off again: Ironic takes machines that are off."""
    HAND_OVER = "hand-over"
    """Ironic knows it. Done for a whole rack, once all of its endpoints have ended."""


class Reset(StrEnum):
    """Ways of starting an endpoint anew."""

    BMC = "bmc-reset"
    HOST = "host-reset"
    AUX = "aux-cycle"
    """Auxiliary power of the whole tray, its BMC too."""


Claim = Literal["rack", "nvlink", "feed", "region"]
"""Budgets: endpoints of a rack, of its NVLink domain, of the region that are away at one time; kW on a feed."""


class After(Model):
    """What a step waits for."""

    kind: Endpoint
    """All endpoints of this kind have been through their steps, or are isolated."""
    within: Literal["rack", "tray"]
    """Those of the same rack, or those built into the same tray."""


class Step(Model):
    """One step of one kind of endpoint."""

    step: StepName
    limit_s: Seconds
    """After so long it is not going to end by itself."""
    remedy: Reset | None = None
    """Known-good action on exceeding the limit, or on an error; then the step is done once more. Without one, or after
    it, the endpoint is isolated."""
    destructive: bool = False
    """Whether somebody who used the endpoint would notice."""
    after: tuple[After, ...] = ()
    claims: tuple[Claim, ...] = ()
    """Held while the step is under way."""


class Activation(Model):
    """What makes pushed versions run."""

    by: Reset
    components: Annotated[tuple[InventoryId, ...], Field(min_length=1)]
    """Of the firmware inventory, that this is enough for."""


class Setting(Model):
    """A BIOS attribute."""

    attribute: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    value: str | bool


class EndpointProfile(Model):
    """One kind of endpoint."""

    system: RedfishPath
    """The system that tells the serial number and is switched on and off."""
    manager: RedfishPath
    """The BMC that is reset."""
    place: RedfishPath | None = None
    """Chassis whose OEM part tells the tray's index."""
    leaks: RedfishPath | None = None
    """Collection of leak detectors."""
    aux_cycle: RedfishPath | None = None
    """Action that cycles auxiliary power."""
    mode: RedfishPath | None = None
    """OEM resource of a DPU that tells its mode."""
    wanted_mode: Literal["DpuMode", "NicMode"] | None = None
    """Of a DPU: whether it is a computer of its own."""
    bios: tuple[Setting, ...] = ()
    secure_boot: bool | None = None
    """None where it is left as it is."""
    boot_first: str | None = None
    """The boot option that stands first: text that its name begins with."""
    may_fail: Annotated[int, Field(ge=0, le=64)] = 0
    """Endpoints of this kind that a rack can do without. Of compute trays the region's spares count, not this."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    activations: tuple[Activation, ...] = ()
    """In this order."""

    def step(self, name: StepName) -> Step | None:
        """The step of this name."""
        return next((each for each in self.steps if each.step is name), None)


class Amounts(Model):
    """Budgets by what they are counted for."""

    rack: Annotated[int, Field(ge=1, le=1000)]
    """Endpoints of one rack that are away at one time."""
    nvlink: Annotated[int, Field(ge=1, le=1000)]
    """NVLink switch trays and compute trays of one domain that are away at one time."""
    region: Annotated[int, Field(ge=1, le=100_000)]
    """Endpoints of the region that are away at one time: all of them come back with DHCP at once."""


class Polling(Model):
    """How often a machine that works by itself is looked at."""

    least_s: Annotated[float, Field(gt=0, le=60)]
    """Between two looks, at the end."""
    most_s: Annotated[float, Field(gt=0, le=600)]
    """Between two looks, while the end is far."""
    stall_s: Seconds
    """An update whose progress stands still for so long is stuck."""


Profiles = Annotated[
    Mapping[Endpoint, EndpointProfile],
    AfterValidator(MappingProxyType),
    PlainSerializer(lambda kinds: {kind.value: profile for kind, profile in kinds.items()}),
]


class BringUp(CatalogueItem):
    """The bring-up of one kind of rack."""

    name_key: ClassVar[str] = "bring_up"

    bring_up: Name
    """Name that rack profiles refer to; equal to the file's name."""
    budgets: Amounts
    polling: Polling
    kinds: Profiles
    """Kind of endpoint -> what is done to it."""

    def kind(self, endpoint: Endpoint) -> EndpointProfile:
        """The profile of a kind that the rack has."""
        return self.kinds[endpoint]
