"""A region in a few dozen numbers, however large it is: what the screen, the page and `--format json` show."""

from components.plan.summary.compile import summary
from components.plan.summary.model import NetworkLine, PowerLine, Summary

__all__ = ["NetworkLine", "PowerLine", "Summary", "summary"]
