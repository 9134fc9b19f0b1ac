"""What there is to bring up: racks, and the endpoints in them with what each is expected to be."""

from __future__ import annotations

from dataclasses import dataclass

from components.spec.catalogue.firmware import Endpoint as EndpointKind


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointWork:
    """One BMC."""

    name: str
    """Of the region: rack and place, such as `ess-r001/3/left-bf3`."""
    place: str
    """In the rack: a tray's is its slot; `3/left-bf3`, `nvlink/2`, `power-shelf/1`."""
    kind: EndpointKind
    serial: str
    """As delivered."""
    address: str
    """Base URL, without a path."""
    macs: tuple[str, ...] = ()
    bmc_mac: str = ""
    username: str = "root"
    """Of the account that the factory made; its password is rotated, the account stays."""
    turn: int = 0
    """How many kinds of endpoint it waits for, one after the other: what others wait for is asked before what has time."""

    @property
    def tray(self) -> str:
        """Slot of the tray that it is, or is in; empty for what belongs to the rack."""
        first = self.place.partition("/")[0]
        return first if first.isdigit() else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RackWork:
    """One rack, which is one NVLink domain."""

    name: str
    feed: str
    """Power feed that it hangs on, to which the inrush of its trays is counted."""
    tray_kw: float
    """What a tray adds to the feed when it is switched on."""
    spares: int
    """Trays that may fail before the rack cannot be handed over."""
    endpoints: tuple[EndpointWork, ...]
