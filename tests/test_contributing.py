"""CONTRIBUTING's recipes, carried out as they stand there, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()


def blocks(title: str) -> list[str]:
    """The Python of one recipe."""
    section = TEXT.split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which all recipes have been followed."""
    target = tmp_path_factory.mktemp("recipes") / "lab"
    ignored = shutil.ignore_patterns("__pycache__", ".venv*", ".git", "benchmarks", "tests")
    shutil.copytree(ROOT, target, ignore=ignored)
    (estimator,) = blocks("Add an estimator")
    (setting,) = blocks("Add a setting")
    script, entry = blocks("Add a page with a link parameter")
    (band,) = blocks("Add a band")
    (exhibit,) = blocks("Add an exhibit to the bug museum")
    append(target / "pgcore/algorithms.py", estimator)
    insert(
        target / "pgcore/config.py",
        "    eval_greedy: bool = setting(",
        indent(dedent(setting), "    "),
    )
    (target / "pages/coin.py").write_text(script)
    insert(target / "ui/shell/pages.py", "]  # fmt: skip\n\nPARAMETERS", f"{entry.rstrip()},\n")
    append(target / "pgcore/plotting/bands.py", band)
    append(target / "pgcore/exhibits/public.py", exhibit)
    return target


def append(file: Path, text: str) -> None:
    file.write_text(f"{file.read_text()}\n\n{text}")


def insert(file: Path, before: str, text: str) -> None:
    source = file.read_text()
    assert source.count(before) == 1, f"{file.name} has changed: mend this test's anchor"
    file.write_text(source.replace(before, text + before))


def answer(copy: Path, program: str) -> str:
    """What a program prints in the copy."""
    command = [sys.executable, "-W", "ignore", "-c", program]
    environment = os.environ | {"PYTHONPATH": str(copy)}
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def test_a_new_estimator_trains_from_the_command_line_and_is_drawn(copy: Path) -> None:
    said = answer(
        copy,
        "from pgcore import train; from pgcore.plotting.curves import chart\n"
        "from pgcore.plotting.series import of_histories\n"
        "history = train('half_and_half', num_seeds=2, total_timesteps=1000)\n"
        "print('Half and half, n = 2' in chart(of_histories([history])).to_json())\n"
        "from pgcore.__main__ import main; main(['algorithms'])",
    )
    assert said.startswith("True\n")
    assert "half_and_half    Psi_t = Q_t - (V_phi(s_t) + mean(Q)) / 2" in said


def test_a_new_setting_is_checked_linked_and_in_the_help(copy: Path) -> None:
    said = answer(
        copy,
        "from pgcore import Config\n"
        "from ui.shell.series import Figure, parse_figure\n"
        "figure = Figure(('gae',), Config(algorithm='gae', temperature=2.0))\n"
        "print(parse_figure(figure.to_query())[0] == figure)\n"
        "print(parse_figure({'temperature': '99'})[1])\n"
        "from pgcore.__main__ import main\n"
        "main(['train', '--help'])",
    )
    assert said.startswith("True\n['temperature is 99.0; it must be a number from 0.1 to 10.0.']\n")
    assert "--temperature" in said


def test_a_new_page_opens_and_its_link_is_read_refused_and_kept(copy: Path) -> None:
    said = answer(
        copy,
        "from streamlit.testing.v1 import AppTest\n"
        "def opened(value):\n"
        "    app = AppTest.from_file('app.py', default_timeout=300)\n"
        "    app.query_params['coin_bias'] = value\n"
        "    return app.run().switch_page('pages/coin.py').run()\n"
        "app = opened('0.25')\n"
        "print(not app.exception, app.markdown[-1].value, app.query_params['coin_bias'])\n"
        "app = opened('7')\n"
        "print(app.text[0].value)",
    )
    assert "True Heads with probability 0.25. ['0.25']" in said or (
        "True Heads with probability 0.25. 0.25" in said
    )
    assert "coin_bias is '7'; it must be a number from 0.0 to 1.0." in said


def test_a_new_band_is_drawn_and_offered(copy: Path) -> None:
    said = answer(
        copy,
        "from pgcore import train; from pgcore.plotting import curves\n"
        "from pgcore.plotting.series import of_histories\n"
        "history = train('gae', num_seeds=3, total_timesteps=1000)\n"
        "rows = curves.rows(of_histories([history]), 'range', 0, 500)\n"
        "print(bool((rows.high == history.eval_returns.max(1)).all()))\n"
        "from pgcore.plotting.bands import quick; print('range' in quick())",
    )
    assert said == "True\nTrue\n"


def test_a_new_exhibit_is_measured_and_has_a_verdict(copy: Path) -> None:
    answer(copy, "from pgcore.exhibits.__main__ import main; main(['half'])")
    said = answer(
        copy,
        "from pgcore.exhibits import results; from ui.museum import words\n"
        "kept = results.load().exhibits\n"
        "print(len(kept) > 20, kept['half'].n, kept['half'].verdict.kind)\n"
        "print('half' in words.deck())",
    )
    assert said == "True 200 harmless\nTrue\n"
