"""The order of the checks, task by task: the parent asks, compares and decides."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pgcore.exact.toypole import ToyPole
from pgcore.exercises import agents, functions, seeds
from pgcore.exercises.contained import MEGABYTES, PRINTED, Child, Ended
from pgcore.exercises.functions import RANDOM, Function, close
from pgcore.exercises.tasklist import TASKS, Task
from pgcore.exercises.verdict import (
    REMARKS,
    Fault,
    Progress,
    Remark,
    Status,
    Verdict,
    numbers,
)

LARGEST = 1_000_000  # characters of a file
PROBES = {  # environment -> what it isolates
    "one_state": "one state: the better action becomes likely",
    "two_states": "two states: each learns its own action",
    "delayed": "a reward two steps late: the action that earned it becomes likely",
}
LEARNED = 0.8  # least probability of the right action, mean over the probe's seeds
PROBE: dict[str, Any] = dict(do="probe", seeds=2, updates=16, batch_size=18, learning_rate=0.3)


class Bench:
    """One reader's file, and the child that runs it: a fresh one after each that ended."""

    def __init__(self, name: str, source: str, child: Child | None = None) -> None:
        self.name, self.source = name, source
        self.child = child
        self.printed = ""
        self.loaded = False

    def ask(self, request: dict[str, Any], seconds: float = 10.0) -> Any:
        """The value of one request.  Raises: Fault for whatever gives none."""
        try:
            self.child = self.child or Child(self.name)
            if not self.loaded:
                self._value({"do": "load", "source": self.source}, seconds)
                self.loaded = True
            return self._value(request, seconds)
        except Ended as ended:
            raise Fault([Remark(str(ended))], "stopped") from None
        finally:
            if self.child:
                self.printed = (self.printed + self.child.printed)[:PRINTED]
                if self.child.gone:
                    self.end()

    def _value(self, request: dict[str, Any], seconds: float) -> Any:
        assert self.child
        found = self.child.ask(request, seconds)
        if "error" in found:
            raise of_error(found["error"])
        return found["value"]

    def end(self) -> None:
        """End the child, if there is one."""
        if self.child:
            self.child.end()
        self.child, self.loaded = None, False


NAMES = {  # of the notebook's own slips: the name that does not exist -> exhibit
    "log_probs": "log_probs", "critic_network": "critic_network", "states": "critic_network",
    "critic_optimizer": "critic_network",
}  # fmt: skip


SHAPES = ("size of tensor", "sizes", "shapes", "broadcast", "with a sequence")  # that do not fit


def of_error(error: Mapping[str, Any]) -> Fault:
    """An exception of the file, as a fault with what to do."""
    if error["type"] == "NotImplementedError":
        return Fault([], "unwritten")
    message, line = error["message"], error["line"]
    at = f"line {line} (`{error['code']}`)" if line else "the call"
    exhibit = ""
    if "NameError" in error["kinds"] or "AttributeError" in error["kinds"]:
        missing = next((name for name in NAMES if f"'{name}'" in message), "")
        exhibit = NAMES.get(missing, "")
        text = f"Use a name that exists in {at}: {message}."
    elif "MemoryError" in error["kinds"] or "allocate memory" in message:
        text = f"Ask for less memory in {at}: the limit is {MEGABYTES} MB above what torch takes."
    elif "File too large" in message:
        text = f"Print or write less in {at}: the limit is 1 MB."
    elif "RecursionError" in error["kinds"]:
        text = f"Add an end to the recursion in {at}."
    elif error["type"] == "SystemExit":
        text = f"Remove the call that ends Python in {at}: the checker could not ask on."
    elif error["type"] == "KeyError" and not line:
        text = f"Keep the name {message}: the file does not define it."
    elif any(part in message for part in SHAPES):
        text = f"Compare the shapes in {at}: they do not fit together. {message}."
    elif "second time" in message:
        text = (
            f"Detach V in the advantage: {at} goes backward through the critic's graph a second "
            "time, and torch has freed it."
        )
        exhibit = "two_passes"
    elif "does not require grad" in message:
        text = f"Keep the graph of the log-probabilities: {at} finds nothing to differentiate."
    elif "SyntaxError" in error["kinds"]:
        text = f"Correct the syntax in {at}: {message}."
    else:
        text = f"Look at {at}: {error['type']}: {message}."
    return Fault([Remark(text, exhibit)])


