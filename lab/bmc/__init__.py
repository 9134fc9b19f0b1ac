"""The machines' BMCs: a Redfish service with an address, a certificate and a system of its own each.

The protocol is sushy-tools' emulator; what is behind it are the machines of `lab.hosts`. All BMCs are
one process, and machines go on when it ends.
"""
