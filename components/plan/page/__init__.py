"""The pictures of a region: halls, racks, fabric, compute network and power in one self-contained HTML file."""

from components.plan.page.data import page_data, summary_data
from components.plan.page.render import render_page

__all__ = ["page_data", "render_page", "summary_data"]
