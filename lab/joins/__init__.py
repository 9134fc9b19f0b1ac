"""A control plane without machines, and simulated machines that join it.

Owns what tests and benchmarks of joins run on: etcd, API server and controller manager are the real programs, set up
by kubeadm's own phases; the machines are simulated by the Go program beside this file, which says how far.
"""
