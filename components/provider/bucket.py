"""`gpuregion:runtime:Bucket`: a bucket of the region's object store, with an account of its own that it belongs to.

The account is called as the bucket is. Its secret key is made here, and lives in state alone. What a bucket holds is
never removed: one that is not empty goes to the operator's account when it is deleted.
"""

from __future__ import annotations

import asyncio
from typing import Any

from botocore.exceptions import BotoCoreError

from components.clients.object_accounts import ObjectAccounts
from components.clients.s3 import S3Access, opens
from components.clients.secrets import reference_path
from components.provider.bucket_preview import BucketPreview
from components.provider.handler import Context, Created, Properties

OUTPUTS = ("access_key", "secret_key")


class BucketHandler(BucketPreview):
    """Implements provider.handler.Handler."""

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        """The account, with a new key, and the bucket that is its own. Both may be there already."""
        bucket, accounts = str(inputs["bucket"]), _accounts(inputs, context)
        secret = await asyncio.to_thread(accounts.renew, bucket)
        await asyncio.to_thread(accounts.own, bucket, bucket)
        context.report(f"bucket {bucket} has a new key")
        return Created(id=bucket, outputs={"access_key": bucket, "secret_key": secret})

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        """Another key."""
        return (await self.create(id, new, context)).outputs

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        """As it is in state, if its own key opens it; without the key otherwise, and None without the bucket.

        Raises AccountError if the store says neither yes nor no.
        """
        found = {key: state[key] for key in OUTPUTS if key in state}
        tenant = S3Access(
            endpoint=str(state["endpoint"]),
            access_key=str(found.get("access_key", "")),
            secret_key=str(found.get("secret_key", "")),
            ca=reference_path(context.project, str(state["ca_certificate"])),
        )
        try:
            is_open = await asyncio.to_thread(opens, tenant, id)
        except (BotoCoreError, ValueError) as error:
            raise _accounts(state, context).failure(id, error) from error
        if is_open is None:
            return None
        return found if is_open else {**found, "secret_key": ""}

    async def delete(self, id: str, state: Properties, context: Context) -> None:
        """End the key; remove the bucket, unless it holds something."""
        accounts = _accounts(state, context)
        await asyncio.to_thread(accounts.remove, id)
        if await asyncio.to_thread(accounts.release, id):
            context.report(f"bucket {id} is not empty: it stays, as the operator's")


def _accounts(inputs: Properties, context: Context) -> ObjectAccounts:
    return ObjectAccounts(
        access=S3Access.from_references(
            context.project,
            endpoint=str(inputs["endpoint"]),
            credentials=str(inputs["credentials"]),
            ca=str(inputs["ca_certificate"]),
        )
    )
