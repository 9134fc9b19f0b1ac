"""Steering of clients to edges, compiled over all regions. Pure."""

from components.plan.edges.compile import compile_steering
from components.plan.edges.model import SteeringPlan

__all__ = ["SteeringPlan", "compile_steering"]
