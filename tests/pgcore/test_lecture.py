"""A lecture's file: read, refused in one sentence with its line, and written again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgcore.lecture import LONGEST, MOST_SLIDES, Lecture, Slide, parse, write

FILE = """# Ten minutes

## Big variance (4 min)
Link: cloud?panels=policy_gradient,actor_critic
Ask: How many point the right way?
Expect: Most say 80%.

Show it twice.

Then go on.

## Luck (2.5 min)
Link: seeds
"""
READ = Lecture(
    "Ten minutes",
    (
        Slide(
            "Big variance",
            "cloud?panels=policy_gradient,actor_critic",
            4.0,
            "How many point the right way?",
            "Most say 80%.",
            "Show it twice.\n\nThen go on.",
        ),
        Slide("Luck", "seeds", 2.5, "", "", ""),
    ),
)


def test_a_file_is_a_lecture_and_a_lecture_a_file():
    assert parse(FILE) == READ
    assert write(READ) == FILE
    assert READ.minutes == 6.5


def test_bytes_and_other_ends_of_lines():
    assert parse(FILE.replace("\n", "\r\n").encode("utf-8-sig")) == READ
    assert parse("\n\n" + FILE.replace("\n", "\r")) == READ


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Line 1: a lecture begins with its title, '# The title'."),
        ("\n\nHello", "Line 3: a lecture begins with its title, '# The title'."),
        ("# T\n", "Line 2: a lecture needs a slide, such as '## The cloud (4 min)'."),
        ("# T\nHello\n## S (1 min)", "Line 2: text before the first slide; begin with"),
        ("# T\n## S\nLink: cloud", "Line 2: the heading of a slide ends with its minutes"),
        ("# T\n## (4 min)", "Line 2: the heading of a slide ends with its minutes"),
        ("# T\n## S (0 min)\nLink: cloud", "Line 2: a slide takes more than 0 and at most 240"),
        ("# T\n## S (1 min)\nAsk: why?", "Line 2: the slide needs a line such as 'Link: cloud'."),
        ("# T\n## S (1 min)\nLink: a\n\nLink: b", "Line 5: the slide has two lines that begin"),
        ("# T\n## S (1 min)\nLink: a b", "Line 3: a link holds no blanks; write + in their place."),
        ("# T\n## S (1 min)\nLink: \u202e", "Line 3: it holds a character that cannot be printed."),
        (b"# T\n\xff", "Line 2: the file is no text in UTF-8."),
        ("#" * (LONGEST + 1), "Line 1: the file is longer than 100,000 characters."),
        (
            "# T\n" + "## S (1 min)\nLink: a\n" * (MOST_SLIDES + 1),
            "Line 202: a lecture has at most 100 slides.",
        ),
    ],
)
def test_what_is_no_lecture_is_one_sentence_with_its_line(text, sentence):
    with pytest.raises(ValueError) as said:
        parse(text)
    assert str(said.value).startswith(sentence)
    assert str(said.value).endswith(".")


LINES = st.sampled_from([*FILE.splitlines(), "# B", "## C", "Link: x y", "## D (9 min)", "Link:"])


@settings(max_examples=500)
@given(st.text() | st.binary() | st.lists(LINES | st.text(max_size=9)).map("\n".join))
def test_anything_is_a_lecture_that_can_be_written_or_one_sentence(text):
    try:
        found = parse(text)
    except ValueError as error:
        said = str(error)
        assert said.startswith("Line ") and said.endswith(".") and said.isprintable()
        assert not isinstance(error, UnicodeError)
    else:
        assert parse(write(found)) == found


def test_a_file_without_end_takes_no_time_that_grows_with_its_square():
    with pytest.raises(ValueError, match="Line 2"):
        parse("# T\n## a" + " " * 90_000 + "(1 min")
