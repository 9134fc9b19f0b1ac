"""The tree of power as the page's picture needs it."""

from __future__ import annotations

from typing import Any

from components.plan.model import RegionPlan


def power_tree(plan: RegionPlan) -> dict[str, Any]:
    """Site, feeds and rows, each with what it carries and may carry."""
    power = plan.power
    halls = {hall.name: index for index, hall in enumerate(plan.site.halls)}
    return {
        "name": plan.site.name,
        "site": [power.facility_kw, power.site_kw],
        "it": power.it_kw,
        "pue": power.pue,
        "planning": power.planning,
        "spare_feeds": power.spare_feeds,
        "surviving": power.surviving_kw,
        "steps": len(power.steps),
        "energise_s": power.energise_s,
        "eur_per_hour": power.eur_per_hour,
        "switches": [power.switches_kw, power.switches_typical_kw],
        "caps": [[c.profile, c.cap_kw, c.planned_kw, c.gpus, c.gpu_watts, c.gpu_limit_watts] for c in power.caps],
        "not_counted": power.not_counted,
        "feeds": [
            {
                "name": feed.feed,
                "kw": feed.facility_kw,
                "budget": feed.budget_kw,
                "rows": [
                    [
                        halls[row.hall],
                        row.row,
                        row.draw.by(power.planning),
                        row.budget_kw,
                        len(row.racks),
                        len(row.switch_racks),
                    ]
                    for row in feed.rows
                ],
            }
            for feed in power.feeds
        ],
    }
