"""A fleet of simulated BMCs: any number of racks as Redfish endpoints over real HTTP(S), in one process.

`lab.bmc` shows the few machines that the lab really boots. Here nothing boots: an endpoint is its answers,
its delays and its faults, so that 250 racks fit on a laptop and every fault has a seed. What a compute tray,
a DPU, an NVLink switch tray and a power shelf show is in `lab.fleet.hardware`; how they behave is a scenario
(`lab.fleet.scenario`); what was done to each of them is a ledger that tests can read.
"""
