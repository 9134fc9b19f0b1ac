"""The edges of a region, each asked as a client would ask it."""

from __future__ import annotations

import asyncio

from components.checks.edge_health import ANSWERS, asked
from components.plan.edges import SteeringPlan
from components.plan.model import RegionPlan
from components.plan.status import EdgeLine, Level


def read_edges(plan: RegionPlan) -> tuple[EdgeLine, ...]:
    """The edges, each asked as a client would; none where the region is no edge. Raises SpecError."""
    from stacks.steering import STEERING, load_plan  # reads every region that it names

    if not STEERING.is_file():
        return ()
    steering = load_plan()
    if plan.region not in {edge.region for edge in steering.edges}:
        return ()
    return asyncio.run(edge_lines(steering))


async def edge_lines(steering: SteeringPlan) -> tuple[EdgeLine, ...]:
    """One line an edge."""
    health = steering.health
    states = await asyncio.gather(
        *(asked(f"{edge.address}:{health.port}", steering.domain, health.path) for edge in steering.edges)
    )
    return tuple(
        EdgeLine(
            name=edge.region,
            site=edge.site,
            address=edge.address,
            level=Level.GOOD if state == ANSWERS else Level.BAD,
            state=state,
        )
        for edge, state in zip(steering.edges, states, strict=True)
    )
