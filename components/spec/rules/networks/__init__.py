"""Rules on networks: whether their switches have the ports, speeds, addresses and numbers for what is described."""

from components.spec.rules.networks import compute, fabric, kinds, mtu, oob, oob_numbers

RULES = (
    *kinds.RULES,
    *compute.RULES,
    *fabric.RULES,
    *mtu.RULES,
    *oob.RULES,
    *oob_numbers.RULES,
)
