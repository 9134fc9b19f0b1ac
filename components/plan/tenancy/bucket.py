"""A tenant's bucket in the region's object store, as its pods are told of it.

Owns the names of the Secret and the ConfigMap, and of the variables: those that SDKs and tools of S3 read by
themselves, and one for the bucket's name, which has none of its own. Deliberately knows no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SECRET = "bucket"  # noqa: S105 - a name
"""Secret in the tenant's namespace; its keys are variables."""
AUTHORITY = "region-ca"
"""ConfigMap in the tenant's namespace with the certificate of the region's authority."""
AUTHORITY_FILE = "ca.crt"
AUTHORITY_FOLDER = "/etc/region"
"""Where replicas of services find it."""
CERTIFICATES = "AWS_CA_BUNDLE"
"""Variable with the path of the certificate."""
SIGNING_REGION = "us-east-1"
"""What S3 stores without regions call theirs."""
NAME = "BUCKET"
ACCESS_KEY, SECRET_KEY = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"


def variables(bucket: str, endpoint: str) -> Mapping[str, str]:
    """All but the key."""
    return MappingProxyType({NAME: bucket, "AWS_ENDPOINT_URL_S3": endpoint, "AWS_REGION": SIGNING_REGION})
