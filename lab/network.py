"""Name spaces, cables, the out-of-band bridge and the edge links.

Cables exist apart from the devices: a switch's name space and a machine's chassis hold their ports
while the power is off. Ports are made without power (down); whoever powers a device brings them up.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator

from lab import links, shell
from lab.errors import LabError
from lab.switches.root import SYSCTLS
from lab.wiring import EDGE, Machine, Wiring

_BRIDGE_MAC = "02:1a:b0:00:00:01"
_FIRST_INDEX = 1000
"""Both ends of a cable get numbers of their own. The kernel tells the loss of carrier at once only if the numbers
of the two ends differ, else up to a second later: routes over a dead switch would stay in use that long."""


def chassis(machine: str) -> str:
    """Name space that holds a machine's network ports while it is powered off."""
    return f"{machine}-chassis"


def oob_port(device: str) -> str:
    """The bridge's port that a device's management cable is plugged into."""
    return f"{device}-o"


def ensure(wiring: Wiring) -> bool:
    """Make what is missing of the network; whether anything was."""
    made = _ensure_bridge(wiring)
    for switch in wiring.switches:
        if links.add_namespace(switch.name):
            links.sysctl(switch.name, SYSCTLS)
            made = True
    for machine in wiring.machines:
        made |= links.add_namespace(chassis(machine.name))
    return _ensure_cables(wiring) | _ensure_edges(wiring) | made


def ensure_machine(wiring: Wiring, machine: Machine) -> None:
    """Plug one machine in again, if its ports were lost with a name space that died."""
    links.add_namespace(chassis(machine.name))
    _ensure_cables(wiring)


def where_is(wiring: Wiring, device: str, port: str) -> str | None:
    """Name space that a port is in now; None is the bench machine itself."""
    known = _port_names(wiring)
    if port not in known.get(device, ()):
        raise LabError(
            "there is no such port in this lab",
            found=f"{device} {port}",
            allowed=" ".join(known.get(device, ())) or f"a port of {', '.join(known)}",
        )
    if device == EDGE:
        return None
    # A machine's ports move with its power.
    for namespace in (device, chassis(device)):
        if links.namespace_exists(namespace) and port in links.interfaces(namespace):
            return namespace
    raise LabError(f"the cable of {device} {port} is not there", remedy="python -m lab up makes it")


def spaces(wiring: Wiring) -> list[str]:
    """Names of all name spaces that devices of this lab live in, or leave their ports in."""
    return [*wiring.device_names, *(chassis(machine.name) for machine in wiring.machines)]


def remove(wiring: Wiring) -> bool:
    """Remove all that `ensure` makes, and the name spaces of running machines, by their names; whether any was."""
    devices = wiring.device_names
    found = [space for space in spaces(wiring) if (links.NAMESPACES / space).exists()]
    for space in found:
        links.delete_namespace(space)
    # A name space may outlive its name for a while; what is in the root name space goes by name.
    known = links.interfaces()
    ours = [oob_port(d) for d in devices] + [e.port for e in wiring.edges] + [wiring.oob.bridge]
    left = [name for name in ours if name in known]
    links.batch((f"link del {name}" for name in left), tolerant=True)
    return bool(found or left)


def refuse_collisions(wiring: Wiring) -> None:
    """Refuse to build a network over one that this machine has already."""
    ours = {wiring.oob.bridge, *(e.port for e in wiring.edges)}
    wanted = [wiring.oob.network, *wiring.edge_routes, *(e.address.network for e in wiring.edges)]
    for route in json.loads(shell.run("ip", "-j", "-4", "route", "show", "table", "all") or "[]"):
        devices = {route.get("dev"), *(hop.get("dev") for hop in route.get("nexthops", []))}
        if route["dst"] == "default" or route.get("type", "unicast") != "unicast" or devices & ours:
            continue
        present = ipaddress.IPv4Network(route["dst"])
        for network in wanted:
            if present.subnet_of(network):
                raise LabError(
                    f"this machine already has a route into {network}, which the lab needs",
                    found=f"{present} on {', '.join(sorted(d for d in devices if d))}",
                    remedy="change the pools in the region's description, or remove that route",
                )


