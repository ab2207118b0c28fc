"""The exercises: right solutions pass, children are contained, the command line says it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from pgcore import exercises
from pgcore.__main__ import main
from pgcore.exercises import TASKS, contained, seeds
from pgcore.exercises.checks import Bench, verdict_of
from pgcore.exercises.contained import Child, Ended
from pgcore.exercises.verdict import Fault, Remark, Trial, Verdict, numbers
from tests.solutions import LECTURE, STYLES

ROOT = Path(__file__).parents[2]
CALLED = LECTURE + "\ndef leave_one_out(q_values):\n"  # the last definition counts


def saved(folder: Path, text: str, name: str = "tasks.py") -> Path:
    file = folder / name
    file.write_text(text)
    return file


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for temporary folders, in which nobody else's children stand."""
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("children"))
    yield
    tempfile.tempdir = before


def alive() -> set[str]:
    """Folders of children, and processes that stand in one."""
    root = tempfile.gettempdir()
    found = {str(path) for path in Path(root).iterdir()}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str((process / "cwd").readlink()).startswith(root):
                found.add(process.name)
    return found


# --- right solutions ---


@pytest.mark.parametrize("style", STYLES)
def test_a_right_solution_of_every_task_passes(style: str, tmp_path: Path) -> None:
    told: list[Verdict] = []
    verdicts = exercises.check(saved(tmp_path, STYLES[style]), with_seeds=False, tell=told.append)
    assert [verdict.task for verdict in verdicts] == list(TASKS)
    assert {verdict.status for verdict in verdicts} == {"passed"}, verdicts
    assert all(verdict.remarks == () for verdict in verdicts)
    assert told == verdicts


def test_the_new_file_is_not_written_yet(tmp_path: Path) -> None:
    file = exercises.new(tmp_path / "course")
    verdicts = exercises.check(file)
    assert [(v.task, v.status, v.remarks) for v in verdicts] == [
        (key, "unwritten", ()) for key in TASKS
    ]
    before = file.read_text()
    assert before == (ROOT / "pgcore/exercises/tasks.py").read_text()
    file.write_text("mine")
    with pytest.raises(FileExistsError, match="stays as it is"):
        exercises.new(tmp_path / "course")
    assert file.read_text() == "mine"


def test_half_a_task_is_told_what_is_right_so_far(bench: Bench) -> None:
    start = LECTURE.index("        obs, actions = self.memory()\n        log_probs")
    text = LECTURE[:start] + "        raise NotImplementedError\n" + LECTURE[start:]
    verdict = only("policy_gradient", text, bench)
    assert verdict.status == "unwritten" and verdict.remarks == ()
    assert "Passed so far: act draws" in exercises.text(verdict)


def test_tasks_hold_equation_shapes_example_and_space() -> None:
    for task in TASKS.values():
        for part in ("Args:", "Example", "raise NotImplementedError"):
            assert part in task.text, (task.key, part)
        assert len(set(task.hints)) == 3
    assert "Returns: [T] float32" in TASKS["policy_gradient"].text


def test_the_templates_examples_are_right() -> None:
    """The numbers that the file tells its reader, computed."""
    text = (ROOT / "pgcore/exercises/tasks.py").read_text()
    q = exercises.TASKS["leave_one_out"].function
    assert q is not None
    assert q.right(q_values=np.array([[2, 4, 9]])).tolist() == [[-4.5, -1.5, 6]]
    assert "-4.5, -1.5, 6" in text
    gae = TASKS["gae"].function
    assert gae is not None
    free, _, cut = (gae.right(**case.arguments)[0].tolist() for case in gae.cases[:3])
    assert (free, cut) == ([1.375, 1.5, 2], [1.25, 1, 2])
    assert "A = 1.375, 1.5, 2. If step 1 is truncated: 1.25, 1, 2." in text
    white = TASKS["normalized"].function
    assert white is not None
    assert numbers(white.right(np.array([[1.0, 3, 5, 7]]))[0].tolist()) in (
        "-1.342, -0.4472, 0.4472, 1.342"
    )
    clipped = TASKS["ppo_clipped_loss"].function
    assert clipped is not None
    assert clipped.right(**clipped.cases[-1].arguments) == pytest.approx(0.15)
    from pgcore.exercises.functions import Q_VALUES

    found = [Q_VALUES.right(**case.arguments).tolist() for case in Q_VALUES.cases[:3]]
    assert found == [[4, 6, 8], [2, 2, 8], [3.5, 5, 8]]
    p, (q_0, q_1) = 0.8, (9, 10)
    v, best = p * q_1 + (1 - p) * q_0, p * q_0 + (1 - p) * q_1
    spread = [p * (1 - p) * (b - best) ** 2 for b in (0, v, best)]
    assert np.allclose(spread, [13.5424, 0.0576, 0], atol=1e-12)
    assert "is 13.54 with\n        b = 0, and 0.0576 with b = V = 9.8" in text


