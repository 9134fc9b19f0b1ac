"""What a change of inputs means physically. Pure: (old inputs, new inputs) -> ordered actions.

The provider's diff, the preview and the pull-request comment all call these, so they cannot disagree.
"""

from components.plan.actions.action import ActionKind, PhysicalAction, elapsed_s
from components.plan.actions.playbooks import playbook_actions
from components.plan.actions.racks import rack_actions
from components.plan.actions.switches import switch_actions

__all__ = ["ActionKind", "PhysicalAction", "elapsed_s", "playbook_actions", "rack_actions", "switch_actions"]
