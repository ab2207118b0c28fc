// Push it: the learned policy balances live, the reader disturbs it. Follows scene.js and the rest.
const HAND = 12; // newtons, an arrow key or a button
const SPRING = 20; // newtons a metre between the cart and the pointer that drags it
const STRONGEST = 20;
const games = new WeakMap();

export default function ({ data, parentElement }) {
  let game = games.get(parentElement);
  if (!game) {
    game = new Game(parentElement.querySelector(".push"));
    games.set(parentElement, game);
  }
  game.show(data);
  return () => {
    game.leave();
    games.delete(parentElement);
  };
}

class Game {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`.${name}`);
    this.best = 0;
    this.listen();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(root);
  }

  show(data) {
    if (data.id !== this.id) {
      this.id = data.id;
      this.params = decode(data.params);
      this.hidden = data.hidden;
      this.colour = data.colour;
      this.part("mode").value = data.greedy ? "greedy" : "sampled";
      this.best = 0;
      this.reset();
    }
    this.resize();
  }

  reset() {
    this.stop();
    this.state = Array.from({ length: 4 }, () => (2 * Math.random() - 1) * 0.05);
    this.before = this.state;
    this.steps = 0;
    this.over = false;
    this.hands = new Set(); // what pushes now: -1, 1
    this.pointer = null; // where the cart is dragged to, metres
    this.action = 0; // newtons of the policy's last push
    this.draw(1);
    this.tell();
  }

  listen() {
    const { root } = this;
    this.part("go").onclick = () => this.toggle();
    this.part("anew").onclick = () => this.reset();
    for (const [name, side] of [["left", -1], ["right", 1]]) {
      const button = this.part(name);
      const release = () => this.hands.delete(side);
      button.onpointerdown = () => this.push(side);
      button.onpointerup = button.onpointerleave = button.onpointercancel = button.onblur = release;
      button.onkeydown = (event) => {
        if (event.key !== " " && event.key !== "Enter") return;
        this.push(side);
        event.preventDefault();
        event.stopPropagation();
      };
      button.onkeyup = (event) => (event.key === " " || event.key === "Enter") && release();
    }
    const sides = { ArrowLeft: -1, ArrowRight: 1 };
    root.onkeydown = (event) => {
      const { tagName } = event.target;
      if (tagName === "SELECT") return;
      if (event.key in sides) this.push(sides[event.key]);
      else if (event.key === " " && tagName !== "BUTTON") this.toggle();
      else if (event.key === "r" || event.key === "R") this.reset();
      else return;
      event.preventDefault();
    };
    root.onkeyup = (event) => event.key in sides && this.hands.delete(sides[event.key]);
    root.onfocusout = (event) => root.contains(event.relatedTarget) || this.hands.clear();
    const field = this.part("field");
    const metres = (event) => {
      const box = field.getBoundingClientRect();
      return ((event.clientX - box.left) / box.width - 0.5) * 2 * X_LIMIT;
    };
    field.onpointerdown = (event) => {
      field.setPointerCapture(event.pointerId);
      if (this.over) this.reset();
      this.pointer = metres(event);
      this.start();
    };
    field.onpointermove = (event) => {
      if (this.pointer !== null) this.pointer = metres(event);
    };
    field.onpointerup = field.onpointercancel = () => (this.pointer = null);
  }

  push(side) {
    if (this.over) return;
    this.hands.add(side);
    this.start();
  }

  toggle() {
    if (this.frame) this.stop();
    else {
      if (this.over) this.reset();
      this.start();
    }
    this.tell();
  }

  start() {
    if (this.frame || this.over) return;
    let last = performance.now();
    let lag = 0;
    const tick = (now) => {
      this.frame = requestAnimationFrame(tick);
      lag += Math.min(Math.max(now - last, 0) / 1000, 0.1);
      last = now;
      while (lag >= TAU && !this.over) {
        this.advance();
        lag -= TAU;
      }
      if (this.over) this.stop();
      this.draw(this.over ? 1 : lag / TAU);
      this.tell();
    };
    this.frame = requestAnimationFrame(tick);
    this.tell();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  /** The reader's push, in newtons. */
  hand() {
    let force = 0;
    for (const side of this.hands) force += side * HAND;
    if (this.pointer !== null) force += SPRING * (this.pointer - this.state[0]);
    return Math.min(Math.max(force, -STRONGEST), STRONGEST);
  }

  advance() {
    const mode = this.part("mode").value;
    const p = probability(this.params, this.hidden, this.state);
    const right = mode === "greedy" ? p > 0.5 : Math.random() < p;
    this.action = mode === "off" ? 0 : right ? FORCE : -FORCE;
    this.before = this.state;
    this.state = advance(this.state, this.action + this.hand());
    this.steps += 1;
    this.over = fallen(this.state);
    this.best = Math.max(this.best, this.steps);
  }

  /** Between the last two states, since the screen is faster than the physics. */
  draw(share) {
    if (!this.context) return;
    const state = this.state.map((now, i) => this.before[i] + share * (now - this.before[i]));
    const { style } = this;
    const forces = [
      { newtons: this.over ? 0 : this.action, colour: style.palette[this.colour], height: -6 },
      { newtons: this.over ? 0 : this.hand(), colour: style.danger, height: 8 },
    ];
    drawScene(this.context, this.width, state, style, forces);
    if (this.over) {
      this.context.fillStyle = style.danger;
      this.context.font = `600 18px ${style.font}`;
      this.context.textAlign = "center";
      const why = Math.abs(this.state[0]) > X_LIMIT ? "Off the track" : "Fell";
      this.context.fillText(`${why} after ${this.steps} steps`, this.width / 2, 24);
    }
  }

  tell() {
    const go = this.frame ? "Pause" : this.over ? "Again" : "Start";
    if (this.part("go").textContent !== go) this.part("go").textContent = go;
    const tenths = (this.steps * TAU).toFixed(1);
    const score = `${this.steps} steps, ${tenths} s · best ${this.best}`;
    if (this.part("score").textContent !== score) this.part("score").textContent = score;
  }

  resize() {
    const field = this.part("field");
    if (!this.params || !field.clientWidth) return;
    this.style = look(this.root);
    this.width = field.clientWidth;
    this.context = fit(field, Math.round((this.width / WORLD.width) * VIEW.height));
    this.draw(1);
  }

  leave() {
    this.stop();
    this.observer.disconnect();
  }
}
