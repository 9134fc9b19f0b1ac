"""The resources of a kind of endpoint, by path.

A resource that is the same on all endpoints of a kind is rendered once, when the program starts; the others when
they are asked for. So an endpoint costs the memory of what it differs in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.fleet.answers import Answer, Json, not_allowed, not_found, ok, refuse
from lab.fleet.answers import Message as Reason
from lab.fleet.call import Call

ROOT = "/redfish/v1"
Show = Callable[[Call], Json]
Act = Callable[[Call], Answer]
ShowOne = Callable[[Call, str], Json | None]
ActOnOne = Callable[[Call, str], Answer]

HEALTHY: Mapping[str, str] = {"State": "Enabled", "Health": "OK"}


@dataclass(frozen=True, slots=True)
class Node:
    """A resource at a path."""

    show: Show | bytes | None
    """None: it is an action, there is nothing to see."""
    acts: Mapping[str, Act] = field(default_factory=dict[str, Act])


@dataclass(frozen=True, slots=True)
class Family:
    """Resources that come and go, under the path of their collection."""

    ids: Callable[[Call], list[str]]
    show: ShowOne
    acts: Mapping[str, ActOnOne] = field(default_factory=dict[str, ActOnOne])


class Tree:
    """All paths of a kind of endpoint."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.families: dict[str, Family] = {}

    def add(self, body: Json, **acts: Act) -> None:
        """A resource that all endpoints of the kind share; its path is its `@odata.id`."""
        self.nodes[body["@odata.id"]] = Node(json.dumps(body).encode(), acts)

    def dynamic(self, path: str, show: Show, **acts: Act) -> None:
        """A resource that is rendered when it is asked for."""
        self.nodes[path] = Node(show, acts)

    def action(self, path: str, act: Act) -> None:
        self.nodes[path] = Node(None, {"POST": act})

    def family(self, path: str, type: str, name: str, family: Family, **acts: Act) -> None:
        """A collection whose members come and go."""
        self.families[path] = family
        self.dynamic(path, lambda call: collection(path, type, name, family.ids(call)), **acts)

    def answer(self, call: Call) -> Answer:
        """Do what a request asks, or raise the refusal."""
        if node := self.nodes.get(call.path):
            return self._answer(call, node)
        parent, _, id = call.path.rpartition("/")
        family = self.families.get(parent)
        if family is None or family.show(call, id) is None:
            raise not_found(call.path)
        acts = {method: _bound(act, id) for method, act in family.acts.items()}
        return self._answer(call, Node(lambda c: family.show(c, id) or {}, acts))

    def shown(self, call: Call, path: str) -> Json | None:
        """A resource as it is seen at another path."""
        if (node := self.nodes.get(path)) and node.show is not None:
            return json.loads(node.show) if isinstance(node.show, bytes) else node.show(call)
        parent, _, id = path.rpartition("/")
        family = self.families.get(parent)
        return family.show(call, id) if family else None

    def _answer(self, call: Call, node: Node) -> Answer:
        if act := node.acts.get(call.method):
            return act(call)
        if call.method not in ("GET", "HEAD") or node.show is None:
            raise not_allowed(*(["GET", "HEAD"] if node.show is not None else []), *node.acts)
        if call.query:
            return ok(self._expanded(call, node.show))
        return Answer(200, node.show) if isinstance(node.show, bytes) else ok(node.show(call))

    def _expanded(self, call: Call, show: Show | bytes) -> Json:
        """`$expand=.` with one level, which is what collections are read with; no other query is known."""
        if call.query.replace("%24", "$").replace("%28", "(").replace("%29", ")").replace("%3D", "=") not in (
            "$expand=.",
            "$expand=.($levels=1)",
            "$expand=*",
            "$expand=*($levels=1)",
        ):
            text = "The query is not supported by the implementation."
            raise refuse(501, Reason("QueryNotSupportedOnResource", text))
        body: Json = json.loads(show) if isinstance(show, bytes) else show(call)
        members: list[Any] = body.get("Members", [])
        body["Members"] = [self.shown(call, m["@odata.id"]) or m for m in members]
        return body


def _bound(act: ActOnOne, id: str) -> Act:
    return lambda call: act(call, id)


def resource(path: str, type: str, id: str, name: str, **properties: Any) -> Json:
    """The common head of a resource."""
    return {"@odata.id": path, "@odata.type": f"#{type}", "Id": id, "Name": name, **properties}


def collection(path: str, type: str, name: str, ids: list[str]) -> Json:
    """A collection and its members' links."""
    return {
        "@odata.id": path,
        "@odata.type": f"#{type}Collection.{type}Collection",
        "Name": name,
        "Members": [link(f"{path}/{id}") for id in ids],
        "Members@odata.count": len(ids),
    }


def link(path: str) -> Json:
    return {"@odata.id": path}


def action(path: str, name: str, **allowed: list[str]) -> Json:
    """An action of the resource at `path`, with the values that its parameters may have."""
    values = {f"{parameter}@Redfish.AllowableValues": choices for parameter, choices in allowed.items()}
    return {f"#{name}": {"target": f"{path}/Actions/{name}", **values}}
