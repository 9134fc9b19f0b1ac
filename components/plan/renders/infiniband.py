"""The compute network as its subnet manager sees it, a folder for each island.

- `topology.net`: all switches, adapters and links, in the form in which `ibnetdiscover` prints what it found
  and `ibsim` reads what it plays. Nodes are called by name, as GUIDs are known only when hardware is there.
- `opensm.conf`: routing for a fat tree. NVIDIA's own subnet managers (UFM, NVOS) take the same names.
- `roots.txt`: names of the top switches, whose GUIDs go into `root_guid_file` when they are known;
  `guid_files` writes that file, and the map of names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from components.plan.model import RegionPlan
from components.plan.networks.model import ComputePlan, ComputeSwitch, Network, NetworkCable, Tier
from components.plan.renders.piece import Files, Piece

Links = Mapping[str, list[tuple[int, str, int]]]
"""Node -> its port, the node at the other end, and the port there."""


def infiniband(plan: RegionPlan) -> Iterator[Piece]:
    """`island-N/topology.net`, `island-N/opensm.conf` and `island-N/roots.txt` for each island."""
    # Its cables follow from these; the cables themselves are too many to be compared in no time.
    trays = tuple((rack.name, rack.profile, tuple(host.slot for host in rack.hosts)) for rack in plan.racks)
    yield Piece("", (plan.networks.compute, trays), lambda: _infiniband(plan))


def _infiniband(plan: RegionPlan) -> Files:
    compute = plan.networks.compute
    if compute is None:
        return
    links = links_of(compute, plan.networks.cables)
    for island in compute.islands:
        switches = [switch for switch in compute.switches if switch.island == island]
        folder = f"island-{island}"
        yield f"{folder}/topology.net", topology(compute, switches, links)
        yield f"{folder}/opensm.conf", opensm_conf()
        yield f"{folder}/roots.txt", "".join(f"{name}\n" for name in roots(switches))


def adapter_name(host: str, device: str) -> str:
    """`ess-r001-t01 mlx5_0`: the description that a host gives its adapter (rdma-ndd's `%h %d`)."""
    return f"{host} {device}"


def links_of(compute: ComputePlan, cables: tuple[NetworkCable, ...]) -> Links:
    """Every link from both ends, by the names and port numbers of InfiniBand."""
    numbers = {name: number for number, name in enumerate(compute.ports, start=1)}
    devices = {rail.port: rail.device or rail.port for rail in compute.rails}
    links: defaultdict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for cable in cables:
        if cable.network is not Network.COMPUTE:
            continue
        device = devices.get(cable.a_port)
        # Each port of a tray is an adapter of its own, with one port.
        a = adapter_name(cable.a_device, device) if device else cable.a_device
        a_port, b_port = 1 if device else numbers[cable.a_port], numbers[cable.b_port]
        links[a].append((a_port, cable.b_device, b_port))
        links[cable.b_device].append((b_port, a, a_port))
    return links


def topology(compute: ComputePlan, switches: list[ComputeSwitch], links: Links) -> str:
    """All nodes of these switches, top tier last, and the adapters behind them."""
    lines: list[str] = []
    names = {switch.name for switch in switches}
    adapters = {peer: None for switch in switches for _, peer, _ in links.get(switch.name, ()) if peer not in names}
    # The subnet manager of a simulation runs at the first node, which must be an adapter.
    for kind, ports, nodes in (("Hca", 1, adapters), ("Switch", len(compute.ports), names_in_order(switches))):
        for node in nodes:
            lines.append(f'{kind} {ports} "{node}"')
            lines += [f'[{port}] "{peer}"[{there}]' for port, peer, there in sorted(links.get(node, ()))]
            lines.append("")
    return "\n".join(lines)


def names_in_order(switches: list[ComputeSwitch]) -> list[str]:
    """As they are planned: by unit, then what serves the island."""
    return [switch.name for switch in switches]


def roots(switches: list[ComputeSwitch]) -> list[str]:
    """Switches of the highest tier: routes go up towards them, then down."""
    tiers = [tier for tier in (Tier.LEAF, Tier.SPINE, Tier.CORE) if any(s.tier is tier for s in switches)]
    return [switch.name for switch in switches if switch.tier is tiers[-1]]


def opensm_conf() -> str:
    """What differs from OpenSM's defaults."""
    settings = {
        "routing_engine": "ftree,updn",  # the second where a broken link makes the tree irregular
        "root_guid_file": "root_guids.txt",
        "node_name_map_name": "node_names.txt",
    }
    return "".join(f"{key} {value}\n" for key, value in settings.items())


def guid_files(switches: list[ComputeSwitch], guids: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """`root_guids.txt` and `node_names.txt`, once the GUIDs of switches are known (name -> GUID)."""
    yield "root_guids.txt", "".join(f"{guids[name]:#018x}\n" for name in roots(switches) if name in guids)
    yield "node_names.txt", "".join(f'{guid:#018x} "{name}"\n' for name, guid in sorted(guids.items()))
