"""Run in a child process of its own, as a script: the reader's file, under limits.

It imports nothing of pgcore, so the answers are not here. Each line on stdin asks for one thing
(a function's result, an agent's updates, a training), each line on the private answer pipe gives
plain numbers. `contained.py` starts it, decides, and ends it.
"""

from __future__ import annotations

import faulthandler
import json
import linecache
import os
import resource
import select
import shutil
import sys
import threading
import time
import traceback
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.optimizer import register_optimizer_step_pre_hook

MEGABYTE = 1 << 20
FORBIDDEN = {  # audit events (PEP 578), by the first part of their names -> what the file tried
    "socket": "network", "urllib": "network", "ftplib": "network", "http": "network",
    "smtplib": "network",
    "subprocess": "process", "os.fork": "process", "os.forkpty": "process",
    "os.posix_spawn": "process", "os.exec": "process", "os.spawn": "process",
    "os.system": "process", "pty.spawn": "process", "os.kill": "process", "os.killpg": "process",
    "ctypes.dlopen": "process", "ctypes.dlsym": "process",
    "os.remove": "write", "os.rename": "write", "os.rmdir": "write", "os.mkdir": "write",
    "os.link": "write", "os.symlink": "write", "os.truncate": "write", "os.chmod": "write",
    "os.chown": "write", "os.utime": "write", "shutil": "write",
}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
attempts: list[list[Any]] = []  # what the guard refused: [kind, detail, line]


class Refused(BaseException):
    """Raised inside the reader's file by the guard; not an Exception, so that it goes through."""


def guard(folder: str, answers: str, name: str) -> None:
    """From here on: no network, no process, no file outside `folder`, no answers."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        kind = FORBIDDEN.get(event) or FORBIDDEN.get(event.partition(".")[0], "")
        detail = event
        if event == "import" and str(arguments[0]).partition(".")[0] == "pgcore":
            kind, detail = "answers", f"import {arguments[0]}"
        if event == "open" and isinstance(arguments[0], str | bytes):
            path, mode, flags = arguments
            path = os.path.realpath(os.fsdecode(path))
            writes = bool(set("wax+") & set(mode or "")) or bool((flags or 0) & WRITING)
            if path.startswith(answers):
                kind, detail = "answers", Path(path).name
            elif writes and not path.startswith(folder + os.sep) and path != os.devnull:
                kind, detail = "write", path
        if kind == "write" and event != "open":
            detail = str(arguments[0])
            if (os.path.realpath(detail) + os.sep).startswith(folder + os.sep):
                return
        if kind:
            frame = sys._getframe(1)
            while frame.f_back and frame.f_code.co_filename != name:
                frame = frame.f_back
            line = frame.f_lineno if frame.f_code.co_filename == name else 0
            attempts.append([kind, detail[:200], line])
            raise Refused(kind)

    sys.addaudithook(hook)


def error_of(error: BaseException, name: str) -> dict[str, Any]:
    """An exception as data, with the last line of the reader's file that it passed through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == name]
    line = frames[-1].lineno if frames else 0
    if isinstance(error, SyntaxError) and error.filename == name:
        line = error.lineno
    return {
        "type": type(error).__name__,
        "kinds": [kind.__name__ for kind in type(error).__mro__],
        "message": str(error)[:500],
        "line": line or 0,
        "code": linecache.getline(name, line or 0).strip()[:200],
    }


# --- one function ---


def argument(given: Any) -> Any:
    """A number as it is; an array or tensor from its data, dtype and kind."""
    if not isinstance(given, dict):
        return given
    array = np.array(given["data"], given["dtype"]).reshape(given["shape"])
    if given["kind"] == "numpy":
        return array
    tensor = torch.from_numpy(array)
    return tensor.requires_grad_() if given["kind"] == "leaf" else tensor


def plain(x: Any) -> dict[str, Any]:
    """What a result is, and its numbers."""
    found: dict[str, Any] = {"type": type(x).__name__}
    if isinstance(x, torch.Tensor):
        found["grad"] = x.requires_grad
        x = x.detach().cpu().numpy()
    if isinstance(x, float | int | list | tuple | np.ndarray | np.generic):
        array = np.asarray(x)
        found |= {"shape": list(array.shape), "dtype": str(array.dtype)}
        if array.dtype.kind in "fiub" and array.size <= 100_000:
            found["data"] = array.ravel().tolist()
    return found


