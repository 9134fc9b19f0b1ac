"""Edges at a distance: client sites, edges and name servers in network namespaces of their own, on one machine.

An edge is an HTTP program that stands in for a region's gateway, or a cluster on a machine of its own; this machine bears
two of these. Distance is made by a delay between namespaces. The name servers are real.
"""
