"""Seeds: hundreds of agents that differ in nothing but their seed."""

from ui.seeds import view as seeds
from ui.shell import pages

pages.begin("seeds")
seeds.show()