def called(function: Any, given: dict[str, Any]) -> dict[str, Any]:
    """A function's result, whether it changed what it was given, and where its gradient goes."""
    arguments = {key: argument(value) for key, value in given.items()}
    before = {key: argument(value) for key, value in given.items()}
    result = function(**arguments)
    found = plain(result)
    found["changed"] = [
        key
        for key, value in arguments.items()
        if isinstance(value, np.ndarray | torch.Tensor)
        and not np.array_equal(_array(value), _array(before[key]))
    ]
    leaves = {k: x for k, x in arguments.items() if isinstance(x, torch.Tensor) and x.requires_grad}
    if leaves and isinstance(result, torch.Tensor) and result.requires_grad and result.numel() == 1:
        result.backward()
        found["gradients"] = {
            key: None if x.grad is None else x.grad.ravel().tolist() for key, x in leaves.items()
        }
    return found


def _array(x: Any) -> np.ndarray:
    return x.detach().numpy() if isinstance(x, torch.Tensor) else x


# --- one agent, with tables in place of networks ---


def table(rows: list[list[float]]) -> nn.Linear:
    """A network that reads its outputs from a table: one row for each one-hot observation."""
    layer = nn.Linear(len(rows), len(rows[0]), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(rows).T)
    return layer


class Watch:
    """Notes what happens to an agent's two tables: zero_grad, backward, step, in order."""

    def __init__(self, actor: nn.Linear, critic: nn.Linear) -> None:
        self.weights = {"actor": actor.weight, "critic": critic.weight}
        self.events: list[str] = []
        self.grads: dict[str, Any] = {}
        self.eps: list[float] = []

    def __enter__(self) -> Watch:
        self.zero, self.back = torch.optim.Optimizer.zero_grad, torch.autograd.backward

        def zero_grad(optimizer: Any, *given: Any, **named: Any) -> None:
            self.events.append("zero_grad")
            self.zero(optimizer, *given, **named)

        def backward(*given: Any, **named: Any) -> None:
            self.events.append("backward")
            self.back(*given, **named)

        torch.optim.Optimizer.zero_grad = zero_grad  # type: ignore[assignment,method-assign]
        torch.autograd.backward = backward
        self.handle = register_optimizer_step_pre_hook(self.stepping)
        return self

    def stepping(self, optimizer: Any, *_: Any) -> None:
        self.events.append("step")
        for group in optimizer.param_groups:
            self.eps.append(group.get("eps", 0.0))
            for weight in group["params"]:
                for name, own in self.weights.items():
                    if weight is own and name not in self.grads:
                        self.grads[name] = None if own.grad is None else own.grad.T.tolist()

    def __exit__(self, *_: Any) -> None:
        torch.optim.Optimizer.zero_grad = self.zero  # type: ignore[method-assign]
        torch.autograd.backward = self.back
        self.handle.remove()


def updated(make: Any, given: dict[str, Any]) -> dict[str, Any]:
    """What an agent's updates did to its tables: one entry for each batch in `q_values`."""
    actor, critic = table(given["actor"]), table(given["critic"])
    agent = make(actor, critic, 0.01, given["gamma"])
    done: list[dict[str, Any]] = []
    found: dict[str, Any] = {"updates": done}
    observations = torch.eye(len(given["actor"]))
    for number, (q_values, order) in enumerate(zip(given["q_values"], given["order"], strict=True)):
        torch.manual_seed(given["seed"] + number)
        before = [actor.weight.detach().clone(), critic.weight.detach().clone()]
        try:
            actions = [agent.act(observations[i]) for i in order]
            with Watch(actor, critic) as watch:
                agent.train(torch.tensor(q_values))
        except Exception as error:
            found["error"] = error_of(error, given["name"])
            break
        moved = [
            float((now.weight.detach() - then).abs().max())
            for now, then in zip((actor, critic), before, strict=True)
        ]
        done.append(
            {
                "actions": [int(action) for action in actions],
                "before": [x.T.tolist() for x in before],
                "grads": watch.grads,
                "events": watch.events,
                "moved": moved,
                "eps": watch.eps,
            }
        )
    return found


def acted(make: Any, given: dict[str, Any]) -> dict[str, Any]:
    """How often an agent chooses each action where its table says how often it should."""
    agent = make(table(given["actor"]), table(given["critic"]), 0.01, 0.99)
    torch.manual_seed(given["seed"])
    observations = torch.eye(len(given["actor"]))
    ones = [sum(int(agent.act(x)) for _ in range(given["draws"])) for x in observations]
    return {"ones": ones}


