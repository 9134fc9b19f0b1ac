"""How much may happen at one time: what the engine holds to, and what a preview counts with."""

from __future__ import annotations

DESTRUCTIVE_PER_RACK = 2
"""Hosts in service of one rack, and so of one NVLink domain, that may be away at one time."""
CLEANS = 40
"""Machines whose disks are wiped at one time, by one Ironic."""
DEPLOYS = 100
"""Machines that are deployed at one time, by one Ironic."""
PER_BMC = 4
"""Requests under way at one BMC."""
