"""Class: a room where phones predict, are a seed each, and propose; and its projector."""

from ui.classroom import view as classroom
from ui.shell import pages

pages.begin("class")
classroom.show()
