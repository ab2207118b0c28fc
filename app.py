"""The app: `streamlit run app.py`.

The server takes `app` from this file once: the pages, the routes of the owner and of a class, and
headers on every answer. After that each visitor's run of the script draws the frame round a page:
page config, theme, navigation.
"""

import streamlit as st
from starlette.middleware import Middleware

from pgcore import runs

if __name__ != "__main__":  # the server, once: others compile while this one imports the rest
    runs.warm_up()

from ui.classroom import screen
from ui.lecture import present
from ui.path import view as path
from ui.server import classroom, owner
from ui.server.headers import Headers
from ui.shell import link, pages, style, visitors


def frame() -> None:
    """One run for one visitor."""
    page = pages.navigation(position="top")
    file = page.url_path or pages.PAGES[0].file
    title = f"{page.title} · Policy Gradient Lab"
    st.set_page_config(page_title=title, page_icon="🎯", layout="wide")
    st.session_state["framed"] = True
    visitors.admit()
    link.read(pages.PARAMETERS)
    pages.arrive(file)
    above, body, below = (st.container() for _ in range(3))
    presenting = present.on()
    with above:
        screen.attend()
        if presenting:
            present.stage(file)
        else:
            present.offer(path.head(file))
    with below:
        if not presenting:
            path.foot(file)
        style.apply()
    link.write(pages.PARAMETERS)  # of a page that stops early, nothing is sent later
    try:
        with body, owner.timed(file):
            page.run()
    finally:  # also when the page stops early
        link.write(pages.PARAMETERS)


if __name__ == "__main__":
    frame()
else:
    app = st.App(
        __file__,
        routes=[*owner.ROUTES, *classroom.ROUTES],
        middleware=[Middleware(Headers)],
        on_script_error=owner.note_error,
    )
