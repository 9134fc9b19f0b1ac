"""Pulumi's language host for Python, for machines without the official one.

Owns the process `pulumi-language-python`: a gRPC server of `pulumirpc.LanguageRuntime`, which the engine
starts, asks about the program and tells to run it. Programs are run by `pulumi-language-python-exec` of the
same release of the SDK, unchanged. Does not generate code (SDKs, programs of other languages) and installs no
packages: the project's virtual environment is made from its lock file, by bootstrap.sh.
"""
