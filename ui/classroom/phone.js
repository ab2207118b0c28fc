// A student's phone. Follows room.js, and the player's physics.js and scene.js.
const code = decodeURIComponent(location.pathname.split("/").pop()).toUpperCase();
const PLACE = `pglab room ${code}`;
const [UNIT, MOST] = [20, 500]; // ms a step of CartPole, and its longest episode
const own = { phone: "", order: 0, vote: null, ...kept() }; // vote: sent, and not yet acknowledged
let version = "";
let state = null;
let chosen = null; // an answer that is not sent yet
let drawn = ""; // the question that stands on the page
let agentShown = "";
let proposing = false;
let reached = true; // by the last request

/** What this browser kept of the room, if it keeps anything. */
function kept() {
  try {
    return JSON.parse(localStorage.getItem(PLACE));
  } catch {
    return null;
  }
}

function keep() {
  try {
    localStorage.setItem(PLACE, JSON.stringify(own));
  } catch {
    // a browser that keeps nothing: this page still holds it
  }
}

// --- with the server ---

async function step() {
  if (!own.phone) {
    const { status, said } = await ask(`${code}/join`, { body: {} });
    if (status !== 200) return failed(status, said);
    own.phone = said.phone;
    keep();
  }
  if (own.vote) {
    const went = await deliver();
    if (went) return failed(went.status, went.said);
  }
  const { status, said } = await ask(`${code}/state?version=${version}`, { key: own.phone });
  if (status !== 200 && status !== 204) return failed(status, said);
  reached = true;
  connection(true, "connected");
  if (status === 200) {
    [version, state] = [said.version, said];
    draw();
  }
  await fetchAgent();
  return true;
}

/** Send the vote that waits. -> the answer, if it was not one to the vote */
async function deliver() {
  const sending = own.vote;
  const { status, said } = await ask(`${code}/vote`, { body: sending, key: own.phone });
  if (![200, 400].includes(status)) return { status, said };
  if (own.vote === sending) own.vote = null; // else it was changed meanwhile
  keep();
  version = ""; // the state that follows says what was counted
  $("how").dataset.refused = status === 400 ? said.error : "";
  return null;
}

/** What to do when the server did not do as asked. -> as `repeat` wants it */
function failed(status, said) {
  if (status === 403) {
    Object.assign(own, { phone: "", vote: null });
    keep();
    setTimeout(turn);
    return true;
  }
  if (status === 404 || (status === 400 && !own.phone)) {
    end(said.error);
    return null;
  }
  reached = false;
  connection(false, status ? said.error : `no connection, trying again. Room ${code}`);
  mark();
  return false;
}

function end(words) {
  for (const id of ["wait", "question", "agent", "proposals"]) $(id).hidden = true;
  $("connection").textContent = "";
  $("lost").textContent = words;
  $("door").hidden = false;
}

// --- the question ---

function draw() {
  const asked = state.question;
  $("wait").hidden = Boolean(asked);
  $("question").hidden = !asked;
  $("proposals").hidden = false;
  if (!$("kind").length) {
    for (const [value, textContent] of state.settings) {
      $("kind").append(make("option", { value, textContent }));
    }
  }
  if (!asked) {
    drawn = "";
    return;
  }
  const name = `${asked.name} ${asked.turn} ${asked.text}`;
  if (drawn !== name) {
    [drawn, chosen] = [name, null];
    $("how").dataset.refused = "";
    $("asked").textContent = asked.text;
    $("answers").replaceChildren(...(asked.scale ? slider(asked) : choices(asked)));
  }
  mark();
  $("answers").hidden = asked.status === "revealed";
  $("result").replaceChildren(...(asked.status === "revealed" ? result(asked) : []));
}

function choices(asked) {
  return asked.options.map((text, place) =>
    make("button", { type: "button", textContent: text, className: "choice",
      onclick: () => choose(place) }));
}

/** A number with its unit, if it has one. */
const written = (number, { unit }) => `${number} ${unit}`.trim();

