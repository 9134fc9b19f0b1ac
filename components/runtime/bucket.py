"""A bucket with an account of its own as a resource.

Owns what a program says of it. The provider makes it in the region's object store, and keeps its key in state as a
secret.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class BucketArgs:
    """What a bucket is called, and the store that it is in."""

    bucket: str
    """Its name, and that of its account."""
    key: int
    """Number of its key: another number is another key."""
    endpoint: str
    """`https://address:port` of the store."""
    credentials: str
    """Reference to the operator's key."""
    ca_certificate: str
    """Reference to the certificate of the authority that issued the store's."""


class Bucket(pulumi.CustomResource):
    """A bucket that one account may use."""

    access_key: pulumi.Output[str]
    """Name of the account, as S3 asks for it."""
    secret_key: pulumi.Output[str]
    """Its key; secret."""

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        inputs = {
            "bucket": args.bucket,
            "key": args.key,
            "endpoint": args.endpoint,
            "credentials": args.credentials,
            "ca_certificate": args.ca_certificate,
        }
        outputs = dict.fromkeys(("access_key", "secret_key"))
        secret = pulumi.ResourceOptions(additional_secret_outputs=["secret_key"])
        super().__init__(
            "gpuregion:runtime:Bucket", name, {**inputs, **outputs}, pulumi.ResourceOptions.merge(opts, secret)
        )