# --- seeds ---


def test_seeds_stand_beside_the_reference(monkeypatch) -> None:
    """As many as there is time for, and the reference's; the difference is theirs."""
    monkeypatch.setattr(seeds, "SEEDS", 4)
    monkeypatch.setattr(seeds, "FEWEST", 4)
    monkeypatch.setattr(seeds, "SECONDS", 100.0)
    bench = Bench("tasks.py", LECTURE)
    try:
        verdict = verdict_of(TASKS["actor_critic"], bench, True, {})
        assert verdict.status == "passed", verdict
        trial = verdict.trial
        assert trial and trial.num_seeds == trial.num_reference == 4
        gap = np.mean(trial.yours_returns) - np.mean(trial.reference_returns)
        assert trial.difference.startswith(f"{gap:.1f} [")
        assert "n = 4 seeds" in exercises.text(verdict)
        slow = LECTURE.replace("def act(self, obs):", "def act(self, obs):\n        import time\n"
                               "        time.sleep(0.05)")  # fmt: skip
        monkeypatch.setattr(seeds, "SECONDS", 0.5)
        bench.source, bench.loaded = slow, False
        found, remark = seeds.trial("actor_critic", "ActorCritic", bench.ask, "t.py", slow)
        assert found is None and remark and "0 seeds were trained" in remark.text
    finally:
        bench.end()


@pytest.mark.slow
def test_an_agent_that_learns_less_fails_by_its_seeds(monkeypatch) -> None:
    """Its numbers are right, but it makes no step with the training's learning rate."""
    monkeypatch.setattr(seeds, "SEEDS", 24)
    monkeypatch.setattr(seeds, "SECONDS", 100.0)
    lazy = LECTURE.replace(
        "learning_rate=5e-3, gamma=0.99):", "learning_rate=5e-3, gamma=0.99):\n"
        "        if learning_rate == 0.03:\n            learning_rate = 0.0"
    )  # fmt: skip
    bench = Bench("tasks.py", lazy)
    try:
        verdict = verdict_of(TASKS["actor_critic"], bench, True, {})
    finally:
        bench.end()
    assert verdict.status == "failed"
    assert "learns less than the reference" in verdict.remarks[0].text
    assert "n = 24 and 24 seeds" in verdict.remarks[0].where


def test_a_task_whose_q_values_fail_waits(tmp_path: Path) -> None:
    text = LECTURE.replace("self.gamma * following", "following")
    first, second, *_ = exercises.check(saved(tmp_path, text), with_seeds=False)
    assert (first.status, second.status) == ("failed", "waits")
    assert "waits for q_values" in second.remarks[0].text


# --- containment ---

