"""Whatever a client sends, a simulated BMC answers as Redfish has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.fleet.fleet import Request
from lab.fleet.resources import TREES
from tests.fleet_world import DPU, SHELF, SWITCH, TRAY, Client, fleet

ODD: list[Any] = [
    None, 5, [], "text", {}, {"": 1}, {"ResetType": None}, {"ResetType": ["On"]}, {"ResetType": "On", "More": 1},
    {"Boot": None}, {"Boot": {"BootOrder": 5}}, {"Boot": {"BootOrder": [1]}}, {"Boot": {"BootSourceOverrideTarget": {}}},
    {"Attributes": 5}, {"Attributes": {"TPM": {}}}, {"Attributes": {"TPM": None}}, {"SecureBootEnable": 1},
    {"UserName": "a/b", "Password": "long-enough", "RoleId": "ReadOnly"}, {"UserName": 5, "Password": 5},
    {"UserName": "a", "Password": "b", "RoleId": {}}, {"Password": None}, {"Enabled": False}, {"Locked": "no"},
    {"AccountLockoutThreshold": True}, {"Destination": 1, "Protocol": "SNMPv1"}, {"Mode": 1}, {"BmcRShim": {}},
    {"PowerRestorePolicy": "Never"},
]  # fmt: skip


@pytest.mark.parametrize("name", [TRAY, DPU, SWITCH, SHELF])
def test_no_body_of_any_form_is_done_or_breaks_an_endpoint(name: str) -> None:
    client = Client(fleet(), name)
    tree = TREES[client.endpoint.entry.kind]
    paths = [(path, method) for path, node in tree.nodes.items() for method in node.acts if method != "GET"]
    paths.append(("/redfish/v1/AccountService/Accounts/root", "PATCH"))
    assert len(paths) > 8
    for path, method in paths:
        for odd in (*ODD, b"{", b"\xff", b"[" * 50):
            headers = {"content_type": "multipart/form-data; boundary=edge"}
            status, body, _ = client.ask(method, path, json.dumps(odd).encode() if odd is None else odd, **headers)
            is_empty_change = odd == {} and method == "PATCH"
            is_default = path.endswith(("Bios.ResetBios", "ComputerSystem.SetDefaultBootOrder"))
            if not is_empty_change and not is_default:
                assert 400 <= status < 500, (path, odd, status)
                assert body["error"]["@Message.ExtendedInfo"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH", "OPTIONS"])
def test_what_is_not_there_is_not_found_and_what_may_not_be_done_is_told_with_what_may(method: str) -> None:
    client = Client(fleet())
    assert client.ask(method, "/redfish/v1/Systems/System_9")[0] == 404
    assert client.ask(method, "/redfish/v1/TaskService/Tasks/9")[0] == 404
    if method != "GET":
        status, _, headers = client.ask(method, "/redfish/v1/Chassis")
        assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_strangers_see_the_root_and_nothing_else() -> None:
    client = Client(fleet())
    for path in ("/redfish", "/redfish/v1", "/redfish/v1/", "/redfish/v1/odata", "/redfish/v1/$metadata"):
        answer = client.fleet.handle(client.endpoint, Request("GET", path, {}))
        assert answer.status == 200
    for header in ("", "Basic", "Basic %%%", "Bearer x", "Basic cm9vdA=="):
        assert client.ask("GET", "/redfish/v1/Systems", authorization=header)[0] == 401


def test_every_link_leads_somewhere_on_every_kind() -> None:
    f = fleet()
    for name, least in ((TRAY, 150), (DPU, 50), (SWITCH, 50), (SHELF, 80)):
        client, seen, todo = Client(f, name), set[str](), ["/redfish/v1"]
        while todo:
            path = todo.pop()
            if path in seen or "#" in path:
                continue
            seen.add(path)
            todo += _links(client.get(path))
        assert len(seen) >= least


def _links(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [str(v) for k, v in value.items() if k == "@odata.id"]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return own + [link for v in value.values() for link in _links(v)]  # pyright: ignore[reportUnknownVariableType]
    return [link for v in value for link in _links(v)] if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]