def aimed(make: Any, given: dict[str, Any]) -> dict[str, Any]:
    """What an agent's q_values returns."""
    agent = make(table([[0.0, 0.0]]), table([[0.0]]), 0.01, given["gamma"])
    return called(agent.q_values, given["arguments"])


# --- training ---


class OneState:
    """One state, one step an episode; action 1 is worth 1, action 0 nothing."""

    states, length = 1, 1

    def reset(self, rng: np.random.Generator) -> int:
        return 0

    def step(self, state: int, action: int) -> tuple[float, int]:
        return float(action), 0

    right = ((0, 1),)  # (state, action) that should have become likely


class TwoStates:
    """Two states, one step an episode; the action with the state's number is worth 1."""

    states, length = 2, 1

    def reset(self, rng: np.random.Generator) -> int:
        return int(rng.integers(2))

    def step(self, state: int, action: int) -> tuple[float, int]:
        return float(action == state), state

    right = ((0, 0), (1, 1))


class Delayed:
    """Three steps an episode; the first action decides what the last step pays, 1 or nothing."""

    states, length = 3, 3

    def reset(self, rng: np.random.Generator) -> int:
        self.paid = 0.0
        return 0

    def step(self, state: int, action: int) -> tuple[float, int]:
        if state == 0:
            self.paid = float(action)
        return (self.paid if state == 2 else 0.0), min(state + 1, 2)

    right = ((0, 1),)


PROBES: dict[str, Any] = {"one_state": OneState, "two_states": TwoStates, "delayed": Delayed}


