"""The edges of a region, each asked as a client would ask it."""

from __future__ import annotations

import asyncio

from components.clients.web import CallError, call
from components.plan.edges import SteeringPlan
from components.plan.model import RegionPlan
from components.plan.status import EdgeLine, Level

EDGE_S = 3.0


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
    states = await asyncio.gather(*(_edge(edge.address, steering) for edge in steering.edges))
    return tuple(
        EdgeLine(
            name=edge.region,
            site=edge.site,
            address=edge.address,
            level=Level.GOOD if state == "answers" else Level.BAD,
            state=state,
        )
        for edge, state in zip(steering.edges, states, strict=True)
    )


async def _edge(address: str, steering: SteeringPlan) -> str:
    health = steering.health
    try:
        answer = await call(f"{address}:{health.port}", host=address, path=health.path, timeout_s=EDGE_S)
    except CallError as error:
        return error.reasons
    return "answers" if answer.status == 200 else f"HTTP {answer.status}"
