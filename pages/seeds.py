"""Seeds: hundreds of agents that differ in nothing but their seed."""

from ui.seeds import view as seeds
from ui.shell import controls, live, pages

pages.require_frame()
pages.heading("seeds")
controls.show_refusals()
live.wait_until_compiled()
seeds.show()
