"""Bring-up: racks from the floor to the hand-over to Ironic. A stage before the layers (docs/adr/0013)."""