def probed(make: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Probability of the right actions after a short training, the least of them, for each seed."""
    learned = []
    for seed in range(given["seeds"]):
        rng, env = np.random.default_rng(seed), PROBES[given["env"]]()
        torch.manual_seed(seed)
        actor, critic = table([[0.0, 0.0]] * env.states), table([[0.0]] * env.states)
        agent = make(actor, critic, given["learning_rate"], 0.9)
        observations = torch.eye(env.states)
        state, t = env.reset(rng), 0
        for _ in range(given["updates"]):
            batch = Collected()
            for _ in range(given["batch_size"]):
                action = int(agent.act(observations[state]))
                reward, state = env.step(state, action)
                t += 1
                ended = t == env.length
                batch.add(reward, ended, False, observations[state])
                if ended:
                    state, t = env.reset(rng), 0
            batch.train(agent)
        probs = torch.softmax(actor(observations), -1)
        learned.append(min(float(probs[place]) for place in env.right))
    return {"learned": learned}


class Collected:
    """What the environment said in one batch."""

    def __init__(self) -> None:
        self.rewards: list[float] = []
        self.terminated: list[bool] = []
        self.truncated: list[bool] = []
        self.following: list[torch.Tensor] = []

    def add(self, reward: float, terminated: bool, truncated: bool, after: torch.Tensor) -> None:
        self.rewards.append(reward)
        self.terminated.append(terminated)
        self.truncated.append(truncated)
        self.following.append(after)

    def train(self, agent: Any) -> None:
        """One update of the agent."""
        with torch.no_grad():
            final_values = agent.critic(torch.stack(self.following)).reshape(-1)
        rewards = torch.tensor(self.rewards)
        ends = torch.tensor(self.terminated), torch.tensor(self.truncated)
        agent.train(agent.q_values(rewards, *ends, final_values))


class Network(nn.Module):
    """The lab's network: one hidden layer with ReLU."""

    def __init__(self, outputs: int, hidden: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, hidden), nn.Linear(hidden, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = functional.relu(functional.linear(x, self.first.weight, self.first.bias))
        return functional.linear(hidden, self.last.weight, self.last.bias)


def trained(make: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Train on CartPole, a seed after the other, until the time is over: the policies' weights."""
    from gymnasium.envs.classic_control.cartpole import CartPoleEnv

    torch.distributions.Distribution.set_default_validate_args(False)  # the numbers are checked
    until = time.monotonic() + given["seconds"]
    policies: dict[str, list[float]] = {}
    for seed in given["seeds"]:
        torch.manual_seed(seed)
        actor, critic = Network(2, given["hidden_dim"]), Network(1, given["hidden_dim"])
        agent = make(actor, critic, given["learning_rate"], given["gamma"])
        env = CartPoleEnv()
        obs, t = torch.from_numpy(env.reset(seed=seed)[0]), 0
        for _ in range(given["steps"] // given["batch_size"]):
            batch = Collected()
            for _ in range(given["batch_size"]):
                after, reward, terminated, _, _ = env.step(int(agent.act(obs)))
                t += 1
                obs, cut = torch.from_numpy(after), t == 500 and not terminated
                batch.add(float(reward), terminated, cut, obs)
                if terminated or cut:
                    obs, t = torch.from_numpy(env.reset()[0]), 0
            batch.train(agent)
            if time.monotonic() > until:
                return {"policies": policies}
        layers = (actor.first.weight.T, actor.first.bias, actor.last.weight, actor.last.bias)
        policies[str(seed)] = torch.cat([x.detach().reshape(-1) for x in layers]).tolist()
    return {"policies": policies}


# --- the conversation ---

EXPERIMENTS = {"update": updated, "act": acted, "aim": aimed, "probe": probed, "train": trained}


def answer(names: dict[str, Any], given: dict[str, Any], name: str) -> dict[str, Any]:
    """One request's answer: {"value": ...} or {"error": ...}, and what the guard refused."""
    attempts.clear()
    found: dict[str, Any] = {}
    try:
        if given["do"] == "load":
            linecache.cache[name] = (len(given["source"]), None,
                                     given["source"].splitlines(True), name)  # fmt: skip
            exec(compile(given["source"], name, "exec"), names)
            found["value"] = None
        elif given["do"] == "nothing":
            found["value"] = None
        elif given["do"] == "call":
            found["value"] = called(names[given["function"]], given["arguments"])
        else:
            found["value"] = EXPERIMENTS[given["do"]](names[given["class"]], given | {"name": name})
    except BaseException as error:
        found["error"] = error_of(error, name)
    found["attempts"] = attempts[:3]
    return found


def without_compiler() -> None:
    """Leave torch's compiler out: optimizers import it, that takes a second, and none is compiled.

    The two functions are what torch 2.13's optimizers call of it.
    """
    stand_in = types.ModuleType("torch._dynamo")
    vars(stand_in).update(graph_break=lambda: None, disable=lambda function, *_, **__: function)
    sys.modules["torch._dynamo"] = stand_in


def leave(requests: int, folder: str) -> None:
    """When nobody can ask any more, for the parent is gone: remove the folder, and end."""
    end = select.poll()
    end.register(requests, 0)  # no event but the pipe's end, which is always told
    end.poll()
    os.chdir(folder)  # the guard judges names below the current folder
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def main() -> None:
    without_compiler()
    options = json.loads(sys.argv[1])
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    folder = os.path.realpath(".")
    leaving = threading.Thread(target=leave, args=(requests.fileno(), folder), daemon=True)
    leaving.start()
    printed = os.open("printed", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for place, target in ((0, nothing), (1, printed), (2, printed)):
        os.dup2(target, place)  # what the file prints is kept apart from the answers
    sys.stdout = os.fdopen(os.dup(1), "w", 1, errors="replace")  # by lines: a crash loses none
    stuck = os.fdopen(os.open("stuck", os.O_WRONLY | os.O_CREAT), "w")
    torch.set_num_threads(1)
    limits = {
        resource.RLIMIT_FSIZE: MEGABYTE,
        resource.RLIMIT_CPU: options["cpu_seconds"],
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":  # on top of what Python and torch take
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        room = pages * resource.getpagesize() + options["megabytes"] * MEGABYTE
        limits[resource.RLIMIT_AS] = room
    if options["apart"]:  # the count is this child's own in its own namespace
        limits[resource.RLIMIT_NPROC] = 64
    for which, most in limits.items():
        resource.setrlimit(which, (most, most))
    name = options["name"]
    module = sys.modules["tasks"] = types.ModuleType("tasks")
    guard(folder, options["answers"], name)
    answers.write("ready\n")
    answers.flush()
    for line in requests:
        given = json.loads(line)
        os.ftruncate(1, 0)  # what is printed belongs to one request
        faulthandler.dump_traceback_later(given["patience"], file=stuck)
        found = answer(module.__dict__, given, name) | {"id": given["id"]}
        faulthandler.cancel_dump_traceback_later()
        with suppress(OSError):  # it has printed too much
            sys.stdout.flush()
        answers.write(json.dumps(found) + "\n")
        answers.flush()
    leaving.join()


if __name__ == "__main__":
    main()