function slider(asked) {
  const [min, max, size] = asked.scale;
  const start = asked.mine ? asked.mine.said : (min + max) / 2;
  const input = make("input", { type: "range", id: "number", min, max, step: size, value: start,
    "aria-labelledby": "asked", oninput: () => choose(Number(input.value)) });
  return [make("output", { id: "reading", className: "big", htmlFor: "number" }), input];
}

/** The vote that waits for the server, if it belongs to this question. */
function waiting() {
  const { name, turn: round } = state.question;
  const fits = own.vote && own.vote.question === name && own.vote.turn === round;
  return fits ? own.vote : null;
}

function choose(answer) {
  chosen = answer;
  $("how").dataset.refused = "";
  mark();
}

/** Show what is chosen, sent and counted. */
function mark() {
  const asked = state?.question;
  if (!asked) return;
  const open = asked.status === "open";
  const sent = waiting();
  const last = sent ?? asked.mine;
  const answer = chosen ?? last?.said ?? null;
  for (const [place, button] of [...$("answers").querySelectorAll("button")].entries()) {
    button.disabled = !open;
    button.setAttribute("aria-pressed", String(place === answer));
  }
  if (asked.scale) {
    $("number").disabled = !open;
    if (chosen === null && last) $("number").value = last.said;
    $("reading").textContent = written($("number").value, asked);
  }
  const settled = chosen === null || chosen === last?.said;
  $("sureness").hidden = !open || (answer === null && !asked.scale);
  $("sure").setAttribute("aria-pressed", String(settled && last?.sure === true));
  $("guess").setAttribute("aria-pressed", String(settled && last?.sure === false));
  $("how").textContent = $("how").dataset.refused || says(asked, open, sent, settled, answer);
}

function says(asked, open, sent, settled, answer) {
  if (sent) {
    return reached ? "Sending your answer."
      : "This phone keeps your answer, and sends it again soon.";
  }
  if (!open) {
    const had = asked.mine ? "Your answer was counted." : "This phone gave no answer.";
    return asked.status === "closed" ? `The vote is closed. ${had}` : had;
  }
  if (!settled || (answer === null && asked.scale)) {
    return asked.scale ? "Set the number. Then press one of the two buttons: that sends it."
      : "Are you sure, or guessing? Press one: that sends your answer.";
  }
  if (answer === null) {
    return asked.turn > 1 ? "Choose again: this is another round." : "Choose an answer.";
  }
  return "Counted. You can change it until the vote is closed.";
}

function send(sure) {
  const { name, turn: round, scale } = state.question;
  const last = waiting() ?? state.question.mine;
  const answer = chosen ?? last?.said ?? (scale ? Number($("number").value) : null);
  if (answer === null) return;
  own.order += 1;
  own.vote = { question: name, turn: round, said: answer, sure, order: own.order };
  chosen = answer;
  keep();
  mark();
  turn();
}

function result(asked) {
  const { truth, mine } = asked;
  const notes = {};
  const note = (place, words) => {
    notes[place] = notes[place] ? `${notes[place]}, ${words}` : words;
  };
  if (mine && !asked.scale) note(mine.said, "your answer");
  if (truth && truth.option !== null) note(truth.option, "measured");
  const shown = [];
  if (!truth) shown.push(make("p", { textContent: "The experiment runs on the screen." }));
  else {
    if (truth.right !== null) {
      shown.push(make("p", { className: `big ${truth.right ? "good" : "bad"}`,
        textContent: truth.right ? "You were right." : "Your answer was another." }));
    }
    shown.push(make("p", { textContent: truth.text }));
    if (mine && asked.scale) {
      shown.push(make("p", { textContent: `You said ${written(mine.said, asked)}.` }));
    }
  }
  return [...shown, make("h3", { textContent: "What the class said" }),
    ...bars(asked.class, notes)];
}

// --- the agent ---

