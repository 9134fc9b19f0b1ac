"""What the report of a data centre to the European database needs: Delegated Regulation (EU) 2024/1364.

Each figure is either known from the plan, with the sum that gives it, or named as one that only operation
shows. Nothing is guessed: a planned figure that stands where a measured one belongs would be reported as one.
Which annex a figure belongs to was written down from general knowledge; hold it against the text before filing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from components.plan.model import RegionPlan
from components.plan.renders.text import json_text
from components.spec.limits import UNION

THRESHOLD_KW = 500
"""Installed IT power from which a data centre reports (Article 1)."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A figure that follows from the plan."""

    field: str
    about: str
    value: float | int | str | dict[str, int]
    unit: str
    basis: str
    """How it follows."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A figure that the plan cannot know."""

    field: str
    about: str
    unit: str
    how: str
    """Measured in operation, or stated by the operator."""


_MEASURED = (
    ("E_DC", "total energy consumption", "kWh"),
    ("E_IT", "energy consumption of IT equipment", "kWh"),
    ("W_IN", "water input", "m3"),
    ("W_IN-POT", "potable water input", "m3"),
    ("E_REUSE", "waste heat reused", "kWh"),
    ("T_WH", "average temperature of waste heat", "degrees C"),
    ("T_IN", "average set point of the IT equipment's intake air", "degrees C"),
    ("E_RES-TOT", "renewable energy consumed: guarantees of origin, purchase agreements, made on site", "kWh"),
    ("CDD", "cooling degree days of the site", "degree days"),
    ("B_IN", "bandwidth of incoming data traffic", "Gbit/s"),
    ("B_OUT", "bandwidth of outgoing data traffic", "Gbit/s"),
    ("T_IN-DATA", "incoming data traffic", "EB"),
    ("T_OUT-DATA", "outgoing data traffic", "EB"),
    ("PUE", "power usage effectiveness: E_DC / E_IT over a year", "1"),
    ("WUE", "water usage effectiveness: W_IN / E_IT", "m3/kWh"),
    ("ERF", "energy reuse factor: E_REUSE / E_DC", "1"),
    ("REF", "renewable energy factor: E_RES-TOT / E_DC", "1"),
)
_STATED = (
    ("name", "name and address of the data centre, with its LAU code", "text"),
    ("owner", "owner and operator, with contacts", "text"),
    ("type", "enterprise, colocation or co-hosting", "text"),
    ("operational_since", "year and month of entry into operation", "text"),
    ("S_DC", "total floor area", "m2"),
    ("S_CR", "floor area of the computer rooms", "m2"),
    ("refrigerants", "kinds of refrigerants in the cooling", "text"),
    ("cooling_redundancy", "redundancy of the cooling", "text"),
    ("grid_functions", "services to the electrical grid, and the battery capacity offered to it", "text, kW"),
    ("C_SERV", "capacity of servers, by their rating (SERT) or an estimate", "1"),
    ("C_STOR", "capacity of storage", "PB"),
)


def eu_report(plan: RegionPlan) -> Iterator[tuple[str, str]]:
    """`<region>-eu-2024-1364.json`."""
    power, country = plan.power, plan.site.country
    is_due = country in UNION and power.draw.nameplate_kw >= THRESHOLD_KW
    why = (
        f"{power.draw.nameplate_kw:,.1f} kW of installed IT power in {country}, from {THRESHOLD_KW} kW on in the Union"
    )
    document = {
        "schema": 1,
        "regulation": "Commission Delegated Regulation (EU) 2024/1364",
        "region": plan.region,
        "is_provisional": plan.site.provisional,
        "is_due": is_due,
        "why": why,
        "known": [asdict(each) for each in _known(plan)],
        "measured": [asdict(Missing(field=f, about=a, unit=u, how="measured in operation")) for f, a, u in _MEASURED],
        "stated": [asdict(Missing(field=f, about=a, unit=u, how="stated by the operator")) for f, a, u in _STATED],
        "not_counted": list(power.not_counted),
    }
    yield f"{plan.region}-eu-2024-1364.json", json_text(document)


def _known(plan: RegionPlan) -> Iterator[Known]:
    power, site = plan.power, plan.site
    yield Known(
        field="PD_IT",
        about="installed information technology power demand",
        value=power.draw.nameplate_kw,
        unit="kW",
        basis=f"nameplates of {len(plan.racks)} racks, and {power.switches_kw:,.1f} kW of the switches beside them",
    )
    yield Known(
        field="PD_DC",
        about="power that the site is given",
        value=power.site_kw,
        unit="kW",
        basis="power.site_kw of the description",
    )
    yield Known(
        field="PUE-design",
        about="power usage effectiveness that the cooling is designed for; never reported as the measured one",
        value=power.pue,
        unit="1",
        basis="power.pue of the description",
    )
    yield Known(
        field="electrical_redundancy",
        about="feeds that may be lost without loss of load",
        value=f"N+{power.spare_feeds}",
        unit="text",
        basis=f"{len(power.feeds)} feeds; with {power.spare_feeds} lost they carry {power.surviving_kw:,.1f} kW,"
        f" and {power.facility_kw:,.1f} kW are planned",
    )
    yield Known(
        field="rack_positions",
        about="places for racks, which bound the floor of the computer rooms",
        value=sum(hall.rows * hall.racks_per_row for hall in site.halls),
        unit="1",
        basis=" + ".join(f"{hall.rows} x {hall.racks_per_row} ({hall.name})" for hall in site.halls),
    )
    yield Known(
        field="position",
        about="where it is, to find its LAU code",
        value=f"{site.latitude:g} N, {site.longitude:g} E, {site.country}",
        unit="text",
        basis="site.position of the description",
    )
    kinds = {rack.profile: 0 for rack in plan.racks}
    for rack in plan.racks:
        kinds[rack.profile] += len(rack.hosts)
    yield Known(
        field="servers",
        about="servers by kind, for the estimate of C_SERV",
        value=dict(sorted(kinds.items())),
        unit="1",
        basis="trays of the description",
    )
    cooling = {site.profile(name).cooling or "unknown" for name in kinds}
    yield Known(
        field="cooling",
        about="how heat leaves the racks; the temperatures are measured",
        value=", ".join(sorted(cooling)),
        unit="text",
        basis="profiles of the catalogue",
    )