CONTAINED = {
    "endless loop": ("while True:\n    pass", "Look for a loop that does not end (line 1)"),
    "endless loop that catches all": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "Look for a loop that does not end (line 3)",
    ),
    "os._exit": ("import os\nos._exit(0)", "Remove the call that ends Python (os._exit, exit"),
    "sys.exit": ("import sys\nsys.exit(0)", "Remove the call that ends Python in line 2"),
    "crash": ("import ctypes\nctypes.string_at(0)", "Python itself crashed (SIGSEGV)"),
    "fork bomb": ("import os\nwhile True:\n    os.fork()", "Remove the start of another program"),
    "fork bomb by multiprocessing": (
        "import multiprocessing\nwhile True:\n    multiprocessing.Process(target=print).start()",
        "Remove the start of another program",
    ),
    "program": ("import subprocess\nsubprocess.run(['ls'])", "(subprocess.Popen)"),
    "shell": ("import os\nos.system('ls')", "(os.system)"),
    "kill": ("import os\nos.kill(os.getppid(), 9)", "(os.kill)"),
    "C library": ("import ctypes\nctypes.CDLL(None).fork()", "(ctypes.dlopen)"),
    "gigabytes": ("x = bytearray(5 << 30)", "Ask for less memory in line 1"),
    "gigabytes in torch": ("import torch\ntorch.zeros(5 << 30)", "Ask for less memory in line 2"),
    "gigabytes bit by bit": (
        "held = []\nwhile True:\n    held.append(bytearray(10**8))",
        "Ask for less memory in line 3",
    ),
    "huge output": ("while True:\n    print('x' * 10**6)", "Print or write less in line 2"),
    "huge file": ("open('mine', 'w').write('x' * 10**7)", "Print or write less in line 1"),
    "recursion": (
        "def f():\n    return f()\nf()",
        "Add an end to the recursion in line 2 (`return f()`)",
    ),
    "writing outside": ("open('{outside}/new', 'w')", "Do not change files: {outside}/new"),
    "writing outside by os": (
        "import os\nos.open('{outside}/new', os.O_CREAT | os.O_WRONLY)",
        "Do not change files: {outside}/new",
    ),
    "removing outside": ("import os\nos.remove('{outside}/kept')", "Do not change files"),
    "renaming outside": (
        "import os\nos.rename('{outside}/kept', '{outside}/new')",
        "Do not change files",
    ),
    "removing a tree": ("import shutil\nshutil.rmtree('{outside}')", "Do not change files"),
    "network": (
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9')",
        "Remove the use of the network",
    ),
    "socket": ("import socket\nsocket.socket()", "Remove the use of the network"),
    "answers": ("from pgcore import returns", "the file reads the answer from pgcore"),
    "answers, caught": (
        "try:\n    import pgcore\nexcept BaseException:\n    pass",
        "the file reads the answer from pgcore",
    ),
    "answers, read": (
        "print(open('{pgcore}/returns.py').read())",
        "the file reads the answer from pgcore (returns.py)",
    ),
    "answers, by path": (
        "import sys\nsys.path.insert(0, '{root}')\nimport pgcore.algorithms",
        "the file reads the answer from pgcore",
    ),
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "kept").write_text("mine")
    return tmp_path


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One child for many questions; a fresh one follows each that ended."""
    before = alive()
    shared = Bench("tasks.py", "")
    yield shared
    shared.end()
    assert alive() <= before


def only(task: str, text: str, bench: Bench) -> Verdict:
    """One task's verdict on a file, without seeds."""
    bench.source, bench.loaded = text, False
    return verdict_of(TASKS[task], bench, False, {})


@pytest.mark.parametrize("name", CONTAINED)
def test_each_case_has_its_sentence_and_leaves_nothing(
    name: str, outside: Path, bench: Bench
) -> None:
    lines, says = CONTAINED[name]
    places = {"{outside}": str(outside), "{pgcore}": str(ROOT / "pgcore"), "{root}": str(ROOT)}
    for place, path in places.items():
        lines, says = lines.replace(place, path), says.replace(place, path)
    bench.source, bench.loaded = lines, False
    with pytest.raises(Fault) as caught:
        bench.ask({"do": "nothing"}, 3.0 if "loop" in name else 120.0)
    assert says in caught.value.remarks[0].text, caught.value.remarks
    assert len(alive()) <= 3  # at most the shared child: its folder, itself, and what started it
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert (outside / "kept").read_text() == "mine"


def test_one_task_that_ends_python_leaves_the_others(tmp_path: Path) -> None:
    text = CALLED + "    import os\n    print('here')\n    os._exit(3)\n"
    verdicts = {v.task: v for v in exercises.check(saved(tmp_path, text), with_seeds=False)}
    assert {key for key, v in verdicts.items() if v.status != "passed"} == {"leave_one_out"}
    stopped = verdicts["leave_one_out"]
    assert stopped.status == "stopped" and "exit status 3" in stopped.remarks[0].text
    assert stopped.printed == "here\n"
    assert "> here" in exercises.text(stopped)


def test_what_a_file_prints_cannot_pass_for_an_answer(bench: Bench) -> None:
    """On its own output; and on the private pipe, with an answer made up in advance."""
    forged = json.dumps({"value": {"type": "ndarray", "data": [0]}, "attempts": [], "id": "1"})
    printing = CALLED + f"    print({forged!r})\n    return q_values\n"
    verdict = only("leave_one_out", printing, bench)
    assert verdict.status == "failed" and forged in verdict.printed
    every = "".join(
        f"    try:\n        os.write({fd}, {forged!r}.encode() + b'\\n')\n"
        "    except OSError:\n        pass\n"
        for fd in range(3, 12)
    )
    verdict = only("leave_one_out", CALLED + f"    import os\n{every}    return 0\n", bench)
    assert "cannot be trusted" in verdict.remarks[0].text


def test_a_process_that_got_away_is_ended_too(tmp_path: Path) -> None:
    """One that the guard let through: started before it, and in a session of its own."""
    if not contained.apart():
        pytest.skip("this system gives no namespaces")
    before = alive()
    with Child("t.py") as child:
        child.ask({"do": "load", "source": "import threading, time\n"
                   "threading.Thread(target=time.sleep, args=(999,)).start()"})  # fmt: skip
        assert alive() > before
    assert alive() <= before