def _ensure_bridge(wiring: Wiring) -> bool:
    bridge, oob = wiring.oob.bridge, wiring.oob
    missing = bridge not in links.interfaces()
    if missing:
        # A bridge takes the lowest MAC of its ports unless it has one: then neighbours would have to learn it again.
        links.batch([f"link add {bridge} address {_BRIDGE_MAC} type bridge mcast_snooping 0"])
        links.interface_setting(bridge, "ipv6", "disable_ipv6", "1")
    addresses = [f"{oob.gateway}/{oob.network.prefixlen}"]
    addresses += [f"{machine.bmc_address}/32" for machine in wiring.machines]
    present = json.loads(shell.run("ip", "-j", "-4", "addr", "show", "dev", bridge) or "[]")
    have = {f"{a['local']}/{a['prefixlen']}" for link in present for a in link.get("addr_info", [])}
    lacking = [a for a in addresses if a not in have]
    links.batch([f"link set {bridge} up", *(f"addr add {a} dev {bridge}" for a in lacking)])
    return missing or bool(lacking)


def _ensure_cables(wiring: Wiring) -> bool:
    root = links.interfaces()
    plugged = {switch.name: links.interfaces(switch.name) for switch in wiring.switches}
    lines: list[str] = []
    new_root: list[str] = []
    for device, namespace, name, mac in _oob_nics(wiring):
        if (port := oob_port(device)) not in root:
            lines.append(f"link add {port} type veth peer name {name} {mac} netns {namespace}")
            new_root.append(port)
    macs = {(m.name, nic.name): nic.mac for m in wiring.machines for nic in m.nics}
    machines = {m.name for m in wiring.machines}
    for number, cable in enumerate(wiring.cables):
        ends = (cable.a, cable.b)
        known = [root if e.device == EDGE else plugged.get(e.device) for e in ends]
        # A machine's end may be in either of its name spaces; the other end tells as well.
        if any(ports is not None and end.port in ports for ports, end in zip(known, ends, strict=True)):
            continue
        words: list[str] = []
        for side, end in enumerate(ends):
            if end.device == EDGE:
                words.append(end.port)
                new_root.append(end.port)
                continue
            mac = macs.get((end.device, end.port))
            space = chassis(end.device) if end.device in machines else end.device
            index = _FIRST_INDEX + 2 * number + side
            words.append(f"{end.port} index {index} {f'address {mac}' if mac else ''} netns {space}")
        lines.append(f"link add {words[0]} type veth peer name {words[1]}")
    links.batch(lines)
    for port in new_root:
        links.interface_setting(port, "ipv6", "disable_ipv6", "1")
    bridged = [oob_port(device) for device in wiring.device_names]
    links.batch(
        f"link set {port} master {wiring.oob.bridge} up"
        for port in bridged
        if port in new_root or root[port].get("master") != wiring.oob.bridge or "UP" not in root[port]["flags"]
    )
    return bool(lines)


def _oob_nics(wiring: Wiring) -> Iterator[tuple[str, str, str, str]]:
    for switch in wiring.switches:
        yield switch.name, switch.name, "eth0", ""
    for machine in wiring.machines:
        for nic in machine.nics:
            if nic.oob:
                yield machine.name, chassis(machine.name), nic.name, f"address {nic.mac}"


def _ensure_edges(wiring: Wiring) -> bool:
    """Addresses and routes of the bench machine into the fabric. A next hop counts while its cable has carrier."""
    if not wiring.edges:
        return False
    for edge in wiring.edges:
        # Only for this interface: all others of the machine keep what they have.
        links.interface_setting(edge.port, "ipv4", "ignore_routes_with_linkdown", "1")
    hops = " ".join(f"nexthop via {edge.via} dev {edge.port}" for edge in wiring.edges)
    wanted = {str(network) for network in wiring.edge_routes}
    routes = json.loads(shell.run("ip", "-j", "-4", "route", "show", "proto", "static") or "[]")
    present = {r["dst"] for r in routes if len(_hop_devices(r)) == len(wiring.edges)}
    known = links.interfaces()
    lines = [f"addr replace {e.address} dev {e.port}" for e in wiring.edges]
    lines += [f"link set {e.port} up" for e in wiring.edges if "UP" not in known[e.port]["flags"]]
    lines += [f"route replace {network} proto static {hops}" for network in sorted(wanted - present)]
    links.batch(lines)
    return bool(wanted - present)


def _hop_devices(route: dict[str, list[dict[str, str]]]) -> list[str]:
    hops = route.get("nexthops")
    return [hop["dev"] for hop in hops] if hops else [str(route.get("dev"))]


def _port_names(wiring: Wiring) -> dict[str, tuple[str, ...]]:
    return {
        **{switch.name: ("eth0", *switch.ports) for switch in wiring.switches},
        **{machine.name: tuple(nic.name for nic in machine.nics) for machine in wiring.machines},
        EDGE: tuple(edge.port for edge in wiring.edges),
    }
