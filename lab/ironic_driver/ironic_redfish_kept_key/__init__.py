"""A Redfish hardware type for Ironic that derives the key of a BMC's session once, not at every call.

Owns one remedy: Ironic derives a key from the BMC's password, with 600,000 rounds of PBKDF2, before each call to
a BMC, only to look up its cache of sessions. What is looked up, and how, stays Ironic's own.
"""