async function fetchAgent() {
  const run = state.run;
  $("agent").hidden = !run;
  if (!run) return;
  const training = ["queued", "running", "paused"].includes(run.status);
  $("share").hidden = !training;
  $("share").value = run.share;
  if (training) {
    $("shown").hidden = true;
    $("ended").textContent = `${run.of} agents are training, one for each phone.`;
  } else if (run.status !== "done") {
    $("ended").textContent = run.error || "The training was stopped.";
  } else if (agentShown !== run.name) {
    const { status, said } = await ask(`${code}/agent`, { key: own.phone });
    if (status !== 200 && status !== 400) return;
    agentShown = run.name;
    $("ended").textContent = status === 200 ? said.said : said.error;
    $("shown").hidden = status !== 200;
    if (status === 200) showAgent(said);
  }
}

function showAgent({ steps, returns, seed, states, episode }) {
  drawCurve(steps, returns);
  $("episode").textContent = `Seed ${seed}. ${episode}`;
  film.states = states;
  film.start(!matchMedia("(prefers-reduced-motion: reduce)").matches);
}

/** The learning curve: mean return of an evaluation over the steps of training. */
function drawCurve(steps, returns) {
  const space = "http://www.w3.org/2000/svg";
  const [left, right, top, bottom] = [34, 330, 10, 140];
  const x = (value) => left + ((right - left) * value) / steps[steps.length - 1];
  const y = (value) => bottom - ((bottom - top) * value) / MOST;
  const add = (tag, attributes, text = "") => {
    const element = document.createElementNS(space, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    $("curve").append(element);
  };
  $("curve").replaceChildren();
  for (const value of [0, 250, 500]) {
    add("line", { x1: left, x2: right, y1: y(value), y2: y(value), stroke: "var(--line)" });
    add("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end", "font-size": 12,
      fill: "currentColor" }, String(value));
  }
  add("text", { x: right, y: 160, "text-anchor": "end", "font-size": 12, fill: "currentColor" },
    `return over ${steps[steps.length - 1].toLocaleString("en")} steps of training`);
  const points = steps.map((value, place) => `${x(value)},${y(returns[place])}`).join(" ");
  add("polyline", { points, fill: "none", stroke: "var(--mark)", "stroke-width": 2.5 });
}

const film = {
  states: [],
  moving: false,
  began: 0,
  frame: 0,

  start(moving) {
    this.moving = moving;
    this.began = performance.now();
    $("play").textContent = moving ? "Stop" : "Play";
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((now) => this.draw(now));
  },

  draw(now) {
    const last = this.states.length - 1;
    const moving = this.moving;
    const at = moving ? Math.floor((now - this.began) / UNIT) % (last + 50) : last;
    const width = $("cart").clientWidth;
    const context = fit($("cart"), (VIEW.height * width) / WORLD.width);
    const style = look(document.documentElement);
    const text = getComputedStyle(document.body).color;
    drawScene(context, width, this.states[Math.min(Math.max(at, 0), last)], { ...style, text });
    if (moving) this.frame = requestAnimationFrame((then) => this.draw(then));
  },
};

// --- proposals ---

async function propose(event) {
  event.preventDefault();
  if (proposing) return;
  proposing = true;
  const body = { kind: $("kind").value, value: $("value").value };
  const { status, said } = await ask(`${code}/propose`, { body, key: own.phone });
  proposing = false;
  $("proposed").textContent = status === 200 ? said.said : said.error;
  $("proposed").className = status === 200 ? "good" : "bad";
  if (status === 200) $("value").value = "";
}

// --- the page ---

$("door").onsubmit = (event) => {
  event.preventDefault();
  location.href = $("code").value.trim().toUpperCase();
};
$("sure").onclick = () => send(true);
$("guess").onclick = () => send(false);
$("play").onclick = () => film.start(!film.moving);
$("propose").onsubmit = propose;
$("kind").onchange = () => {
  $("what").textContent = $("kind").value === "formula" ? "A baseline, such as mean(q)" : "Its value";
};

const turn = repeat(step, 2000);
if (code) {
  $("title").textContent = `Room ${code}`;
  document.title = `Room ${code}`;
  connection(true, "connecting");
  turn();
} else {
  end("");
}
