"""What a preview asks of a bucket's reader: whether it is well described, and what a change means. Pure."""

from __future__ import annotations

from components.errors import Problem
from components.provider.handler import Change, Properties

REFERENCES = ("reader", "endpoint", "credentials", "ca_certificate")
"""The reader's key, where the store is and what opens it."""


class BucketReaderPreview:
    """Implements provider.handler.Previewed."""

    token = "gpuregion:runtime:BucketReader"  # noqa: S105 - a resource type

    def check(self, inputs: Properties) -> list[Problem]:
        """It has a bucket, a store, and a key that is not the operator's."""
        problems = [
            Problem(path=key, message="is empty", allowed="a text")
            for key in ("bucket", *REFERENCES)
            if not inputs.get(key)
        ]
        if inputs.get("reader") and inputs.get("reader") == inputs.get("credentials"):
            problems.append(
                Problem(
                    path="reader",
                    message="is the operator's own key, which may also write",
                    found=str(inputs["reader"]),
                    allowed="a reference to another key",
                    remedy="put a name and a random secret key of its own there",
                )
            )
        return problems

    def diff(self, old: Properties, new: Properties) -> list[Change]:
        """Another bucket is another reader. All else is seen to where the store and the key are then."""
        return [
            Change(
                key=key,
                text=f"{key} changes from {old.get(key)} to {new.get(key)}: "
                + ("another bucket" if key == "bucket" else "the account is given the key of the reference"),
                replaces=key == "bucket",
            )
            for key in ("bucket", *REFERENCES)
            if old.get(key) != new.get(key)
        ]

    def unfinished(self, inputs: Properties, outputs: Properties) -> list[Change]:
        """A refresh found that the key opens the bucket no more, or that others than it may, or it more than read."""
        if outputs.get("access_key"):
            return []
        text = (
            f"the key does not open {inputs['bucket']}, or not for reading alone: its account and policy are made anew"
        )
        return [Change(key="reader", text=text)]
