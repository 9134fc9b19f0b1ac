"""`gpuregion:runtime:BucketReader`: an account that may read a bucket of the region, and nothing else.

The key comes from the operator's secrets, by reference, so none is in state. The bucket is the operator's: it is made
if it is not there, and stays.
"""

from __future__ import annotations

import asyncio
from typing import Any

from botocore.exceptions import BotoCoreError

from components.clients.bucket_policy import BucketPolicy
from components.clients.object_accounts import ObjectAccounts
from components.clients.s3 import S3Access, opens
from components.errors import Problem, RegionError
from components.provider.bucket_reader_preview import BucketReaderPreview
from components.provider.handler import Context, Created, Properties


class BucketReaderHandler(BucketReaderPreview):
    """Implements provider.handler.Handler."""

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        """The account with its key, the bucket, and the policy that lets the one read the other. All may be there."""
        bucket, operator, reader = str(inputs["bucket"]), _operator(inputs, context), _reader(inputs, context)
        if reader.access_key == operator.access_key:
            raise RegionError(
                f"bucket {bucket} would be read with the operator's own account",
                [Problem(path=str(inputs["reader"]), message="names the operator's account, which may also write")],
            )
        await asyncio.to_thread(ObjectAccounts(access=operator).keep, reader.access_key, reader.secret_key)
        await asyncio.to_thread(BucketPolicy(bucket=bucket, access=operator).let_read, reader.access_key)
        context.report(f"account {reader.access_key} reads bucket {bucket}")
        return Created(id=bucket, outputs={"access_key": reader.access_key})

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        """The key that the reference holds now; an account of another name goes."""
        outputs = (await self.create(id, new, context)).outputs
        if (before := str(old.get("access_key") or "")) not in ("", outputs["access_key"]):
            await asyncio.to_thread(ObjectAccounts(access=_operator(new, context)).remove, before)
        return outputs

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        """The account's name, if its key opens the bucket and the policy lets it read alone; None without the bucket.

        Raises AccountError if the store says neither yes nor no.
        """
        operator, reader = _operator(state, context), _reader(state, context)
        try:
            is_open = await asyncio.to_thread(opens, reader, id)
        except (BotoCoreError, ValueError) as error:
            raise ObjectAccounts(access=operator).failure(id, error) from error
        if is_open is None:
            return None
        policy = BucketPolicy(bucket=id, access=operator)
        is_so = is_open and await asyncio.to_thread(policy.lets_read, reader.access_key)
        return {"access_key": reader.access_key if is_so else ""}

    async def delete(self, id: str, state: Properties, context: Context) -> None:
        """End the account and what it may do; the bucket stays."""
        operator = _operator(state, context)
        await asyncio.to_thread(BucketPolicy(bucket=id, access=operator).close)
        if name := str(state.get("access_key") or ""):
            await asyncio.to_thread(ObjectAccounts(access=operator).remove, name)


def _operator(inputs: Properties, context: Context) -> S3Access:
    return _access(inputs, context, "credentials")


def _reader(inputs: Properties, context: Context) -> S3Access:
    return _access(inputs, context, "reader")


def _access(inputs: Properties, context: Context, key: str) -> S3Access:
    return S3Access.from_references(
        context.project,
        endpoint=str(inputs["endpoint"]),
        credentials=str(inputs[key]),
        ca=str(inputs["ca_certificate"]),
    )
