"""Exercises: the lecture's tasks as code to write, and a file that is checked as it changes."""

import streamlit as st

from ui.exercises import view as exercises
from ui.exercises import words
from ui.shell import glossary, pages

pages.begin("exercises")
if not exercises.is_allowed():
    exercises.off()
    st.stop()
glossary.say(words.INTRODUCTION)
seen = exercises.look()
exercises.follow(seen)
exercises.file(seen)
tasks, one = st.columns([1, 1.7], gap="medium")
with tasks:
    key = exercises.choose(seen)
with one:
    exercises.task(key, seen)
exercises.containing()
