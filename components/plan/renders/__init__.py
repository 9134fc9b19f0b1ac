"""Everything that a plan becomes for programs that build and run the region, as pure functions.

A render yields files: a path relative to a folder of its own, and the text. `RENDERS` names them all.
"""

from components.plan.renders.piece import Files, Piece, Render, whole
from components.plan.renders.table import RENDERS

__all__ = ["RENDERS", "Files", "Piece", "Render", "whole"]
