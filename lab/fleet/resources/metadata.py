"""The OData service document and the metadata document (DSP0266 8.4): which schemas the resources follow."""

from __future__ import annotations

import json
import re

from lab.fleet.answers import Answer
from lab.fleet.call import Call
from lab.fleet.hardware.model import Hardware
from lab.fleet.resources.tree import ROOT, Node, Tree

METADATA = f"{ROOT}/$metadata"
ODATA = f"{ROOT}/odata"
_SCHEMAS = "http://redfish.dmtf.org/schemas/v1"
# Types of resources that may be there although none of them is shown at the start.
_MORE = [
    "EventDestination.v1_13_0",
    "ManagerAccount.v1_11_0",
    "Session.v1_5_0",
    "Task.v1_7_0",
    "Message.v1_1_2",
    "Settings.v1_3_5",
    "ComputerSystem.v1_20_0",
    "Manager.v1_18_0",
    "Chassis.v1_23_0",
    "Bios.v1_2_0",
    "SecureBoot.v1_1_0",
    "BootOption.v1_0_4",
    "EthernetInterface.v1_9_0",
    "LeakDetector.v1_0_0",
    "Assembly.v1_3_0",
    "SoftwareInventory.v1_9_0",
    "ServiceRoot.v1_15_0",
    "AccountService.v1_14_0",
    "TaskService.v1_2_0",
]
_COLLECTIONS = "ManagerAccount Session EventDestination Task BootOption"
_TYPE = re.compile(r'"@odata\.type": "#([A-Za-z]+)\.(?:(v\d+_\d+_\d+)\.)?')


def add(tree: Tree, hardware: Hardware) -> None:
    """Comes last: it tells of what is in the tree."""
    del hardware
    versions: dict[str, set[str]] = {f"{name}Collection": set() for name in _COLLECTIONS.split()}
    for text in _MORE:
        name, _, version = text.partition(".")
        versions.setdefault(name, set()).add(version)
    for node in tree.nodes.values():
        if isinstance(node.show, bytes):
            for name, version in _TYPE.findall(node.show.decode()):
                versions.setdefault(name, set()).update({version} - {""})
    document = _document(versions).encode()
    services = [
        {"name": name, "kind": "Singleton", "url": f"{ROOT}/{path}"}
        for name, path in (("Service", ""), ("Systems", "Systems"), ("Managers", "Managers"), ("Chassis", "Chassis"))
    ]
    odata = json.dumps({"@odata.context": METADATA, "value": services}).encode()
    tree.nodes[METADATA] = Node(None, {"GET": lambda call: _answer(call, document, "application/xml")})
    tree.nodes[ODATA] = Node(odata)


def _answer(call: Call, body: bytes, type: str) -> Answer:
    del call
    return Answer(200, body, type=type)


def _document(versions: dict[str, set[str]]) -> str:
    def reference(uri: str, *namespaces: str) -> str:
        includes = "".join(f'<edmx:Include Namespace="{n}"/>' for n in namespaces)
        return f'<edmx:Reference Uri="{uri}">{includes}</edmx:Reference>'

    lines = [
        reference(f"{_SCHEMAS}/{name}_v1.xml", name, *(f"{name}.{v}" for v in sorted(versions[name])))
        for name in sorted(versions)
    ]
    lines.append(reference(f"{_SCHEMAS}/RedfishExtensions_v1.xml", "RedfishExtensions.v1_0_0"))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">'
        + "".join(lines)
        + '<edmx:DataServices><Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">'
        '<EntityContainer Name="Service" Extends="ServiceRoot.v1_15_0.ServiceContainer"/>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )
