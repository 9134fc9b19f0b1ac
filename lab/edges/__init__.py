"""Edges at a distance: client sites, edges and name servers in network namespaces of their own, on one machine.

An edge here is an HTTP program that stands in for a region's gateway: a cluster for each edge would be too
heavy for this machine. Distance is made by a delay between namespaces. The name servers are real.
"""
