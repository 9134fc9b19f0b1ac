"""What each kind of endpoint shows and does, as Redfish resources (DSP0266, schemas of DSP8010)."""

from __future__ import annotations

from collections.abc import Mapping

from lab.fleet.hardware import HARDWARE
from lab.fleet.hardware.model import Hardware
from lab.fleet.kinds import Kind
from lab.fleet.resources import chassis, managers, metadata, services, systems, updates
from lab.fleet.resources.tree import Tree


def _tree(hardware: Hardware) -> Tree:
    tree = Tree()
    for part in (services, systems, managers, chassis, updates, metadata):
        part.add(tree, hardware)
    return tree


TREES: Mapping[Kind, Tree] = {kind: _tree(hardware) for kind, hardware in HARDWARE.items()}
