"""Rules that look at more than one field of a description. Each has a stable id and a test."""

RULES = ()
