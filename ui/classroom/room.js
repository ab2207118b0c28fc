// What the pages of a room share. Texts that come from the server are only ever text.
const $ = (id) => document.getElementById(id);

/** An element; `set` holds its properties, and attributes whose name has a dash. */
function make(tag, set = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(set)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Ask the server. -> status, which is 0 without a connection, and what it says, if anything */
async function ask(address, { body, key } = {}) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), 8000);
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const method = body ? "POST" : "GET";
  try {
    const options = { method, headers, cache: "no-store", signal: giveUp.signal };
    if (body) options.body = JSON.stringify(body);
    const answer = await fetch(address, options);
    return { status: answer.status, said: answer.status === 204 ? {} : await answer.json() };
  } catch {
    return { status: 0, said: { error: "No connection." } };
  } finally {
    clearTimeout(timer);
  }
}

/** Take a step every `pause` ms while the page is seen, and at once when it is seen again; less
 * often after steps that failed. `step` resolves to whether it went well, or null to end.
 * -> a function that takes the next step now */
function repeat(step, pause) {
  let [timer, running, again, failures] = [0, false, false, 0];
  async function turn() {
    clearTimeout(timer);
    if (document.hidden) return;
    if (running) {
      again = true;
      return;
    }
    [running, again] = [true, false];
    const well = await step();
    running = false;
    if (well === null) return;
    failures = well ? 0 : failures + 1;
    const wait = pause * Math.min(2 ** failures, 4) * (0.8 + 0.4 * Math.random());
    timer = setTimeout(turn, again && well ? 0 : wait);
  }
  document.addEventListener("visibilitychange", turn);
  window.addEventListener("online", turn);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) turn();
  });
  return turn;
}

/** Say whether the server is reached. */
function connection(well, words) {
  $("connection").textContent = words;
  $("connection").className = well ? "good" : "bad";
}

/** The bars of a class: [{text, votes, sure}]; `notes` by place stand behind a bar's text. */
function bars(found, notes = {}) {
  const most = Math.max(1, ...found.map((bar) => bar.votes));
  return found.map((bar, place) =>
    make("div", { className: "bar" },
      make("p", {},
        make("span", { textContent: bar.text + (notes[place] ? ` (${notes[place]})` : "") }),
        make("b", { textContent: bar.votes ? `${bar.votes}, ${bar.sure} sure` : "0" })),
      make("div", { style: `width: ${(100 * bar.votes) / most}%` })));
}
