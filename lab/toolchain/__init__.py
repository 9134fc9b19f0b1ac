"""Builds the pinned programs of the region.

Owns which programs there are (programs.yaml), how each is built from its Go module, where the result
lies (a cache keyed by content, shared by all clones) and the links in `.tools/bin`. Does not own what
the programs are used for. Nothing here is a package manager: the sources are pinned by go.sum.
"""
