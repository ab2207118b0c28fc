"""Links of version 1, one a page and more, as the lab wrote them then: they open and mean the same.

What such a link cannot give again, the bits of a curve, is said: random streams were renumbered.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from ui.shell import link
from ui.shell.pages import PARAMETERS

ROOT = Path(__file__).parents[2]
SHORT = "total_timesteps=1000&num_seeds=2&v=1&band=95%25"
LAB = (
    "algorithms=policy_gradient,batch_mean,actor_critic&bootstrap_truncation=False&fixed_start=True"
)
LINKS = {  # page, query: values of the figure's config and of the page's parameters
    ("start", SHORT): {"num_seeds": 2},
    ("train", f"{SHORT}&algorithms=gae,ppo&gamma=0.95&kept=algorithms%3Dgae%26num_seeds%3D3"): {
        "gamma": 0.95, "band": "95%", "algorithms": ("gae", "ppo"),
    },
    ("train", f"{SHORT}&{LAB}"): {"fixed_start": True, "value_coef": 0.5},
    ("train", f"{SHORT}&algorithms=formula&formula=b%3D0.5%2Av"): {"formula": "b=0.5*v"},
    ("seeds", f"{SHORT}&seeds_pool=30&seeds_view=lottery&seeds_n=5&seeds_score=area"): {
        "seeds_pool": "30", "seeds_view": "lottery", "seeds_n": 5, "seeds_score": "area",
    },
    ("watch", f"{SHORT}&agent=batch_mean&seed=1&checkpoint=2&episode=best&acts=greedy"): {
        "agent": "batch_mean", "seed": 1, "checkpoint": 2, "episode": "best", "acts": "greedy",
    },
    ("watch", f"{SHORT}&beside=alone"): {"beside": "alone"},  # now another is the default
    ("watch", f"{SHORT}&beside=before"): {"beside": "before"},
    ("watch", f"{SHORT}&beside=all"): {"beside": "all"},
    ("inside", f"{SHORT}&lens=gae&window=5&stage=weight&at=7&agent=actor_critic"): {
        "lens": "gae", "window": 5, "stage": "weight", "at": 7,
    },
    ("cloud", f"{SHORT}&panels=batch_mean,gae&window_steps=16&checkpoint=1"): {
        "panels": ["batch_mean", "gae"], "window_steps": 16, "checkpoint": 1,
    },
    ("parabola", f"{SHORT}&baseline=25.0&seed=1"): {"baseline": 25.0, "seed": 1},
    ("variance", f"{SHORT}&agent=policy_gradient&checkpoint=2"): {"agent": "policy_gradient"},
    ("baseline", f"{SHORT}&num_windows=1000&formula=psi%3Dq-v"): {
        "num_windows": 1000, "formula": "psi=q-v",
    },
    ("bandit", "bandit_view=Same+variance%2C+other+fate&bandit_b=1.5&bandit_runs=200"): {
        "bandit_view": "Same variance, other fate", "bandit_b": 1.5, "bandit_runs": 200,
    },
    ("toypole", "pole_view=Two+gradients&pole_t0=0.5&pole_n=500&pole_gamma=0.8"): {
        "pole_view": "Two gradients", "pole_t0": 0.5, "pole_n": 500, "pole_gamma": 0.8,
    },
}  # fmt: skip


@pytest.mark.parametrize(("page", "query"), LINKS)
def test_an_old_link_means_what_it_meant(page, query):
    values, refused = link.parse(dict(parse_qsl(query)), PARAMETERS)
    figure = values["figure"]
    for name, expected in LINKS[page, query].items():
        found = figure.algorithms if name == "algorithms" else values.get(name)
        assert (getattr(figure.config, name) if found is None else found) == expected
    drawn = "v=1" in query  # the exact pages draw nothing that another link version would change
    assert ["random streams were numbered anew" in sentence for sentence in refused] == [
        True
    ] * drawn


@pytest.mark.parametrize(("page", "query"), LINKS)
def test_an_old_link_opens(page, query):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    for name, value in parse_qsl(query):
        app.query_params[name] = value
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    assert not app.error
