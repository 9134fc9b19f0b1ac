"""Rules that look at more than one field of a description. Each has a stable id and a test."""

from components.spec.rules import asns, cabling, catalogue, cluster, identity, names, networks, placement, pools, services

RULES = (
    *catalogue.RULES,
    *identity.RULES,
    *names.RULES,
    *placement.RULES,
    *pools.RULES,
    *asns.RULES,
    *cabling.RULES,
    *networks.RULES,
    *cluster.RULES,
    *services.RULES,
)
"""All of them; the order has no meaning, as every problem is reported at once."""
