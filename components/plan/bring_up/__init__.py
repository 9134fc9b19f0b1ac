"""Bring-up as a plan: which endpoint of which rack goes through which steps, decided without I/O."""
