"""The service root, and the event service: subscriptions are kept, nothing is sent to them."""

from __future__ import annotations

from lab.fleet.accounts import SESSIONS
from lab.fleet.answers import NO_CONTENT, Answer, Json, Message, missing, ok, refuse
from lab.fleet.call import Call
from lab.fleet.clock import calendar
from lab.fleet.endpoint import Endpoint
from lab.fleet.hardware.model import Hardware
from lab.fleet.resources import access
from lab.fleet.resources.tree import HEALTHY, ROOT, Family, Tree, link, resource

_SUBSCRIPTIONS = f"{ROOT}/EventService/Subscriptions"
_SUBSCRIPTIONS_MOST = 8


def add(tree: Tree, hardware: Hardware) -> None:
    tree.dynamic(ROOT, lambda call: _root(call.endpoint, hardware))
    access.add_sessions(tree)
    access.add_accounts(tree)
    _add_events(tree)


def _root(endpoint: Endpoint, hardware: Hardware) -> Json:
    expand = {"ExpandAll": True, "Levels": True, "Links": False, "MaxLevels": 1, "NoLinks": True}
    services = ("AccountService", "SessionService", "UpdateService", "EventService")
    return resource(
        f"{ROOT}/",
        "ServiceRoot.v1_15_0.ServiceRoot",
        "RootService",
        "Root Service",
        RedfishVersion="1.18.0",
        UUID=endpoint.uuid("service"),
        Vendor="NVIDIA",
        Product=hardware.product,
        ProtocolFeaturesSupported={"ExpandQuery": expand, "FilterQuery": False, "SelectQuery": False},
        Systems=link(f"{ROOT}/Systems"),
        Managers=link(f"{ROOT}/Managers"),
        Chassis=link(f"{ROOT}/Chassis"),
        Tasks=link(f"{ROOT}/TaskService"),
        Links={"Sessions": link(SESSIONS)},
        **{name: link(f"{ROOT}/{name}") for name in services},
    )


def _add_events(tree: Tree) -> None:
    path = f"{ROOT}/EventService"
    tree.add(
        resource(
            path,
            "EventService.v1_9_0.EventService",
            "EventService",
            "Event Service",
            ServiceEnabled=True,
            Status=HEALTHY,
            DeliveryRetryAttempts=3,
            DeliveryRetryIntervalSeconds=60,
            Subscriptions=link(_SUBSCRIPTIONS),
        )
    )
    family = Family(lambda call: list(call.state.subscriptions), _subscription, {"DELETE": _unsubscribe})
    tree.family(_SUBSCRIPTIONS, "EventDestination", "Event Subscriptions", family, POST=_subscribe)


def _subscription(call: Call, id: str) -> Json | None:
    if (found := call.state.subscriptions.get(id)) is None:
        return None
    return resource(
        f"{_SUBSCRIPTIONS}/{id}",
        "EventDestination.v1_13_0.EventDestination",
        id,
        f"Subscription since {calendar(float(found['since']))}",
        Destination=found["destination"],
        Protocol="Redfish",
        SubscriptionType="RedfishEvent",
        Context=found["context"],
        EventFormatType="Event",
    )


def _subscribe(call: Call) -> Answer:
    asked = call.fields(Destination=str, Protocol=("Redfish",), Context=str, EventFormatType=("Event",))
    for name in ("Destination", "Protocol"):
        if name not in asked:
            raise missing(name)
    if len(call.state.subscriptions) >= _SUBSCRIPTIONS_MOST:
        raise refuse(400, Message("EventSubscriptionLimitExceeded", "The event subscription limit was exceeded."))
    id = str(call.state.next("subscription"))
    call.state.subscriptions[id] = {
        "destination": asked["Destination"],
        "context": asked.get("Context", ""),
        "since": str(call.now),
    }
    call.changed = True
    return ok(_subscription(call, id) or {}, 201, Location=f"{_SUBSCRIPTIONS}/{id}")


def _unsubscribe(call: Call, id: str) -> Answer:
    del call.state.subscriptions[id]
    call.changed = True
    return NO_CONTENT
