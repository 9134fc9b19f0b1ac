"""The switch's side of a commit: runs on a switch, imports the standard library and itself only.

The controller packs it into one file (clients/switch_archive.py), uploads that and calls it over SSH.
"""
