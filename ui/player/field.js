// The field: every agent's cart at once, while training time runs and the curves grow. Follows
// scene.js and the rest.
const LASTS = 20; // seconds from untrained to trained
const REST = 12; // steps for which the end of an episode is seen
const STILL = 100; // steps after the start at which a picture that stands still is taken
const NARROW = 700; // pixels below which the curves stand under the carts
const PLOT = { left: 40, right: 118, top: 26, bottom: 38 };
const ICONS = { Play: "M2 0v12l9-6z", Pause: "M1 0h4v12H1zM7 0h4v12H7z" };
const COUNT = new Intl.NumberFormat("en-US");
const fields = new WeakMap();

/** Uniform numbers on [0, 1), a stream an agent: mulberry32 of its seed and its estimator's place. */
function stream(seed, place) {
  let a = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(place + 1, 0x85ebca6b);
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The last checkpoint that is not later than a training time. */
function checkpointAt(steps, time) {
  let k = 0;
  while (k + 1 < steps.length && steps[k + 1] <= time) k++;
  return k;
}

/** A new episode: near the middle and upright, as Gymnasium starts it. */
function begin(cart) {
  cart.state = Array.from({ length: 4 }, () => (2 * cart.random() - 1) * 0.05);
  cart.before = cart.state;
  cart.steps = 0;
  cart.ended = ""; // then "terminated" (fell, left the track) or "truncated" (by the clock)
}

/** One step of an episode, or of the rest after it; then it begins again. */
function live(cart, hidden, limit) {
  cart.before = cart.state;
  if (cart.ended) {
    cart.rest -= 1;
    if (!cart.rest) begin(cart);
    return;
  }
  const right = cart.random() < probability(cart.params, hidden, cart.state);
  cart.state = advance(cart.state, right ? FORCE : -FORCE);
  cart.steps += 1;
  if (fallen(cart.state)) cart.ended = "terminated";
  else if (cart.steps >= limit) cart.ended = "truncated";
  cart.rest = REST;
}

/** Columns of cells, so many times as wide as high, that fill a box best. */
function arrange(count, width, height, aspect) {
  let best = { size: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const size = Math.min(width / columns / aspect, height / rows);
    if (size > best.size) best = { size, columns, width: width / columns, height: height / rows };
  }
  return best;
}

/** Where labels can stand: `gap` apart, within [low, high], moved least in squares. As `spread` in
 * pgcore/plotting/theme.py: pool adjacent violators. */
function apart(heights, gap, low, high) {
  const order = heights.map((_, i) => i).sort((i, j) => heights[i] - heights[j]);
  const pools = [];
  order.forEach((i, rank) => {
    let [mean, size] = [heights[i] - rank * gap, 1];
    while (pools.length && pools.at(-1).mean > mean) {
      const before = pools.pop();
      mean = (before.mean * before.size + mean * size) / (before.size + size);
      size += before.size;
    }
    pools.push({ mean, size });
  });
  const most = high - (order.length - 1) * gap;
  const risen = pools.flatMap(({ mean, size }) =>
    Array(size).fill(Math.max(low, Math.min(mean, most))));
  const placed = [];
  order.forEach((i, rank) => (placed[i] = risen[rank] + rank * gap));
  return placed;
}

/** How an episode stands or ended, in words. */
function condition({ ended, steps }) {
  if (ended === "terminated") return `This episode ended at step ${steps}: it fell or left the track`;
  if (ended === "truncated") return `The clock ended this episode at step ${steps}`;
  return `This episode: ${steps} steps so far`;
}

export default function ({ data, parentElement, setTriggerValue }) {
  let field = fields.get(parentElement);
  if (!field) {
    field = new Field(parentElement.querySelector(".field"));
    fields.set(parentElement, field);
  }
  field.report = (picked) => setTriggerValue("watch", picked);
  field.show(data);
  return () => {
    field.leave();
    fields.delete(parentElement);
  };
}

class Field {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`.${name}`);
    this.time = 0; // environment steps learned
    this.playing = this.held = this.still = false;
    this.pointed = this.chosen = null; // a cart under the mouse; a cart that was chosen
    this.listen();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(root);
  }

  /** Take new agents, or the same ones in a new theme. */
  show(data) {
    if (data.id === this.id) {
      this.resize();
      return;
    }
    Object.assign(this, data);
    this.last = data.steps.at(-1);
    const weights = decode(data.weights);
    this.carts = data.groups.flatMap((group, place) =>
      group.seeds.map((seed, i) => ({ group, place, seed, returns: group.returns[i] })));
    const size = weights.length / data.steps.length / this.carts.length;
    this.carts.forEach((cart, i) => {
      cart.learned = data.steps.map((_, k) => {
        const first = (k * this.carts.length + i) * size;
        return weights.subarray(first, first + size);
      });
    });
    this.pointed = this.chosen = null;
    this.list();
    this.part("time").max = this.last;
    this.part("limit").textContent = this.limit;
    this.restart();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.checkpoint = -1;
    this.playing = !calm;
    this.seek(calm ? this.last : 0);
    this.set(!calm);
    this.resize();
  }

  /** Every agent by name, for keyboard and finger. */
  list() {
    const none = new Option("Choose an agent", "");
    const groups = this.groups.map((group, place) => {
      const set = Object.assign(document.createElement("optgroup"), { label: group.name });
      this.carts.forEach((cart, i) =>
        cart.place === place && set.append(new Option(`${group.name}, seed ${cart.seed}`, i)));
      return set;
    });
    this.part("agent").replaceChildren(none, ...groups);
    this.part("watch").disabled = true;
  }

  /** Every agent at its first episode, its stream at the start. */
  restart() {
    for (const cart of this.carts) {
      cart.random = stream(cart.seed, cart.group.colour);
      begin(cart);
    }
  }

  listen() {
    const { root } = this;
    const time = this.part("time");
    this.part("play").onclick = () => this.toggle();
    this.part("again").onclick = () => this.anew();
    this.part("hold").onclick = () => this.hold(!this.held);
    this.part("watch").onclick = () => this.watch(this.chosen);
    this.part("agent").onchange = (event) => this.choose(this.carts[event.target.value] ?? null);
    time.oninput = () => this.move(Number(time.value));
    time.onchange = () => this.say();
    root.onkeydown = (event) => {
      const own = event.target.tagName;
      if (event.key === " " && own !== "BUTTON" && own !== "SELECT") this.toggle();
      else if (own !== "INPUT" || !this.turn(event.key)) return;
      event.preventDefault();
    };
    const curves = this.part("curves");
    const at = (event) => this.move(this.timeAt(event.clientX - curves.getBoundingClientRect().left));
    curves.onpointerdown = (event) => {
      curves.setPointerCapture(event.pointerId);
      at(event);
    };
    curves.onpointermove = (event) => curves.hasPointerCapture(event.pointerId) && at(event);
    curves.onpointerup = () => this.say();
    const carts = this.part("carts");
    carts.onpointermove = (event) => event.pointerType === "mouse" && this.point(this.under(event));
    carts.onpointerleave = () => this.point(null);
    carts.onclick = (event) => {
      const cart = this.under(event);
      if (cart && event.pointerType === "mouse") this.watch(cart);
      else this.choose(cart);
    };
  }

  /** A key on the training time: to the next checkpoint, or to an end. -> whether it is one of its keys */
  turn(key) {
    const stride = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -4, PageUp: 4,
      Home: -this.steps.length, End: this.steps.length }[key];
    if (!stride) return false;
    const next = Math.min(Math.max(this.checkpoint + stride, 0), this.steps.length - 1);
    this.move(this.steps[next]);
    this.say();
    return true;
  }

  toggle() {
    if (!this.playing && this.time >= this.last && !this.held) this.anew();
    else this.set(!this.playing);
    this.say();
  }

  /** From the beginning. */
  anew() {
    this.set(true);
    this.restart();
    this.hold(false);
    this.seek(0);
  }

  hold(held) {
    this.held = held;
    this.part("hold").setAttribute("aria-pressed", held);
  }

  /** The reader moves the training time: it stays there, and the carts play on. */
  move(time) {
    this.hold(true);
    this.seek(time);
  }

  seek(time) {
    this.time = Math.min(Math.max(time, 0), this.last);
    const checkpoint = checkpointAt(this.steps, this.time);
    if (checkpoint !== this.checkpoint) {
      this.checkpoint = checkpoint;
      for (const cart of this.carts) cart.params = cart.learned[checkpoint];
      if (!this.playing) this.stand();
    }
    const scrub = this.part("time");
    scrub.value = this.time;
    const learned = COUNT.format(Math.floor(this.time));
    scrub.setAttribute("aria-valuetext", `${learned} of ${COUNT.format(this.last)} steps learned`);
    this.part("clock").textContent = `${learned} / ${COUNT.format(this.last)}`;
    this.tell();
    if (!this.playing) this.draw(1);
  }

  /** A picture that stands still: all carts some time after their start, under the present policies. */
  stand() {
    this.restart();
    for (const cart of this.carts) {
      for (let t = 0; t < STILL && !cart.ended; t++) live(cart, this.hidden, this.limit);
    }
    this.still = true;
  }

  set(playing) {
    cancelAnimationFrame(this.frame);
    this.playing = playing;
    const word = playing ? "Pause" : "Play";
    this.part("play path").setAttribute("d", ICONS[word]);
    this.part("word").textContent = word;
    if (!playing) {
      this.tell();
      return;
    }
    this.still = false;
    let last = performance.now();
    let lag = 0;
    const tick = (now) => {
      this.frame = requestAnimationFrame(tick);
      const seconds = Math.min(Math.max(now - last, 0) / 1000, 0.1);
      last = now;
      for (lag += seconds; lag >= TAU; lag -= TAU) {
        for (const cart of this.carts) live(cart, this.hidden, this.limit);
      }
      if (!this.held && this.time < this.last) this.seek(this.time + (seconds / LASTS) * this.last);
      this.draw(lag / TAU);
    };
    this.frame = requestAnimationFrame(tick);
  }

  /** The sentence of this checkpoint, and of the picture if it stands still. */
  tell() {
    const up = this.carts.filter((cart) => cart.ended !== "terminated").length;
    const picture = `The picture stands still, ${STILL * TAU} seconds after every cart's start: ` +
      `${up} of ${this.carts.length} poles are up.`;
    const text = this.said[this.checkpoint] + (this.still ? ` ${picture}` : "");
    if (this.part("said").textContent !== text) this.part("said").textContent = text;
  }

  /** Tell a screen reader where the reader's own move has led. */
  say() {
    this.part("spoken").textContent = this.part("said").textContent;
  }

  // --- an agent ---

  under(event) {
    const box = this.part("carts").getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return this.carts.find(({ cell }) =>
      x >= cell.x && x < cell.x + cell.width && y >= cell.y && y < cell.y + cell.height) ?? null;
  }

  point(cart) {
    if (cart === this.pointed) return;
    this.pointed = cart;
    if (!this.playing) this.draw(1);
  }

  choose(cart) {
    this.chosen = cart;
    this.part("agent").value = cart ? this.carts.indexOf(cart) : "";
    this.part("watch").disabled = !cart;
    if (cart) this.part("spoken").textContent = this.about(cart).join(". ");
    if (!this.playing) this.draw(1);
  }

  watch(cart) {
    this.report({ agent: cart.group.key, seed: cart.seed, checkpoint: this.checkpoint });
  }

  /** An agent's name, its return, and how its episode stands. */
  about(cart) {
    const k = this.checkpoint;
    const learned = `${COUNT.format(this.steps[k])} steps`;
    return [
      `${cart.group.name}, seed ${cart.seed}`,
      k ? `Return after ${learned}: ${cart.returns[k - 1].toFixed(1)}` : "Not trained, not evaluated yet",
      condition(cart),
    ];
  }

  // --- the picture ---

  resize() {
    const [stage, curves] = [this.part("stage"), this.part("curves")];
    if (!this.carts || !this.root.clientWidth) return;
    this.style = look(this.root);
    const narrow = this.root.clientWidth < NARROW;
    const many = this.carts.length > 100;
    const block = narrow ? (many ? 190 : 100) : many ? 138 : 122;
    this.layout(stage.clientWidth, block);
    this.cartsContext = fit(this.part("carts"), block * this.groups.length);
    this.width = curves.clientWidth;
    this.height = narrow ? 220 : block * this.groups.length;
    this.curvesContext = fit(curves, this.height);
    const names = this.groups.map(({ name, seeds }) => `${seeds.length} of ${name}`).join(", ");
    this.part("carts").setAttribute("aria-label",
      `${this.carts.length} carts, one an agent, each balancing its pole: ${names}`);
    this.part("curves").setAttribute("aria-label", "Learning curves: mean return of each estimator " +
      "with its 95% interval, up to the training time; the sentence below gives the numbers");
    this.draw(1);
  }

  /** A cell for every cart: a block of cells an estimator, below its name. */
  layout(width, block) {
    const head = 24;
    this.groups.forEach((group, place) => {
      const carts = this.carts.filter((cart) => cart.place === place);
      const grid = arrange(carts.length, width, block - head - 4, carts.length > 30 ? 1.5 : 2);
      carts.forEach((cart, i) => {
        const row = Math.floor(i / grid.columns);
        cart.cell = { x: (i % grid.columns) * grid.width, y: place * block + head + row * grid.height,
          width: grid.width, height: grid.height };
      });
      group.top = place * block;
    });
  }

  draw(share) {
    if (!this.style) return;
    this.drawCarts(share);
    this.drawCurves();
    this.drawTip();
  }

  colour(group) {
    return this.style.palette[group.colour % this.style.palette.length];
  }

  drawCarts(share) {
    const { cartsContext: context, style } = this;
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    const shown = this.pointed ?? this.chosen;
    if (shown) {
      const { x, y, width, height } = shown.cell;
      context.fillStyle = style.faint;
      context.fillRect(x, y, width, height);
    }
    this.groups.forEach((group, place) => {
      const colour = this.colour(group);
      context.textAlign = "left";
      context.fillStyle = colour;
      context.fillRect(3, group.top + 6, 12, 12);
      context.fillStyle = style.text; // a palette's colour alone is too pale for small letters
      context.font = `600 15px ${style.font}`;
      context.fillText(group.name, 21, group.top + 17);
      const across = context.measureText(group.name).width + 30;
      context.font = `14px ${style.font}`;
      context.fillText(group.note, across, group.top + 17);
      const carts = this.carts.filter((cart) => cart.place === place);
      const up = carts.filter((cart) => cart.ended !== "terminated");
      const down = carts.filter((cart) => cart.ended === "terminated");
      this.tracks(context, carts, style.faint, () => 1);
      this.tracks(context, carts, colour, (cart) => cart.steps / this.limit);
      this.bodies(context, up, share, colour, style.pole);
      context.globalAlpha = 0.55;
      this.bodies(context, down, share, style.danger, style.danger);
      context.globalAlpha = 1;
    });
  }

  /** Every cart's track, up to a share of its length: the episode's share of the longest one. */
  tracks(context, carts, colour, share) {
    context.fillStyle = colour;
    for (const cart of carts) {
      const { x, y, width, height } = cart.cell;
      const thick = height > 40 ? 3 : 2;
      context.fillRect(x + 3, y + height - thick - 2, (width - 6) * share(cart), thick);
    }
  }

  /** Carts and poles between their last two states: places and angles are true, sizes are larger. */
  bodies(context, carts, share, body, pole) {
    const shapes = carts.map((cart) => {
      const { x, y, width, height } = cart.cell;
      const [now, before] = [cart.state, cart.before];
      const at = (i) => before[i] + share * (now[i] - before[i]);
      const zoom = (height - 8) / 150;
      const shape = geometry([0, 0, at(2), 0]);
      const reach = width - 6 - 50 * zoom;
      const middle = x + width / 2 + (Math.max(-1, Math.min(1, at(0) / X_LIMIT)) * reach) / 2;
      const place = ([u, v]) =>
        [middle + (u - WORLD.width / 2) * zoom, y + height - 5 + (v - shape.track - 15) * zoom];
      return { cart: shape.cart.map(place), pole: shape.pole.map(place) };
    });
    for (const [part, colour] of [["cart", body], ["pole", pole]]) {
      context.fillStyle = context.strokeStyle = colour;
      context.lineWidth = 0.8;
      context.beginPath();
      for (const shape of shapes) {
        shape[part].forEach((corner, i) => (i ? context.lineTo(...corner) : context.moveTo(...corner)));
      }
      context.fill();
      context.stroke(); // the smallest poles are thinner than a pixel
    }
  }

  /** The training time at a place of the curves, and back. */
  timeAt(x) {
    return ((x - PLOT.left) / (this.width - PLOT.left - PLOT.right)) * this.last;
  }

  across(time) {
    return PLOT.left + (time / this.last) * (this.width - PLOT.left - PLOT.right);
  }

  drawCurves() {
    const { curvesContext: context, style, width, height } = this;
    const bottom = height - PLOT.bottom;
    const up = (value) => bottom - (value / this.limit) * (bottom - PLOT.top);
    const write = (text, x, y, align, colour, font) => {
      context.fillStyle = colour;
      context.font = `${font} ${style.font}`;
      context.textAlign = align;
      context.strokeStyle = style.background;
      context.lineWidth = 4;
      context.strokeText(text, x, y); // a halo, where lines pass behind
      context.fillText(text, x, y);
    };
    const line = (points, colour, thickness, dash = []) => {
      context.strokeStyle = colour;
      context.lineWidth = thickness;
      context.setLineDash(dash);
      context.beginPath();
      for (const point of points) context.lineTo(...point);
      context.stroke();
      context.setLineDash([]);
    };
    context.clearRect(0, 0, width, height);
    write("episodic return", 2, 15, "left", style.text, "14px");
    for (let value = 0; value <= this.limit; value += 100) {
      line([[PLOT.left, up(value)], [width - PLOT.right, up(value)]], style.faint, value ? 0.5 : 1);
      write(value, PLOT.left - 6, up(value) + 4, "right", style.text, "13px");
    }
    for (let part = 0; part <= 4; part++) {
      const time = (part / 4) * this.last;
      write(COUNT.format(time), this.across(time), bottom + 17, "center", style.text, "13px");
    }
    write("environment steps learned", this.across(this.last / 2), height - 4, "center", style.text, "13px");
    for (const [name, value] of this.references) {
      line([[PLOT.left, up(value)], [width - PLOT.right, up(value)]], style.text, 1, [2, 3]);
      const end = width - PLOT.right + 6; // outside: the curves' own labels stand inside
      write(`${name} ${value.toFixed(0)}`, end, up(value) + 4, "left", style.text, "13px");
    }
    const now = this.across(this.time);
    const times = this.steps.slice(1).map((step) => this.across(step));
    context.save();
    context.beginPath();
    context.rect(0, 0, now, height);
    context.clip(); // what is learned later has not happened yet
    for (const group of this.groups) {
      context.globalAlpha = 0.18;
      context.fillStyle = this.colour(group);
      context.beginPath();
      times.forEach((x, k) => context.lineTo(x, up(Math.min(group.high[k], this.limit))));
      times.toReversed().forEach((x, k) => context.lineTo(x, up(Math.max(group.low.at(-1 - k), 0))));
      context.fill();
      context.globalAlpha = 1;
    }
    for (const group of this.groups) {
      line(times.map((x, k) => [x, up(group.mean[k])]), this.colour(group), 2.6);
    }
    const shown = this.pointed ?? this.chosen;
    if (shown) line(times.map((x, k) => [x, up(shown.returns[k])]), style.text, 1.5, [5, 3]);
    context.restore();
    line([[now, PLOT.top - 6], [now, bottom]], style.text, 1.5);
    this.ends(write, up, now + 8, bottom);
  }

  /** Before the ends of the curves: the estimators' names, each with its last mean. */
  ends(write, up, left, bottom) {
    const { style } = this;
    const k = this.checkpoint - 1;
    if (k < 0) return;
    const heights = this.groups.map((group) => up(group.mean[k]));
    apart(heights, 36, PLOT.top + 8, bottom - 44).forEach((height, i) => {
      const group = this.groups[i];
      write(group.ends[k], left, height + 5, "left", this.colour(group), "700 19px");
      write(group.name, left, height + 20, "left", style.text, "13px");
    });
  }

  drawTip() {
    const tip = this.part("tip");
    const cart = this.pointed ?? this.chosen;
    tip.hidden = !cart;
    if (!cart) return;
    const text = this.about(cart).join("\n");
    if (tip.textContent !== text) tip.textContent = text;
    tip.style.setProperty("--mark", this.colour(cart.group));
    const room = this.part("stage").clientWidth - tip.offsetWidth;
    const { x, y, height } = cart.cell;
    tip.style.left = `${Math.max(0, Math.min(x, room))}px`;
    const below = y + height + tip.offsetHeight < this.part("carts").clientHeight;
    tip.style.top = `${below ? y + height : y - tip.offsetHeight}px`;
  }

  leave() {
    cancelAnimationFrame(this.frame);
    this.playing = false;
    this.observer.disconnect();
  }
}