def test_a_child_sees_no_network_interface_and_no_secret(monkeypatch) -> None:
    monkeypatch.setenv("TOKEN_OF_MINE", "secret")
    text = (
        "import os\n"
        "def interfaces(): return len(open('/proc/net/dev').read().splitlines()) - 2\n"
        "def secrets(): return int('TOKEN_OF_MINE' in os.environ)\n"
    )
    with Child("t.py") as child:
        child.ask({"do": "load", "source": text})

        def ask(name: str) -> list[float]:
            return child.ask({"do": "call", "function": name, "arguments": {}})["value"]["data"]

        assert ask("secrets") == [0]
        if contained.apart():
            assert ask("interfaces") == [1]  # the loopback, which is down
    assert ("no network" in exercises.containment()) == contained.apart()


def test_without_namespaces_it_says_so(monkeypatch) -> None:
    monkeypatch.setattr(contained, "apart", lambda: False)
    assert "cannot take the network away" in exercises.containment()
    bench = Bench("t.py", "import socket\nsocket.create_connection(('127.0.0.1', 9))")
    with pytest.raises(Fault) as caught:
        bench.ask({"do": "nothing"})
    bench.end()
    assert "Remove the use of the network" in caught.value.remarks[0].text


def test_a_result_too_large_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(contained, "ANSWER_BYTES", 1000)
    with Child("t.py") as child:
        text = "import numpy as np\ndef f(): return np.random.rand(10_000)"
        child.ask({"do": "load", "source": text})
        with pytest.raises(Ended, match="Return fewer numbers"):
            child.ask({"do": "call", "function": "f", "arguments": {}})


