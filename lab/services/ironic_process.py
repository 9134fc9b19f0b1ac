"""Ironic's all-in-one program with one remedy: `python -m lab.services.ironic_process --config-file FILE`.

Before each call to a BMC, Ironic hashes the BMC's password with 600,000 rounds of PBKDF2, only to look up
its cache of sessions: a third of a CPU-second, two dozen times in a deployment. Here each result is
remembered. The passwords are in this process's memory anyway, and nothing of Ironic's own files is changed.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import types


def remember_hashes() -> None:
    """Let Ironic's Redfish client, and nobody else, use a remembering `pbkdf2_hmac`."""
    from ironic.drivers.modules.redfish import utils

    remembering = types.ModuleType("hashlib")
    remembering.__dict__.update(vars(hashlib))
    remembering.__dict__["pbkdf2_hmac"] = functools.lru_cache(maxsize=1024)(hashlib.pbkdf2_hmac)
    utils.hashlib = remembering


def main() -> int:
    """Start Ironic."""
    from ironic.command import singleprocess

    remember_hashes()
    sys.argv[0] = "ironic"
    return singleprocess.main() or 0


if __name__ == "__main__":
    sys.exit(main())
