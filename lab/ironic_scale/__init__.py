"""A real Ironic of several processes on one machine: PostgreSQL, an API, conductors in groups.

Owns what a region's Ironic consists of, small enough for one machine, so that its limits can be met before the
region is there. Everything that manages is the real thing; the machines behind it are Ironic's own `fake-hardware`
with delays, and the simulated fleet's BMCs. Nothing of it outlives the process that started it.
"""
