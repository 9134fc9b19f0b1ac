"""Answers of a Redfish service: bodies, headers, and errors in the form of the Base message registry.

DSP0266 8.6 (error responses) and DSP2065 (message registries); messages are of Base.1.18.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

Json = dict[str, Any]
_REGISTRY = "Base.1.18.0"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to a client."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    type: str = "application/json"


class Refusal(Exception):
    """A request that is not done, as the answer says it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the Base registry."""

    id: str
    text: str
    args: tuple[str, ...] = ()
    severity: str = "Critical"
    resolution: str = "None."
    related: tuple[str, ...] = field(default=())

    def as_json(self) -> Json:
        found: Json = {
            "@odata.type": "#Message.v1_1_2.Message",
            "MessageId": f"{_REGISTRY}.{self.id}",
            "Message": self.text,
            "MessageArgs": list(self.args),
            "MessageSeverity": self.severity,
            "Resolution": self.resolution,
        }
        if self.related:
            found["RelatedProperties"] = list(self.related)
        return found


def ok(body: Json, status: int = 200, **headers: str) -> Answer:
    """An answer with a resource."""
    return Answer(status, json.dumps(body).encode(), tuple((k.replace("_", "-"), v) for k, v in headers.items()))


NO_CONTENT = Answer(204)


def etag(body: bytes) -> str:
    """The entity tag of a representation."""
    return f'W/"{blake2b(body, digest_size=6).hexdigest()}"'


def refuse(status: int, *messages: Message, headers: tuple[tuple[str, str], ...] = ()) -> Refusal:
    """An error with its reasons."""
    body = {
        "error": {
            "code": f"{_REGISTRY}.{messages[0].id if len(messages) == 1 else 'GeneralError'}",
            "message": messages[0].text if len(messages) == 1 else "See @Message.ExtendedInfo for what went wrong.",
            "@Message.ExtendedInfo": [m.as_json() for m in messages],
        }
    }
    return Refusal(Answer(status, json.dumps(body).encode(), headers))


def not_found(path: str) -> Refusal:
    return refuse(404, Message("ResourceMissingAtURI", f"The resource at the URI '{path}' was not found.", (path,)))


def not_allowed(*methods: str) -> Refusal:
    message = Message("OperationNotAllowed", "The HTTP method is not allowed on this resource.")
    return refuse(405, message, headers=(("Allow", ", ".join(methods)),))


def unauthorized() -> Refusal:
    message = Message("NoValidSession", "There is no valid session established with the implementation.")
    return refuse(401, message, headers=(("WWW-Authenticate", 'Basic realm="Redfish", charset="UTF-8"'),))


def password_change_required(account: str) -> Refusal:
    text = f"The password provided for this account must be changed before access is granted. PATCH {account}."
    return refuse(403, Message("PasswordChangeRequired", text, (account,)))


def malformed(text: str = "The request body submitted was malformed JSON.") -> Refusal:
    return refuse(400, Message("MalformedJSON", text))


def missing(name: str) -> Refusal:
    text = f"The property '{name}' is a required property and must be included in the request."
    return refuse(400, Message("PropertyMissing", text, (name,), related=(f"#/{name}",)))


def unknown(name: str) -> Message:
    text = f"The property '{name}' is not in the list of valid properties for the resource."
    return Message("PropertyUnknown", text, (name,), "Warning", related=(f"#/{name}",))


def read_only(name: str) -> Message:
    text = f"The property '{name}' is a read-only property and cannot be assigned a value."
    return Message("PropertyNotWritable", text, (name,), "Warning", related=(f"#/{name}",))


def bad_value(value: object, name: str, allowed: str = "") -> Message:
    text = f"The value '{value}' for the property '{name}' is not in the list of acceptable values."
    hint = f"Choose {allowed}." if allowed else "Choose a value of the schema."
    return Message("PropertyValueNotInList", text, (str(value), name), "Warning", hint, (f"#/{name}",))


def unavailable(text: str, after_s: float) -> Refusal:
    seconds = str(max(1, round(after_s)))
    message = Message("ServiceTemporarilyUnavailable", f"{text} Retry in {seconds} seconds.", (seconds,))
    return refuse(503, message, headers=(("Retry-After", seconds),))


def error(status: int) -> Answer:
    """A server error without a reason, as overloaded BMCs give."""
    return refuse(status, Message("InternalError", "The request failed due to an internal service error.")).answer
