"""The one list of exports."""

from __future__ import annotations

from collections.abc import Mapping

from components.plan.exports.eu_report import eu_report
from components.plan.exports.infragraph import infrastructure
from components.plan.exports.netbox import netbox
from components.plan.exports.nico import expected_machines
from components.plan.exports.topograph import model
from components.plan.renders import Render, whole

EXPORTS: Mapping[str, Render] = {
    "nico": Render(pieces=whole(expected_machines), about="expected machines of NVIDIA Infra Controller"),
    "netbox": Render(pieces=whole(netbox), about="NetBox: CSV files for its bulk import"),
    "topograph": Render(pieces=whole(model), about="topograph: switch tree and NVLink domains"),
    "infragraph": Render(pieces=whole(infrastructure), about="InfraGraph: devices, instances and links"),
    "eu-report": Render(pieces=whole(eu_report), about="inputs of the report under Regulation (EU) 2024/1364"),
}
