"""Thousands of nodes without thousands of requests.

Owns copying rows of nodes in Ironic's database. Enrolling a node costs Ironic about 0.2 processor seconds, and a
benchmark of deployments need not pay that for each: it enrols one for each kind by the API and copies that.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.ironic_scale.database import Database


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A node to be."""

    name: str
    of: str
    """Name of the node that it is like."""
    group: str
    driver_info: Mapping[str, Any] = field(default_factory=dict[str, Any])


def copy(database: Database, copies: Sequence[Copy]) -> None:
    """Add nodes like those that Ironic has."""
    columns = [
        row[0]
        for row in database.ask(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'nodes'"
        )
    ]
    own = {"id": "nextval('nodes_id_seq')", "uuid": "%s", "name": "%s", "conductor_group": "%s", "driver_info": "%s"}
    kept = [column for column in columns if column not in own]
    database.ask(
        f"INSERT INTO nodes ({', '.join([*own, *kept])}) "  # noqa: S608 - names of the database's own columns
        f"SELECT {', '.join([*own.values(), *kept])} FROM nodes WHERE name = %s",
        [(str(uuid.uuid4()), c.name, c.group, json.dumps(dict(c.driver_info)), c.of) for c in copies],
    )
