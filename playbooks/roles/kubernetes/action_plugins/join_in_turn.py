"""Runs a command when it is the machine's turn to join the cluster.

Options are those of ansible.builtin.command, and `gate`: the socket that gives turns (components/clients/join_gate.py),
or an empty text where nobody gives any. One task, because the turn must end with the command: with a task to wait and
another to join, hosts would wait for each other with turns in hand.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

GO = b"go\n"


class ActionModule(ActionBase):
    """The command, between being told to go and telling how it went."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The command's own result."""
        result = super().run(tmp, task_vars)
        gate = self._task.args.pop("gate", "")
        if not gate:
            return {**result, **self._command(task_vars)}
        with _turn(gate, (task_vars or {}).get("inventory_hostname", "")) as tell:
            result |= self._command(task_vars)
            tell(not result.get("failed"))
        return result

    def _command(self, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        action = self._shared_loader_obj.action_loader.get(
            "ansible.builtin.command",
            task=self._task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return action.run(task_vars=task_vars)


@contextmanager
def _turn(gate: str, machine: str) -> Generator[Any]:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(gate)
            connection.sendall(json.dumps({"machine": machine}).encode() + b"\n")
            if connection.recv(len(GO), socket.MSG_WAITALL) != GO:
                raise AnsibleActionFail("the run that gives turns to join has ended")
        except OSError as error:
            raise AnsibleActionFail(f"there is no turn to join: {error}") from error
        yield lambda joined: connection.sendall(b"joined\n" if joined else b"failed\n")
