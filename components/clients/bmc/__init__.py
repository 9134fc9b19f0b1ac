"""BMCs of a region that is brought up: Redfish, their passwords, the supplier's list."""
