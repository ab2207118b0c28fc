"""Seeds: hundreds of agents that differ in nothing but their seed."""

from ui import controls, live, pages, seeds

pages.require_frame()
pages.heading("seeds")
controls.show_refusals()
live.wait_until_compiled()
seeds.show()
