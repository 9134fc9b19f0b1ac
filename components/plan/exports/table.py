"""The one list of exports."""

from __future__ import annotations

from collections.abc import Mapping

from components.plan.exports.infragraph import infrastructure
from components.plan.exports.netbox import netbox
from components.plan.exports.nico import expected_machines
from components.plan.exports.topograph import model
from components.plan.renders import Render

EXPORTS: Mapping[str, Render] = {
    "nico": Render(files=expected_machines, about="expected machines of NVIDIA Infra Controller"),
    "netbox": Render(files=netbox, about="NetBox: CSV files for its bulk import"),
    "topograph": Render(files=model, about="topograph: switch tree and NVLink domains"),
    "infragraph": Render(files=infrastructure, about="InfraGraph: devices, instances and links"),
}
