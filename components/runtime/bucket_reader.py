"""An account that reads one bucket of the region, as a resource.

Owns what a program says of it. The provider makes it in the region's object store, with a key that it is told of by
reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class BucketReaderArgs:
    """Which bucket, who reads it, and the store that it is in."""

    bucket: str
    reader: str
    """Reference to the account's name and secret key."""
    endpoint: str
    """`https://address:port` of the store."""
    credentials: str
    """Reference to the operator's key."""
    ca_certificate: str
    """Reference to the certificate of the authority that issued the store's."""


class BucketReader(pulumi.CustomResource):
    """An account that may read a bucket, and nothing else."""

    access_key: pulumi.Output[str]
    """Name of the account, as S3 asks for it."""

    def __init__(self, name: str, args: BucketReaderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        inputs = {
            "bucket": args.bucket,
            "reader": args.reader,
            "endpoint": args.endpoint,
            "credentials": args.credentials,
            "ca_certificate": args.ca_certificate,
        }
        super().__init__("gpuregion:runtime:BucketReader", name, {**inputs, "access_key": None}, opts)
