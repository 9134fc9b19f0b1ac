"""From Ironic's words to a cause and a next step.

Owns the known causes. Ironic reports every failure as a sentence in `last_error`; an operator at night
needs to know which of a dozen things to look at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from components.clients.redaction import redact
from components.errors import Problem

RUNBOOK = "docs/runbooks/HostDoesNotDeploy.md"
FOUND_LIMIT = 400


@dataclass(frozen=True)
class _Cause:
    rule: str
    pattern: re.Pattern[str]
    message: str
    remedy: str


def _cause(rule: str, pattern: str, message: str, remedy: str) -> _Cause:
    return _Cause(rule, re.compile(pattern, re.IGNORECASE | re.DOTALL), message, remedy)


# The first that matches wins: an image's 404 must not be read as a BMC's.
_CAUSES = (
    _cause(
        "image-missing",
        r"image href .*failed|HTTP code (404|403|410) instead of 200|image .*(not found|404)",
        "the deploy image cannot be fetched",
        "publish the image again (in the lab: `python -m lab up`), or correct `images` in racks.yaml",
    ),
    _cause(
        "image-differs",
        r"checksum|hash value",
        "the deploy image is not the one that was asked for",
        "publish the image again, so that its content has the digest of the artifact index",
    ),
    _cause(
        "bmc-credentials",
        r"AccessError|returned code 40[13]|authentication|unauthorized|invalid username or password",
        "the BMC refused the credentials",
        "correct the file that `credentials.bmc` names in region.yaml; do not try passwords: BMCs lock",
    ),
    _cause(
        "bmc-certificate",
        r"certificate.verify.failed|CERTIFICATE_VERIFY_FAILED|SSLError",
        "the BMC's certificate is not signed by the region's CA",
        "install a certificate of the region's CA on the BMC",
    ),
    _cause(
        "bmc-unreachable",
        r"Redfish connection failed|unable to connect|max retries|connection (refused|reset|aborted)|no route to host"
        r"|timed out|ConnectTimeout",
        "the BMC does not answer",
        "check its power, cable and address (in the lab: `python -m lab status`)",
    ),
    _cause(
        "no-call-back",
        r"timeout reached while (waiting for callback|cleaning|inspecting)|call-?back",
        "the agent did not call back in time",
        "read the tray's console: the agent did not boot, or does not reach Ironic",
    ),
)


def diagnose(tray: str, doing: str, reason: str | None) -> Problem:
    """The cause behind Ironic's `reason`, met while `doing` something to `tray`."""
    text = redact(" ".join((reason or "").split()))
    found = f"{text[:FOUND_LIMIT]}..." if len(text) > FOUND_LIMIT else text or "Ironic gave no reason"
    for cause in _CAUSES:
        if cause.pattern.search(text):
            return Problem(
                path=tray,
                message=f"{doing} failed: {cause.message}",
                found=found,
                remedy=f"{cause.remedy}; then run again. {RUNBOOK}",
                rule=cause.rule,
            )
    return Problem(
        path=tray,
        message=f"{doing} failed",
        found=found,
        remedy=f"{RUNBOOK}; then run again",
        rule=f"{doing.replace(' ', '-')}-failed",
    )


def timed_out(tray: str, doing: str, after_s: float, state: str) -> Problem:
    """A tray that did not finish in the time it is given."""
    return Problem(
        path=tray,
        message=f"{doing} did not end in {after_s:g} s",
        found=f"Ironic's state is still `{state}`",
        remedy=f"read the tray's console, {RUNBOOK}; then run again: it starts this step anew",
        rule="timeout",
    )
