"""Configurations of the switches of the routed fabric, each in the language of the system on it."""

from components.plan.renders.switches.dialect import DIALECTS, Dialect, config_text, dialect_of, switches

__all__ = ["DIALECTS", "Dialect", "config_text", "dialect_of", "switches"]
