"""Weights of the lab's models: bytes that mean nothing, the same in every lab, in the bucket that real ones lie in.

Owns what they are and that they are published. How they lie in the bucket is the program's (components/programs/weights).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from lab import shell
from lab.context import Lab
from lab.images import store
from lab.toolchain.build import ensure

BUCKET = "weights"
"""As components/plan/naming.py names it for every region."""
CHECKPOINTS = ("lab/echo",)
"""As the catalogue's models name them."""
_FILES, _FILE_BYTES = 2, 4 << 20
_FORMAT = b"1"
"""Raised when the files become others."""


def build(checkpoint: str, report: store.Report = store.silent) -> Path:
    """The folder with the files, made if the cache does not have it."""

    def make(draft: Path) -> None:
        for number in range(1, _FILES + 1):
            noise = hashlib.shake_256(f"{checkpoint} {number}".encode()).digest(_FILE_BYTES)
            (draft / f"weights-{number}-of-{_FILES}.bin").write_bytes(noise)
        about = {"simulated": True, "checkpoint": checkpoint, "note": "noise: no model was ever in it"}
        (draft / "config.json").write_text(json.dumps(about, indent=1) + "\n")

    key = store.digest_of({"weights": checkpoint.encode(), "format": _FORMAT})
    return store.build_once(key, f"weights {checkpoint}", make, report)


def publish(lab: Lab, report: store.Report = store.silent) -> Mapping[str, Mapping[str, object]]:
    """Checkpoint -> what the artifact index says of it. What the bucket has is left alone."""
    services, found = lab.wiring.services, dict[str, Mapping[str, object]]()
    for checkpoint in CHECKPOINTS:
        told = shell.run(
            *(ensure("weights")["weights"], "publish", "--folder", build(checkpoint, report), "--bucket", BUCKET),
            *("--endpoint", f"https://{services.address}:{services.s3}", "--ca", lab.home.pki / "region-ca.crt"),
            *("--credentials", lab.home.secrets / "s3.json"),
        )
        found[checkpoint] = json.loads(told)
        report(f"weights {checkpoint}: {found[checkpoint]['manifest']}")
    return found
