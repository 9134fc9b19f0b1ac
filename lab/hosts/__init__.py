"""The simulated machines: firmware, disk, network ports and power of each.

A machine is a systemd-nspawn container with a loop device as its disk. It boots what its state
says, from a virtual CD or from its disk, and nothing of its kernel's state outlives its power.
"""
