"""All networks of a region: compute InfiniBand, in-band Ethernet, out-of-band, NVLink, and their cables.

`model` has the shapes, `compile` builds them. Nothing is imported here, as the plan's model needs the shapes
before there is a plan.
"""
