"""`gpuregion:runtime:Certificate`: a certificate that the region's authority has issued.

It lives in state alone; nothing has to be taken back when it is deleted, and a server goes on with it until its end.
When it is issued anew stands in certificate_preview.py.
"""

from __future__ import annotations

from typing import Any

from components.clients.certificates import is_issued_by, issue
from components.provider.certificate_preview import CertificatePreview
from components.provider.handler import Context, Created, Properties

OUTPUTS = ("certificate", "key", "not_after")


class CertificateHandler(CertificatePreview):
    """Implements provider.handler.Handler."""

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        """Issue it."""
        issued = issue(
            context.project,
            ca_certificate=inputs["ca_certificate"],
            ca_key=inputs["ca_key"],
            names=inputs["names"],
            days=int(inputs["days"]),
        )
        context.report(f"issued until {issued.not_after[:10]}")
        outputs = {"certificate": issued.certificate, "key": issued.key, "not_after": issued.not_after}
        return Created(id=name, outputs=outputs)

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        """Issue it anew, with a new key."""
        return (await self.create(id, new, context)).outputs

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        """As it is in state; without its end, if another authority would issue it now."""
        found = {key: state[key] for key in OUTPUTS if key in state}
        if found.get("certificate") and not is_issued_by(
            context.project, found["certificate"], state["ca_certificate"]
        ):
            return {**found, "not_after": ""}
        return found

    async def delete(self, id: str, state: Properties, context: Context) -> None:
        """Forget it."""
