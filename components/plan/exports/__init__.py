"""The plan in the formats of other projects that build, document or schedule a region."""

from components.plan.exports.table import EXPORTS

__all__ = ["EXPORTS"]