# --- functions ---


def request(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Arguments as the child wants them."""
    return {
        key: x
        if not isinstance(x, np.ndarray)
        else {"data": x.ravel().tolist(), "dtype": str(x.dtype), "shape": x.shape,
              "kind": kind if x.dtype.kind == "f" else kind.replace("leaf", "tensor")}
        for key, x in given.items()
    }  # fmt: skip


def shown(case: functions.Case) -> str:
    """A case in words and numbers."""
    given = ", ".join(
        f"{key} = {numbers(x.tolist() if isinstance(x, np.ndarray) else x)}"
        for key, x in case.arguments.items()
    )
    return f"{case.shows}; {given}"


def check_function(
    spec: Function, call: Callable[[Mapping[str, Any]], Any], progress: Progress
) -> None:
    """Runs, kind, shape, dtype, worked numbers, arguments left alone, random batches, gradient."""
    first = spec.cases[0]
    found = call(first.arguments)
    progress.checks.append("runs")
    _form(spec, first, found)
    progress.checks.append("shape and dtype")
    results, learning = {}, []
    rng = np.random.default_rng()
    cases = [*spec.cases] + [
        functions.Case(f"random batch {i + 1} of {RANDOM}", spec.random(rng)) for i in range(RANDOM)
    ]
    for number, case in enumerate(cases):
        found = call(case.arguments)
        _form(spec, case, found)
        results[number] = np.array(found["data"], float).reshape(found["shape"])
        wanted = np.asarray(spec.right(**case.arguments))
        if not close(results[number], wanted):
            raise Fault([_mistaken(spec, cases, number, results, call)])
        if found["changed"]:
            raise Fault(
                [
                    Remark(
                        f"Leave {', '.join(found['changed'])} as it is: the function changes what "
                        "it is given. Work on a copy.",
                        where=case.shows,
                    )
                ]
            )
        if spec.kind == "leaf":
            learning.append((case, found))
        if number < len(spec.cases):
            progress.checks.append(f"numbers: {case.shows}")
    progress.checks.append(f"numbers: {RANDOM} random batches")
    if spec.kind == "leaf":
        for case, found in learning:
            _gradient(case, found)
        progress.checks.append("gradient: where it must be, and nowhere else")


def _form(spec: Function, case: functions.Case, found: Mapping[str, Any]) -> None:
    wanted = np.asarray(spec.right(**case.arguments))
    shape = list(wanted.shape)
    if found["type"] == "NoneType":
        raise Fault([Remark("Return the result: the function returns nothing.", where=case.shows)])
    if "data" not in found:
        raise Fault([Remark(f"Return an array of numbers, not {found['type']}.", where=case.shows)])
    tensor = spec.kind != "numpy"
    if tensor and "grad" not in found:
        raise Fault([Remark(f"Return a torch tensor, not {found['type']}.", where=case.shows)])
    if found["shape"] != shape and not (not shape and found["shape"] == [1]):
        exhibit = ""
        text = f"Return the shape {shape}, not {found['shape']}."
        if len(shape) == 1 and found["shape"] == shape * 2:
            exhibit, text = "broadcast", text + " A row and a column together give a table."
        raise Fault(
            [
                Remark(text, exhibit, where=case.shows, expected=str(shape),
                       found=str(found["shape"]))
            ]
        )  # fmt: skip
    if not found["dtype"].startswith("float"):
        raise Fault(
            [
                Remark("Return floating-point numbers: whole numbers lose what is behind the "
                       "point.", where=case.shows, expected="float32", found=found["dtype"])
            ]
        )  # fmt: skip


def _mistaken(
    spec: Function,
    cases: list[functions.Case],
    number: int,
    results: dict[int, Any],
    call: Callable[[Mapping[str, Any]], Any],
) -> Remark:
    """The remark of the mistake that agrees with what was found, in as many cases as possible."""
    for other, case in enumerate(cases[: len(spec.cases) + 3]):
        if other not in results:
            try:
                found = call(case.arguments)
                results[other] = np.array(found["data"], float).reshape(found["shape"])
            except (Fault, KeyError):
                continue

    def agrees(mistake: functions.Mistake, other: int) -> bool:
        wrong = np.asarray(mistake.wrong(**cases[other].arguments), float)
        return wrong.shape == results[other].shape and close(results[other], wrong)

    best, text, exhibit = 0, "", ""
    for mistake in spec.mistakes:
        if agrees(mistake, number):
            count = sum(agrees(mistake, other) for other in results)
            if count > best:
                best, text, exhibit = count, mistake.text, mistake.exhibit
    found, wanted = results[number], np.asarray(spec.right(**cases[number].arguments))
    if not text and np.isnan(found).any():
        text = "Find the division by 0: the result holds nan, which is not a number."
    if not text:
        text = f"Compare the numbers of this case with the equation: {cases[number].shows}."
    return Remark(
        text, exhibit, shown(cases[number]), numbers(wanted.tolist()), numbers(found.tolist())
    )


def _gradient(case: functions.Case, found: Mapping[str, Any]) -> None:
    gradients = found.get("gradients") or {}
    wanted = functions.ppo_gradient(**case.arguments)
    sides = dict(where=shown(case), expected=numbers(wanted.tolist()))
    mine = gradients.get("log_probs")
    if mine is None:
        raise Fault([Remark("Keep the gradient in log_probs: here none reaches it. Use torch's "
                            "functions, and detach nothing that log_probs passes through.",
                            **sides, found="none")])  # fmt: skip
    for other, exhibit in (("advantages", "not_detached"), ("old_log_probs", "")):
        if gradients.get(other) is not None and np.any(gradients[other]):
            raise Fault([Remark(f"Detach {other}: they are data, and here a gradient reaches "
                                "them.", exhibit, where=case.shows, expected="none",
                                found=numbers(gradients[other]))])  # fmt: skip
    rho = np.exp(case.arguments["log_probs"] - case.arguments["old_log_probs"])
    edge = np.isclose(rho, 1 - case.arguments["clip_range"]) | np.isclose(
        rho, 1 + case.arguments["clip_range"]
    )
    if not close(np.array(mine)[~edge], wanted[~edge]):
        raise Fault([Remark("Let the gradient pass where the unclipped product is the smaller one, "
                            "and nowhere else.", **sides, found=numbers(mine))])  # fmt: skip


def check_baseline(call: Callable[[Mapping[str, Any]], Any], progress: Progress) -> None:
    """One number a state, smaller variance than V's, exactly, at each of three policies."""
    for number, theta in enumerate(functions.POLICIES):
        given = functions.toypole_arguments(theta)
        found = call(given)
        states = len(given["values"])
        case = functions.Case(f"policy {number + 1} of {len(functions.POLICIES)}", given)
        if "data" not in found:
            raise Fault([Remark("Return an array of one number for each state.", where=case.shows)])
        if found["shape"] != [states]:
            text = f"Return the shape [{states}], one number for each state, not {found['shape']}."
            if found["shape"] == [states, 2]:
                text += " A baseline that depends on the action adds bias."
            raise Fault([Remark(text, where=case.shows)])
        if found["changed"]:
            raise Fault([Remark(f"Leave {', '.join(found['changed'])} as it is.")])
        baseline = np.array(found["data"], float)
        if not np.isfinite(baseline).all():
            raise Fault([Remark("Return finite numbers.", where=shown(case),
                                found=numbers(baseline.tolist()))])  # fmt: skip
        variance = functions.toypole_variance(theta, baseline)
        of_v = functions.toypole_variance(theta, given["values"])
        if variance >= of_v * (1 - 1e-9):
            same = close(baseline, given["values"])
            text = (
                "Choose another b than V(s): this is V itself."
                if same
                else "Find for each state the b with the smallest variance of (Q - b) grad log pi. "
                "Here the variance is not smaller than with V(s)."
            )
            raise Fault([Remark(text, where=f"exact variance of the gradient, {shown(case)}",
                                expected=f"less than {of_v:.6g}",
                                found=f"{variance:.6g}")])  # fmt: skip
        best = functions.toypole_variance(theta, ToyPole(theta).optimal_state_baseline)
        progress.checks.append(
            f"{case.shows}: exact variance {variance:.4g}, with V {of_v:.4g}, "
            f"with the best state baseline of one step {best:.4g}"
        )


# --- agents ---


def check_agent(task: Task, bench: Bench, progress: Progress) -> None:
    """What agents are asked before they train."""
    ask: Callable[..., Any] = lambda given: bench.ask(given | {"class": task.name})  # noqa: E731
    if task.key == "policy_gradient":
        found = ask(agents.ACT)
        if remark := agents.act_fault(found["ones"]):
            raise Fault([remark])
        progress.checks.append("act draws by the probabilities")

        def aim(arguments: Mapping[str, Any]) -> Any:
            given = {key: x for key, x in arguments.items() if key != "gamma"}
            return ask({"do": "aim", "gamma": arguments["gamma"],
                        "arguments": request(given, "tensor")})  # fmt: skip

        check_function(functions.Q_VALUES, aim, progress)
    found = ask(agents.UPDATE)
    if not found["updates"]:
        raise of_error(found["error"])
    seen = [
        agents.read(update, agents.Q_VALUES[i], agents.ORDER[i])
        for i, update in enumerate(found["updates"])
    ]
    faults = [agents.actor_fault(task.key, seen[0]), agents.critic_fault(seen[0], task.key)]
    moved = found["updates"][0]["moved"]
    if remarks := [fault for fault in faults if fault]:
        raise Fault(remarks)
    for name, far in zip(("actor", "critic"), moved, strict=True):
        if not far:
            raise Fault([Remark(f"Make a step of the optimizer that holds the {name}: it has a "
                                "gradient, and its weights stay as they are.")])  # fmt: skip
    progress.checks.append("gradient: the actor's weights, and what trains the critic")
    if "error" in found:
        remark = of_error(found["error"]).remarks[0]
        if "exists" not in remark.text:
            text = "Call self.reset() at the end of train: the first batch works, and the second "
            remark = Remark(f"{text}one stops. {remark.text}", "no_reset")
        raise Fault([remark])
    if remark := agents.memory_fault(task.key, seen[0], seen[1]) or agents.critic_fault(
        seen[1], task.key
    ):
        raise Fault([remark])
    progress.checks.append("memory: the second batch is right too")
    if any(eps > 1e-7 for eps in found["updates"][0]["eps"]):
        progress.notes.append(
            Remark("Use 1e-8 for Adam's epsilon. This is a note, no failure: the museum measures "
                   "what another one does.",
                   "adams_epsilon")
        )  # fmt: skip
    sure = ask(agents.SURE)
    if sure["updates"] and not np.any(sure["updates"][0]["grads"].get("actor") or 0):
        progress.notes.append(
            Remark("Use Categorical(logits=...): here the probabilities are clamped before the "
                   "logarithm. This is a note, no failure: the museum measures what it does.",
                   "softmax_categorical")
        )  # fmt: skip


def check_probes(task: Task, bench: Bench, progress: Progress) -> None:
    """Small environments, each for one ability."""
    for env, ability in PROBES.items():
        found = bench.ask(PROBE | {"env": env, "class": task.name})["learned"]
        if not np.mean(found) > LEARNED:
            raise Fault([Remark(
                f"Look at what this environment needs: {ability}. It is not learned here.",
                where=f"least probability of a right action, {PROBE['seeds']} seeds, "
                f"{PROBE['updates']} updates",
                expected=f"mean above {LEARNED}", found=numbers(found),
            )])  # fmt: skip
        progress.checks.append(f"learns: {ability} ({np.mean(found):.2f}, above {LEARNED})")


# --- the whole file ---


def check_seeds(task: Task, bench: Bench, progress: Progress) -> None:
    """The last check: seeds beside the reference."""
    trial, remark = seeds.trial(task.key, task.name, bench.ask, bench.name, bench.source)
    progress.trial = trial
    if trial and remark:
        raise Fault([remark])
    if remark:
        progress.notes.append(remark)
    if trial:
        progress.checks.append(f"seeds: {trial.num_seeds} beside {trial.num_reference}")


def check_task(
    task: Task, bench: Bench, with_seeds: bool, earlier: Mapping[str, Verdict], progress: Progress
) -> None:
    """All checks of one task, in order.  Raises: Fault at the first that fails."""

    def call(arguments: Mapping[str, Any]) -> Any:
        kind = task.function.kind if task.function else "numpy"
        given = {"function": task.name, "arguments": request(arguments, kind)}
        return bench.ask({"do": "call"} | given)

    if task.function:
        check_function(task.function, call, progress)
    elif not task.agent:
        check_baseline(call, progress)
    else:
        check_agent(task, bench, progress)
        base = earlier.get("policy_gradient")
        if base and base.status != "passed":
            text = "The numbers of this task are right. Its training waits for q_values of "
            raise Fault([Remark(f"{text}policy_gradient.")], "waits")
        check_probes(task, bench, progress)
        if with_seeds:
            check_seeds(task, bench, progress)


def verdict_of(
    task: Task, bench: Bench, with_seeds: bool, earlier: Mapping[str, Verdict]
) -> Verdict:
    """One task's verdict; `earlier` are those of the tasks before it."""
    started, progress = time.perf_counter(), Progress()
    status: Status = "passed"
    remarks: list[Remark] = []
    bench.printed = ""
    try:
        check_task(task, bench, with_seeds, earlier, progress)
    except Fault as fault:
        status, remarks = fault.status, fault.remarks
    except Ended as ended:  # a further child of the training
        status, remarks = "stopped", [Remark(str(ended))]
    return Verdict(
        task.key, status, tuple(progress.checks), tuple([*remarks, *progress.notes][:REMARKS]),
        progress.trial, bench.printed, time.perf_counter() - started,
    )  # fmt: skip


def check(
    path: str | Path,
    with_seeds: bool = True,
    child: Child | None = None,
    tell: Callable[[Verdict], None] = lambda verdict: None,
) -> list[Verdict]:
    """Check every task of a file, in order.

    Args:
        path: the reader's file.
        with_seeds: train seeds beside the reference too, some 12 s for each agent.
        child: one that was started ahead and has torch ready; it is ended here.
        tell: called with each verdict as it comes.

    Returns: a verdict for each task. If the file cannot be read at all, one more stands before
    them, for the task "file", and the others are stopped.

    Raises: OSError if there is no such file; ValueError for one that is no text or too large. A
        ValueError too where children cannot be started and limited.
    """
    path = Path(path)
    return check_source(path.name, path.read_text(encoding="utf-8"), with_seeds, child, tell)


def check_source(
    name: str,
    source: str,
    with_seeds: bool = True,
    child: Child | None = None,
    tell: Callable[[Verdict], None] = lambda verdict: None,
) -> list[Verdict]:
    """As `check`, for the text of a file that is called `name`."""
    if len(source) > LARGEST:
        raise ValueError(f"{name} has more than {LARGEST:,} characters.")
    bench = Bench(name, source, child)
    found: dict[str, Verdict] = {}
    try:
        started = time.perf_counter()
        try:
            bench.ask({"do": "nothing"})
        except Fault as fault:
            took = time.perf_counter() - started
            first = Verdict("file", "failed", (), tuple(fault.remarks), None, bench.printed, took)
            tell(first)
            return [first, *(Verdict(key, "stopped") for key in TASKS)]
        for key, task in TASKS.items():
            found[key] = verdict_of(task, bench, with_seeds, found)
            tell(found[key])
    finally:
        bench.end()
    return list(found.values())
