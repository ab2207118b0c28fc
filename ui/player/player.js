// The episode player: several episodes, one playhead. Follows scene.js, physics.js and policy.js.
const COLUMNS = 8; // x, x_dot, theta, theta_dot, P(right), V, return to go, action
const [P_RIGHT, VALUE, RETURN, ACTION] = [4, 5, 6, 7];
const MARGIN = { left: 46, right: 10, bottom: 16 };
const DEGREES = 180 / Math.PI;
const ICONS = { play: "M2 0v12l9-6z", pause: "M1 0h4v12H1zM7 0h4v12H7z" };
const players = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".player");
  let player = players.get(parentElement);
  if (!player) {
    player = new Player(root);
    players.set(parentElement, player);
  }
  player.report = (stop) => setStateValue("stop", stop);
  player.show(data);
  return () => {
    player.leave();
    players.delete(parentElement);
  };
}

class Player {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`.${name}`);
    this.step = 0;
    this.position = 0; // the step with its fraction
    this.playing = false;
    this.listen();
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(root);
  }

  /** Take new episodes (from the start), or the same ones in a new theme. */
  show(data) {
    if (data.id !== this.id) {
      this.id = data.id;
      this.episodes = data.episodes.map((episode) => {
        const table = decode(episode.table);
        const last = table.length / COLUMNS - 1;
        const column = (name, rows = last) =>
          Float32Array.from({ length: rows }, (_, t) => table[t * COLUMNS + name]);
        const states = [0, 1, 2, 3].map((name) => column(name, last + 1));
        return { ...episode, last, states, probs: column(P_RIGHT), values: column(VALUE),
          returns: column(RETURN), actions: column(ACTION) };
      });
      this.length = Math.max(...this.episodes.map((episode) => episode.last));
      this.part("scrub").max = this.length;
      this.stages = this.episodes.map((episode) => this.stage(episode));
      this.part("stages").replaceChildren(...this.stages.map((stage) => stage.figure));
      this.part("plots").setAttribute("aria-label", this.summary());
      this.position = this.step = this.reported = 0;
      this.style = null; // nothing is drawn before the new stages have their size
      this.redraw();
      this.set(!matchMedia("(prefers-reduced-motion: reduce)").matches);
    } else this.redraw();
  }

  stage(episode) {
    const make = (tag, name) => Object.assign(document.createElement(tag), { className: name });
    const [figure, canvas, caption] = [make("figure", "stage"), make("canvas", "scene"),
      make("figcaption", "caption")];
    const name = make("span", "name");
    const readings = Array.from({ length: 5 }, () => make("span", "reading"));
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Cart and pole: ${episode.label}`);
    caption.append(name, ...readings);
    figure.append(canvas, caption);
    return { figure, canvas, name, readings };
  }

  summary() {
    const each = this.episodes.map((e) => `${e.label}: ${e.last} steps, ${ending(e)}`);
    return "Probability of pushing right, critic's value and return, and the four state variables " +
      `over time. ${each.join("; ")}.`;
  }

  listen() {
    const { root } = this;
    this.part("play").onclick = () => this.toggle();
    this.part("back").onclick = () => this.move(this.step - 1);
    this.part("forth").onclick = () => this.move(this.step + 1);
    this.part("scrub").oninput = (event) => this.move(Number(event.target.value), false);
    this.part("scrub").onchange = () => this.say();
    this.part("speed").onchange = (event) => (this.speed = Number(event.target.value));
    this.speed = Number(this.part("speed").value);
    const timeline = this.part("timeline");
    const at = (event) => {
      const box = timeline.getBoundingClientRect();
      const share = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
      this.move(Math.round(share * this.length), false);
    };
    timeline.onpointerdown = (event) => {
      timeline.setPointerCapture(event.pointerId);
      at(event);
    };
    timeline.onpointermove = (event) => timeline.hasPointerCapture(event.pointerId) && at(event);
    timeline.onpointerup = () => this.say();
    root.onkeydown = (event) => {
      const own = event.target.tagName;
      if (event.key === " " && own !== "BUTTON" && own !== "SELECT") this.toggle();
      else if (own === "INPUT" || own === "SELECT") return; // they have arrow keys of their own
      else if (event.key === "ArrowLeft") this.move(this.step - 1);
      else if (event.key === "ArrowRight") this.move(this.step + 1);
      else if (event.key === "Home") this.move(0);
      else if (event.key === "End") this.move(this.length);
      else return;
      event.preventDefault();
    };
  }

  toggle() {
    if (!this.playing && this.step >= this.length) this.seek(0);
    this.set(!this.playing);
    if (!this.playing) this.say();
  }

  set(playing) {
    cancelAnimationFrame(this.frame);
    this.playing = playing;
    const icon = playing ? "pause" : "play";
    this.part("play path").setAttribute("d", ICONS[icon]);
    this.part("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    if (!playing) return;
    let last = performance.now();
    const tick = (now) => {
      this.frame = requestAnimationFrame(tick);
      const seconds = Math.min(Math.max(now - last, 0) / 1000, 0.25);
      last = now;
      this.seek(this.position + (seconds / TAU) * this.speed);
      if (this.step >= this.length) {
        this.set(false);
        this.say();
      }
    };
    this.frame = requestAnimationFrame(tick);
  }

  /** The reader moves the playhead: stop there. */
  move(step, final = true) {
    this.set(false);
    this.seek(step);
    if (final) this.say();
  }

  seek(position) {
    this.position = Math.min(Math.max(position, 0), this.length);
    const step = Math.floor(this.position);
    if (step === this.step) return;
    this.step = step;
    this.draw();
  }

  /** Tell the page and a screen reader where the playhead came to rest. */
  say() {
    this.part("spoken").textContent = this.episodes
      .map((e) => `${e.label}: ${this.readings(e).filter(Boolean).join(", ")}`).join("; ");
    if (this.reported !== this.step) this.report({ id: this.id, step: this.step });
    this.reported = this.step;
  }

  readings(episode) {
    const t = Math.min(this.step, episode.last);
    const [x, , theta] = episode.states.map((column) => column[t]);
    const number = (value, digits) => value.toFixed(digits).replace(/^-(0(\.0*)?)$/, "$1");
    const over = t >= episode.last;
    return [
      over ? ending(episode) : `step ${t}`,
      `x ${number(x, 2)} m`,
      `θ ${number(theta * DEGREES, 1)}°`,
      over ? "" : `P(right) ${number(episode.probs[t], 2)}`,
      over ? "" : `V ${number(episode.values[t], 1)}, return ${number(episode.returns[t], 1)}`,
    ];
  }

  /** Everything that follows the playhead. */
  draw() {
    if (!this.style) return;
    this.stages.forEach((stage, i) => {
      const episode = this.episodes[i];
      const t = Math.min(this.step, episode.last);
      const state = episode.states.map((column) => column[t]);
      const over = t >= episode.last;
      const newtons = over ? 0 : FORCE * (episode.actions[t] ? 1 : -1);
      const mark = this.colour(episode);
      stage.canvas.style.opacity = over ? 0.55 : 1;
      drawScene(stage.context, stage.width, state, this.style, [{ newtons, colour: mark, height: 0 }]);
      this.readings(episode).forEach((text, k) => {
        if (stage.readings[k].textContent !== text) stage.readings[k].textContent = text;
      });
    });
    const scrub = this.part("scrub");
    scrub.value = this.step;
    scrub.setAttribute("aria-valuetext", `step ${this.step} of ${this.length}`);
    this.part("clock").textContent = `${this.step} / ${this.length}`;
    this.part("rule").style.transform = `translateX(${this.across(this.step) - 1}px)`;
  }

  colour(episode) {
    return this.style.palette[episode.colour % this.style.palette.length];
  }

  across(step) {
    return MARGIN.left + (step / this.length) * (this.width - MARGIN.left - MARGIN.right);
  }

  /** Everything, after new data, a new theme or a new size. */
  redraw() {
    if (!this.episodes || !this.root.clientWidth) return;
    this.style = look(this.root);
    this.stages.forEach((stage, i) => {
      stage.figure.style.setProperty("--mark", this.colour(this.episodes[i]));
      stage.name.textContent = this.episodes[i].label;
      stage.width = stage.canvas.clientWidth;
      stage.context = fit(stage.canvas, Math.round((stage.width / WORLD.width) * VIEW.height));
    });
    this.plot();
    this.draw();
  }

  plot() {
    const canvas = this.part("plots");
    const { episodes, style } = this;
    const rows = [
      { height: episodes.length * 20,
        title: "probability of pushing right: the darker, the higher; below it, the push" },
      { height: 70, title: "critic's value V (line) and the return that followed (dashed)",
        lines: episodes.flatMap((e) => [[e, e.values, []], [e, e.returns, [4, 3]]]), zero: true },
      { height: 40, title: "position x, m", limit: X_LIMIT, lines: states(0, 1) },
      { height: 34, title: "velocity, m/s", lines: states(1, 1) },
      { height: 40, title: "angle θ, degrees", limit: 12, lines: states(2, DEGREES) },
      { height: 34, title: "angular velocity, degrees/s", lines: states(3, DEGREES) },
    ];
    function states(index, unit) {
      return episodes.map((e) => [e, e.states[index].map((value) => value * unit), []]);
    }
    const GAP = 17;
    const height = rows.reduce((sum, row) => sum + row.height + GAP, MARGIN.bottom);
    this.width = canvas.clientWidth;
    const context = fit(canvas, height);
    context.textBaseline = "alphabetic";
    let top = 0;
    for (const row of rows) {
      write(row.title, MARGIN.left, top + 12, "left");
      top += GAP;
      if (row.lines) this.curves(context, row, top, write);
      else episodes.forEach((e, i) => this.strip(context, e, top + i * 20));
      top += row.height;
    }
    const stride = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => this.length / n <= 7) || 1000;
    for (let t = 0; t <= this.length; t += stride) {
      write(String(t), this.across(t), top + 13, t ? "center" : "left");
    }

    function write(text, x, y, align) {
      context.fillStyle = style.text;
      context.globalAlpha = 0.75;
      context.font = `11px ${style.font}`;
      context.textAlign = align;
      context.fillText(text, x, y);
      context.globalAlpha = 1;
    }
  }

  /** One row of cells a step: how probable a push to the right, and below it which push came. */
  strip(context, episode, top) {
    const end = this.across(episode.last);
    context.fillStyle = this.colour(episode);
    for (let t = 0; t < episode.last; t++) {
      const x = this.across(t);
      const wide = this.across(t + 1) - x;
      context.globalAlpha = episode.probs[t];
      context.fillRect(x, top, wide, 11);
      context.globalAlpha = episode.actions[t];
      context.fillRect(x, top + 13, wide, 4);
    }
    context.globalAlpha = 1;
    context.strokeStyle = this.colour(episode);
    context.lineWidth = 0.5;
    context.strokeRect(MARGIN.left, top, end - MARGIN.left, 11);
    context.strokeRect(MARGIN.left, top + 13, end - MARGIN.left, 4);
  }

  /** Lines over time, with their limits or the ends of their range at the left. */
  curves(context, row, top, write) {
    const { style } = this;
    let most = row.limit ? row.limit * 1.08 : 1e-6;
    let least = row.zero ? 0 : -most;
    for (const [, values] of row.lines) {
      for (const value of values) {
        most = Math.max(most, value);
        least = Math.min(least, value);
      }
    }
    if (!row.zero) least = -(most = Math.max(most, -least));
    const y = (value) => top + row.height * (1 - (value - least) / (most - least));
    const across = (value, colour, dash) => {
      context.strokeStyle = colour;
      context.setLineDash(dash);
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(MARGIN.left, y(value));
      context.lineTo(this.width - MARGIN.right, y(value));
      context.stroke();
      context.setLineDash([]);
    };
    across(0, style.faint, []);
    const ends = row.limit ? [-row.limit, row.limit] : row.zero ? [0, most] : [least, most];
    for (const end of ends) {
      if (row.limit) across(end, style.danger, [3, 3]);
      const text = String(Number(end.toPrecision(2)));
      write(text, MARGIN.left - 5, y(end) + (end === most ? 8 : 4), "right");
    }
    for (const [episode, values, dash] of row.lines) {
      context.strokeStyle = this.colour(episode);
      context.lineWidth = 1.5;
      context.setLineDash(dash);
      context.beginPath();
      values.forEach((value, t) => context.lineTo(this.across(t), y(value)));
      context.stroke();
      context.setLineDash([]);
    }
  }

  leave() {
    cancelAnimationFrame(this.frame);
    this.playing = false;
    this.observer.disconnect();
  }
}

function ending(episode) {
  const { last } = episode;
  if (!episode.terminated) return `the clock ended it at step ${last}`;
  const off = Math.abs(episode.states[0][last]) > X_LIMIT;
  return `${off ? "left the track" : "fell"} at step ${last}`;
}
