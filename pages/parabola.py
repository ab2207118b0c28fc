"""In the making."""

from ui import pages

pages.require_frame()
pages.heading("parabola")
