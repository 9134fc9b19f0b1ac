"""What a preview asks of a tenant's bucket: whether it is well described, and whether its key is made anew. Pure."""

from __future__ import annotations

from components.errors import Problem
from components.provider.handler import Change, Properties

REFERENCES = ("endpoint", "credentials", "ca_certificate")
"""Where the store is and what opens it."""


class BucketPreview:
    """Implements provider.handler.Previewed."""

    token = "gpuregion:runtime:Bucket"  # noqa: S105 - a resource type

    def check(self, inputs: Properties) -> list[Problem]:
        """It has a name, and a store."""
        return [
            Problem(path=key, message="is empty", allowed="a text")
            for key in ("bucket", *REFERENCES)
            if not inputs.get(key)
        ]

    def diff(self, old: Properties, new: Properties) -> list[Change]:
        """Another name is another bucket. All else makes a new key, where the store is then."""
        changes: list[Change] = []
        for key in ("bucket", "key", *REFERENCES):
            was, becomes = old.get(key), new.get(key)
            if was == becomes:
                continue
            meaning = "another bucket" if key == "bucket" else "a new secret key, and the old one is refused"
            changes.append(
                Change(key=key, text=f"{key} changes from {was} to {becomes}: {meaning}", replaces=key == "bucket")
            )
        return changes

    def unfinished(self, inputs: Properties, outputs: Properties) -> list[Change]:
        """A refresh found that the key opens the bucket no more."""
        if outputs.get("secret_key"):
            return []
        return [Change(key="key", text=f"the key does not open {inputs['bucket']}: a new one is made")]