# --- a file as a whole ---


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f(:\n", "Correct the syntax in line 1"),
        ("import nosuchlibrary", "Look at line 1 (`import nosuchlibrary`): ModuleNotFoundError"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_first(text: str, says: str, tmp_path: Path) -> None:
    first, *others = exercises.check(saved(tmp_path, text))
    assert (first.task, first.status) == ("file", "failed")
    assert says in first.remarks[0].text
    assert {verdict.status for verdict in others} == {"stopped"} and len(others) == len(TASKS)
    assert "the file itself" in exercises.text(first)


def test_a_missing_name_is_said() -> None:
    text = LECTURE.replace("def gae(", "def gea(")
    bench = Bench("tasks.py", text)
    assert "Keep the name 'gae'" in verdict_of(TASKS["gae"], bench, False, {}).remarks[0].text
    assert verdict_of(TASKS["normalized"], bench, False, {}).status == "passed"
    bench.end()


# --- the command line ---


def wrong(folder: Path, name: str = "wrong.py") -> Path:
    return saved(folder, LECTURE.replace(" * ~terminated", ""), name)


@pytest.fixture
def ready(bench: Bench, monkeypatch) -> None:
    """`check` takes the shared child: what is asked here is how the command line says it."""

    def shared(path, with_seeds=True, child=None, tell=lambda verdict: None):
        bench.source, bench.loaded = Path(path).read_text(), False
        found: dict[str, Verdict] = {}
        for key, task in TASKS.items():
            found[key] = verdict_of(task, bench, with_seeds, found)
            tell(found[key])
        return list(found.values())

    monkeypatch.setattr(exercises, "check", shared)


def test_check_prints_and_exits(tmp_path: Path, ready: None, capsys) -> None:
    assert main(["check", "--quick", str(wrong(tmp_path))]) == 1
    out = capsys.readouterr().out
    assert exercises.containment() in out
    line = next(line for line in out.splitlines() if line.startswith("gae"))
    assert "FAILED" in line
    assert "expected  1, -2, 2" not in out
    assert "1. Add no V(s'_t) to delta after a termination" in out
    assert "expected  " in out and "found     " in out
    assert main(["check", "--quick", str(saved(tmp_path, LECTURE))]) == 0
    assert main(["check", str(exercises.new(tmp_path / "new"))]) == 3


def test_several_files_are_a_table_and_json_is_all(tmp_path: Path, ready: None, capsys) -> None:
    files = [str(saved(tmp_path, LECTURE)), str(wrong(tmp_path))]
    assert main(["check", "--quick", *files]) == 1
    head, right, bad = capsys.readouterr().out.splitlines()
    assert head.split() == [*TASKS, "passed"]
    assert right.split()[1:] == ["yes"] * 8 + ["8", "of", "8"]
    assert bad.split()[5] == "NO" and bad.endswith("7 of 8")
    assert main(["check", "--quick", "--json", files[1]]) == 1
    ((answer),) = json.loads(capsys.readouterr().out)
    found = {v["task"]: v for v in answer["verdicts"]}
    assert answer["file"] == files[1] and list(found) == list(TASKS)
    assert found["gae"]["status"] == "failed" and found["gae"]["remarks"][0]["expected"]


def test_hints_come_in_three_steps(capsys) -> None:
    said = []
    for step in ([], ["2"], ["3"]):
        assert main(["check", "--hint", "gae", *step]) == 0
        said.append(capsys.readouterr().out)
    assert said == [f"Hint {i + 1} of 3. {TASKS['gae'].hints[i]}\n" for i in range(3)]
    for refused in (["nothing"], ["gae", "4"], ["gae", "1", "2"]):
        assert main(["check", "--hint", *refused]) == 2
    assert "there is no task 'nothing'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name a file"),
        (["no/such/file.py"], "No such file"),
        (["a.py", "b.py", "--watch"], "--watch takes one file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: list[str], says: str, capsys) -> None:
    assert main(["check", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_new_writes_once(tmp_path: Path, capsys) -> None:
    assert main(["exercises", "new", str(tmp_path)]) == 0
    assert f"pgcore check {tmp_path / 'tasks.py'}" in capsys.readouterr().out
    assert main(["exercises", "new", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_watch_answers_each_change(tmp_path: Path) -> None:
    file = wrong(tmp_path)
    before = alive()
    rounds = exercises.watch(file)
    red = {v.task: v.status for v in next(rounds)}
    file.write_text(LECTURE)
    green = {v.task: v.status for v in next(rounds)}
    assert (red["gae"], green["gae"]) == ("failed", "passed")
    rounds.close()
    assert alive() <= before
    done = exercises.watch(file, stopped=lambda: True)
    assert len(list(done)) == 1
    assert alive() <= before


def test_watch_ends_with_control_c(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "pgcore", "check", "--watch", str(wrong(tmp_path))]
    before = alive()
    place = os.environ | {"TMPDIR": tempfile.gettempdir()}
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=place)
    assert process.stdout
    for line in process.stdout:
        if line.startswith("my_baseline"):
            break
    process.send_signal(contained.signal.SIGINT)
    process.wait(60)
    process.stdout.close()
    assert process.returncode == 130
    assert alive() <= before


ASKING = """
from pgcore.exercises import Child
child = Child("t.py")
child.ask({"do": "nothing"})
print("ready", flush=True)
child.ask({"do": "load", "source": SOURCE}, 100)
input()
"""


@pytest.mark.parametrize("source", ["x = 1", "while True: pass"])
def test_nothing_is_left_of_a_parent_that_was_killed(source: str) -> None:
    before = alive()
    place = os.environ | {"TMPDIR": tempfile.gettempdir()}
    command = [sys.executable, "-c", ASKING.replace("SOURCE", repr(source))]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=place
    )
    with process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        assert alive() > before
        process.kill()
    while alive() > before:
        time.sleep(0.05)


def test_text_of_a_verdict() -> None:
    trial = Trial("40.0 [38.0, 42.0]", "41.0 [39.0, 43.0]", "-1.0 [-3.0, 1.0]", 150, 200, 960)
    remark = Remark("Do this.", "column", "a case", "1, 2", "3, 4")
    text = exercises.text(Verdict("gae", "failed", ("runs",), (remark,), trial, "hello\n", 1.23))
    for part in (
        "gae               FAILED           Generalised advantage estimation (1.2 s)",
        "  1. Do this.\n     Case: a case\n     expected  1, 2\n     found     3, 4\n"
        "     Bug museum: A row less a column\n"
        "                 in the running lab at /museum?museum_view=Exhibits&exhibit=column",
        "Passed so far: runs.",
        "yours 40.0 [38.0, 42.0], n = 150 seeds; reference 41.0 [39.0, 43.0], n = 200",
        "difference -1.0 [-3.0, 1.0]",
        "99.9%",
        "> hello",
    ):
        assert part in text, part


def test_numbers_as_a_reader_compares_them() -> None:
    assert numbers([1.0, -0.33333333, 12345.678]) == "1, -0.3333, 1.235e+04"
    assert numbers([[1.0, 2.0], [3.0, 4.0]]) == "1, 2 | 3, 4"
    assert numbers(list(range(10))).endswith("7, ...")
    assert numbers([True]) == "True"


def test_a_child_that_cannot_start_is_not_the_files_fault(monkeypatch) -> None:
    monkeypatch.setattr(contained.sys, "executable", "/bin/false")
    with Child("t.py") as child, pytest.raises(ValueError, match="did not start"):
        child.ask({"do": "nothing"})
