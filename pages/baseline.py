"""Your baseline: type one, and have it measured and trained."""

from ui import controls, live, pages

pages.require_frame()
pages.heading("baseline")
controls.show_refusals()
live.wait_until_compiled()
