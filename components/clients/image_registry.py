"""Asks an image registry for an image, as a host does that shows no key: refused first, then with anybody's token.

Source: https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import re
import ssl

import httpx

from components.errors import DeviceError, Problem

MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
_ANSWER_S = 10.0
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class RegistryError(DeviceError):
    """The registry, or who issues its tokens, gives no answer."""


async def anonymous_status(
    registry: str,
    repository: str,
    reference: str,
    tls: ssl.SSLContext,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
) -> int:
    """HTTP status of a manifest, by tag or digest, for a caller without a key. Raises RegistryError."""
    url = f"https://{registry}/v2/{repository}/manifests/{reference}"
    headers = {"Accept": MANIFESTS}
    try:
        async with httpx.AsyncClient(verify=tls, timeout=_ANSWER_S, trust_env=False, transport=transport) as client:
            answer = await client.head(url, headers=headers)
            told = dict(_CHALLENGE.findall(answer.headers.get("WWW-Authenticate", "")))
            if answer.status_code != 401 or "realm" not in told:
                return answer.status_code
            asked = {key: told[key] for key in ("service", "scope") if key in told}
            issued = await client.get(told["realm"], params=asked)
            if issued.status_code != 200:
                return issued.status_code
            headers["Authorization"] = f"Bearer {issued.json()['token']}"
            return (await client.head(url, headers=headers)).status_code
    except (httpx.HTTPError, ValueError, KeyError) as error:
        found = str(error) or type(error).__name__
        problem = Problem(path=url, message="gives no answer that a client could use", found=found)
        raise RegistryError(f"{registry} gives no answer", [problem]) from error
