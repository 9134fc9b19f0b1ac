"""What a preview asks of a certificate: whether it is well described, and whether it is issued anew. Pure.

Owns when that is: its names or its authority have changed, or its end is near.
"""

from __future__ import annotations

import datetime

from components.errors import Problem
from components.provider.handler import Change, Properties


class CertificatePreview:
    """Implements provider.handler.Previewed."""

    token = "gpuregion:runtime:Certificate"  # noqa: S105 - a resource type

    def check(self, inputs: Properties) -> list[Problem]:
        """A certificate is for something, and lasts longer than it may be close to its end."""
        problems: list[Problem] = []
        if not inputs.get("names"):
            problems.append(Problem(path="names", message="is empty", allowed="DNS names"))
        if float(inputs.get("days") or 0) <= float(inputs.get("renew_days") or 0):
            problems.append(
                Problem(path="days", message="would always be near its end", allowed="more days than renew_days")
            )
        return problems

    def diff(self, old: Properties, new: Properties) -> list[Change]:
        """What it says has changed: issued anew in place, no client notices."""
        named = ("names", "ca_certificate", "ca_key", "days")
        return [
            Change(key=key, text=f"{key} changes from {old.get(key)} to {new.get(key)}: the certificate is issued anew")
            for key in named
            if old.get(key) != new.get(key)
        ]

    def unfinished(self, inputs: Properties, outputs: Properties) -> list[Change]:
        """Its end is near, or a refresh found that another authority stands behind the reference."""
        ends = str(outputs.get("not_after") or "")
        if not ends:
            return [Change(key="names", text="the authority has changed: the certificate is issued anew")]
        left = datetime.datetime.fromisoformat(ends) - datetime.datetime.now(datetime.UTC)
        if left > datetime.timedelta(days=float(inputs["renew_days"])):
            return []
        return [Change(key="names", text=f"the certificate ends on {ends[:10]}: it is issued anew")]
