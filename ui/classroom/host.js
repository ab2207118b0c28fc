// The lecturer's page. Follows room.js.
const secret = location.pathname.split("/").pop();
let version = "";
let state = null;
let read = 0; // when the clocks were read, in ms

async function step() {
  const { status, said } = await ask(`${secret}/state?version=${version}`);
  if (status === 404) {
    $("main").hidden = true;
    connection(false, said.error);
    return null;
  }
  if (status !== 200 && status !== 204) {
    connection(false, status ? said.error : "no connection, trying again");
    return false;
  }
  connection(true, "connected");
  if (status === 200) {
    [version, state, read] = [said.version, said, performance.now()];
    draw();
  }
  return true;
}

let acting = Promise.resolve(); // until all that was pressed is done

/** Do what was pressed, one after another: no press overtakes the one before it. */
function act(action, value) {
  acting = acting.then(async () => {
    const { status, said } = await ask(`${secret}/act`, { body: { action, value } });
    $("done").textContent = status === 200 ? "" : said.error;
    turn();
  });
}

const clockTime = (seconds) => {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

function tick() {
  if (!state) return;
  const since = (performance.now() - read) / 1000;
  $("clock").textContent =
    `slide ${clockTime(state.slide_seconds + since)} of ${state.here.minutes} min, ` +
    `lecture ${clockTime(state.seconds + since)} of ${state.minutes} min`;
}

function draw() {
  const { here, question: asked, run } = state;
  $("main").hidden = false;
  $("title").textContent = state.lecture;
  $("place").textContent = `${state.slide + 1} of ${state.slides.length}`;
  $("slide").textContent = here.title;
  for (const name of ["ask", "expect", "notes"]) $(name).textContent = here[name];
  $("after").textContent = state.after ? `Next: ${state.after}` : "This is the last slide.";
  $("previous").disabled = state.slide === 0;
  $("next").disabled = !state.after;
  $("blank").setAttribute("aria-pressed", String(state.blank));
  drawVote(asked);
  $("run").textContent = run ? runSays(run) : "Every phone gets a seed of its own.";
  $("seeds").disabled = !state.phones;
  $("shown").textContent = state.shown ? `On the screen: ${state.shown}.` : "";
  $("proposals").replaceChildren(...state.proposals.map(([number, text]) =>
    make("div", { className: "row" },
      make("button", { type: "button", textContent: `Show ${text}`,
        onclick: () => act("show", number) }))));
  if (!state.proposals.length) $("proposals").textContent = "None yet.";
  $("room").textContent = `Room ${state.code}`;
  $("joined").textContent = `Phones that have joined: ${state.phones}.`;
  $("screen").href = `../screen/${state.screen}`;
  $("counts").href = `${secret}/counts.csv`;
  tick();
}

function runSays(run) {
  if (run.status === "done") return `Agents trained: ${run.of}.`;
  if (run.error) return run.error;
  return `Agents: ${run.of}. Training is ${run.status}, ${Math.round(100 * run.share)}%.`;
}

function drawVote(asked) {
  const status = asked?.status;
  $("asked").textContent = asked ? asked.text : "This slide asks nothing to vote on.";
  $("answered").textContent = asked && status !== "ready"
    ? `Answered: ${asked.answered} of ${state.phones}` : "";
  $("discuss").textContent = asked?.discuss ?? "";
  $("truth").textContent = asked?.truth ?? "";
  $("open").hidden = !["ready", "closed"].includes(status);
  $("open").textContent = status === "closed" ? "Vote again" : "Open the vote";
  $("open").className = status === "ready" || asked?.discuss ? "main" : "";
  $("close").hidden = status !== "open";
  $("close").className = "main";
  $("reveal").hidden = !["ready", "closed"].includes(status);
  $("reveal").className = status === "closed" && !asked.discuss ? "main" : "";
  $("anew").hidden = !asked || !asked.turn;
  $("rounds").replaceChildren(...(asked?.rounds ?? []).flatMap((found, place) =>
    [make("h3", { textContent: `Vote ${place + 1}` }), ...bars(found)]));
}

for (const button of document.querySelectorAll("[data-action]")) {
  button.onclick = () => act(button.dataset.action);
}
$("next").onclick = () => act("next");
$("previous").onclick = () => act("previous");
$("blank").onclick = () => act("blank", !state.blank);
$("end").onclick = () => {
  if (confirm("End the room for everybody? Its votes are forgotten.")) act("end");
};
document.addEventListener("keydown", (event) => {
  if (!state || event.altKey || event.ctrlKey || event.metaKey) return;
  if (["ArrowRight", "PageDown"].includes(event.key)) act("next");
  else if (["ArrowLeft", "PageUp"].includes(event.key)) act("previous");
  else if (["b", "."].includes(event.key)) act("blank", !state.blank);
  else return;
  event.preventDefault();
});

const turn = repeat(step, 1000);
setInterval(tick, 1000);
connection(true, "connecting");
turn();
