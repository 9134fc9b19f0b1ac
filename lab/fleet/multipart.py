"""The parts of a multipart/form-data body (RFC 7578), by name."""

from __future__ import annotations

from email.message import Message as Headers

from lab.fleet.answers import Message as Reason
from lab.fleet.answers import malformed, refuse


def parts(content_type: str, body: bytes) -> dict[str, bytes]:
    """Name -> content of each part; raises the refusal for a body of another form."""
    kind, parameters = _header(content_type)
    boundary = parameters.get("boundary", "")
    if kind != "multipart/form-data" or not boundary:
        text = "The request header 'Content-Type' must be multipart/form-data with a boundary."
        raise refuse(415, Reason("HeaderInvalid", text, ("Content-Type",)))
    found: dict[str, bytes] = {}
    mark = b"--" + boundary.encode()
    sections = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(sections) < 3 or not sections[-1].startswith(b"--"):
        raise malformed("The multipart body is cut off.")
    for section in sections[1:-1]:
        head, _, content = section.lstrip(b" \t")[2:].partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            name, _, value = line.decode("utf-8", "replace").partition(":")
            if name.strip().lower() == "content-disposition":
                found[_header(value)[1].get("name", "")] = content
    return found


def _header(value: str) -> tuple[str, dict[str, str]]:
    """A header's value and its parameters."""
    headers = Headers()
    headers["Content-Type"] = value.strip()
    pairs = headers.get_params(failobj=[], header="Content-Type")
    return (pairs[0][0].lower() if pairs else ""), {name.lower(): text for name, text in pairs[1:]}
