"""Rules that look at more than one field of a description. Each has a stable id and a test."""

from components.spec.rules import (
    asns,
    cabling,
    capacity,
    catalogue,
    claims,
    cluster,
    identity,
    latency,
    names,
    networks,
    placement,
    pool_sizes,
    pools,
    power,
    readiness,
    services,
    software,
    sovereignty,
)

RULES = (
    *catalogue.RULES,
    *identity.RULES,
    *names.RULES,
    *placement.RULES,
    *pools.RULES,
    *pool_sizes.RULES,
    *asns.RULES,
    *cabling.RULES,
    *networks.RULES,
    *cluster.RULES,
    *services.RULES,
    *sovereignty.RULES,
    *software.RULES,
    *readiness.RULES,
    *power.RULES,
    *latency.RULES,
    *claims.RULES,
    *capacity.RULES,
)
"""All of them; the order has no meaning, as every problem is reported at once."""
