"""The Pulumi program: declares the one layer of the one region that the selected stack names."""

from __future__ import annotations

import importlib

import pulumi

from stacks.project import ROOT, StackName, load_plan

stack = StackName.parse(pulumi.get_stack())
layer = importlib.import_module(f"stacks.layers.{stack.layer}")
layer.declare(load_plan(stack.region), ROOT)
