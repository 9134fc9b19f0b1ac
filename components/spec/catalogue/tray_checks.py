"""Rules on the ports and GPUs of trays."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.check import check
from components.spec.fault import Fault


@check("port-rail", partial=True)
def compute_ports_have_rails(catalogue: Catalogue) -> Iterator[Fault]:
    """Compute ports have rails 0, 1, 2 and so on, one each; in-band ports have none."""
    for index, rack in enumerate(catalogue.racks):
        ports = rack.tray.ports
        at = ("catalogue", "racks", index, "tray", "ports")
        for place, port in enumerate(ports):
            if (port.role == "compute") != (port.rail is not None):
                yield Fault(
                    at=(*at, place),
                    message=f"port {port.name} is {port.role} and has {'no' if port.rail is None else 'a'} rail",
                    allowed="a rail for compute ports only",
                    remedy="correct its role or its rail",
                )
        rails = sorted(p.rail for p in ports if p.rail is not None)
        if rails != list(range(len(rails))):
            yield Fault(
                at=at,
                message=f"the rails of a tray of {rack.profile} are not numbered one by one",
                found=", ".join(map(str, rails)),
                allowed=f"0 to {len(rails) - 1}, each once",
                remedy="number them in the order of the ports",
            )


@check("port-duplicate", partial=True)
def ports_are_distinct(catalogue: Catalogue) -> Iterator[Fault]:
    """No two ports of a tray share a name, a PCI address, an RDMA device or an interface."""
    for index, rack in enumerate(catalogue.racks):
        for field in ("name", "pci", "device", "interface"):
            seen: set[str] = set()
            for place, port in enumerate(rack.tray.ports):
                value = getattr(port, field)
                if value in seen:
                    yield Fault(
                        at=("catalogue", "racks", index, "tray", "ports", place, field),
                        message=f"two ports of a tray have the same {field}",
                        found=value,
                        remedy="copy it from a tray again",
                    )
                if value is not None:
                    seen.add(value)


@check("port-not-nic", partial=True)
def inband_ports_are_nics(catalogue: Catalogue) -> Iterator[Fault]:
    """The interfaces of in-band ports are the tray's uplinks, all of them."""
    for index, rack in enumerate(catalogue.racks):
        named = {p.interface for p in rack.tray.ports if p.role == "inband" and p.interface}
        if named and named != set(rack.tray.uplinks):
            yield Fault(
                at=("catalogue", "racks", index, "tray", "ports"),
                message=f"in-band ports of {rack.profile} are other interfaces than its uplinks",
                found=", ".join(sorted(named)),
                allowed=", ".join(rack.tray.uplinks),
                remedy="correct `nics`, or the ports' interfaces",
            )


@check("gpu-facts", partial=True)
def gpus_are_described(catalogue: Catalogue) -> Iterator[Fault]:
    """A tray with GPUs says their architecture, and one without does not."""
    for index, rack in enumerate(catalogue.racks):
        tray = rack.tray
        if not rack.simulated and (tray.gpus > 0) != (tray.gpu_architecture is not None):
            yield Fault(
                at=("catalogue", "racks", index, "tray", "gpus"),
                message=f"{rack.profile} has {tray.gpus} GPUs and {tray.gpu_architecture or 'no'} architecture of them",
                allowed="`gpu_architecture` exactly where there are GPUs",
                remedy="correct one of them",
            )


CHECKS = (
    compute_ports_have_rails,
    ports_are_distinct,
    inband_ports_are_nics,
    gpus_are_described,
)
