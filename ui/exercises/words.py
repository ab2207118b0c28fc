"""What the page Exercises says: tasks, states of the file, verdicts. Free of Streamlit."""

from __future__ import annotations

import time
from collections.abc import Mapping

from pgcore.exercises import TASKS, Trial, Verdict
from ui.exercises.watched import VARIABLE, Seen

INTRODUCTION = (
    "Write the [[estimator|estimators]] of the lecture yourself. The lab watches one file on this "
    "machine, checks it each time you save it, and says what to look at."
)
BEGIN = (
    "Write the file of tasks with this command, in the folder in which you started the lab. Open "
    "it in an editor, write task 1, and save. This page follows."
)
NEW = "python -m pgcore exercises new"
OFF = (
    "This page is off: others may reach this server, and it shows the owner's own file. The same "
    "checks run from the command line, on your own machine."
)
COMMANDS = "python -m pgcore exercises new\npython -m pgcore check tasks.py --watch"
FOR_OWNERS = (
    f"The owner of the server can show one file to everyone: start it with `{VARIABLE}=FILE` in "
    "the environment."
)
STALE = "The verdict below is the one before your last change. The file is being checked."
CONTAINED = "The lab runs this file alone, and nothing that a browser sends."
EQUATIONS = {
    "policy_gradient": (
        r"Q_t = r_t + \gamma \begin{cases} 0 & \text{terminated} \\ V(s'_t) & \text{truncated or "
        r"last} \\ Q_{t+1} & \text{else} \end{cases}",
        r"\begin{aligned} L = &-\tfrac1T \textstyle\sum_t Q_t \log \pi(a_t|s_t) \\ "
        r"&+ \tfrac{1}{2T} \textstyle\sum_t (V(s_t) - Q_t)^2 \end{aligned}",
    ),
    "batch_mean": (r"\Psi_t = Q_t - \frac1T \sum_i Q_i",),
    "actor_critic": (r"\Psi_t = Q_t - V(s_t)",),
    "leave_one_out": (r"A_t = Q_t - \frac{1}{T-1} \sum_{i \ne t} Q_i",),
    "gae": (
        r"\delta_t = r_t + \gamma V(s'_t)\,[\text{not terminated}] - V(s_t)",
        r"A_t = \delta_t + \gamma\lambda A_{t+1}\,[\text{not ended}]",
    ),
    "normalized": (r"\hat A_t = \frac{A_t - \bar A}{\mathrm{std}(A) + 10^{-8}}",),
    "ppo_clipped_loss": (
        r"\rho_t = \frac{\pi(a_t|s_t)}{\pi_{\mathrm{old}}(a_t|s_t)}",
        r"\begin{aligned} L = -\tfrac1T \textstyle\sum_t \min\bigl(&\rho_t A_t, \\ "
        r"&\mathrm{clip}(\rho_t, 1-\epsilon, 1+\epsilon) A_t\bigr) \end{aligned}",
    ),
    "my_baseline": (
        r"\begin{aligned} &\mathrm{Var}\bigl[(Q - b(s))\,\nabla\log\pi(a|s)\bigr] \\ "
        r"{} < {} &\mathrm{Var}\bigl[(Q - V(s))\,\nabla\log\pi(a|s)\bigr] \end{aligned}",
    ),
}
STATES = {  # word, icon and colour of a task's state
    "passed": ("passed", ":material/check_circle:", "green"),
    "failed": ("failed", ":material/cancel:", "red"),
    "unwritten": ("to write", ":material/edit:", "gray"),
    "waits": ("waits", ":material/hourglass_empty:", "orange"),
    "stopped": ("not checked", ":material/block:", "orange"),
    "unknown": ("not checked yet", ":material/more_horiz:", "gray"),
}
MEANING = {
    "unwritten": "This task is not written yet, which is no failure. Lines are missing where "
    "`raise NotImplementedError` stands.",
    "unknown": "This task has no verdict yet.",
    "stopped": "This task could not be checked.",
}


def state(verdict: Verdict | None) -> str:
    """The key of a verdict's state."""
    return verdict.status if verdict else "unknown"


def label(key: str, verdict: Verdict | None) -> str:
    """A task's row in the list, as Markdown: number, title, state."""
    word, _, colour = STATES[state(verdict)]
    number = list(TASKS).index(key) + 1
    return f"**{number}** {TASKS[key].title} :{colour}-badge[{word}]"


def on_file(seen: Seen, verdicts: Mapping[str, Verdict]) -> str:
    """How the file stands."""
    if seen.checking:
        return f"Saved at {_clock(seen.source.saved)}. It is being checked."
    count = sum(verdicts[key].status == "passed" for key in TASKS if key in verdicts)
    said = f"Saved at {_clock(seen.source.saved)}. {count} of {len(TASKS)} tasks pass."
    if seen.comparing:
        return f"{said} Seeds are now trained beside the reference, which takes up to a minute."
    return said


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def on_trial(trial: Trial) -> str:
    """How the reader's agents did beside the reference's."""
    return (
        f"After {trial.steps:,} steps your agents' mean episodic return is {trial.yours} "
        f"(n = {trial.num_seeds} seeds). The reference's is {trial.reference} "
        f"(n = {trial.num_reference}). The difference is {trial.difference}. Brackets hold 95% "
        "intervals."
    )
