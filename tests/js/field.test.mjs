// Unit tests of the field's functions: `node --test tests/js`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { COMPONENTS, load } from "./scripts.mjs";

const { stream, checkpointAt, begin, live, arrange, apart, condition, REST, THETA_LIMIT } = load(
  COMPONENTS.field,
  ["stream", "checkpointAt", "begin", "live", "arrange", "apart", "condition", "REST", "THETA_LIMIT"],
);
const draws = (seed, place, count) => {
  const random = stream(seed, place);
  return Array.from({ length: count }, random);
};
// One hidden unit that is never active: the action is right with probability 1 / (1 + e^-bias).
const always = (bias) => [0, 0, 0, 0, -1, 0, 0, 0, bias];
const newCart = (params, seed = 0) => {
  const cart = { params, random: stream(seed, 0) };
  begin(cart);
  return cart;
};

test("an agent's stream repeats, and no other agent has it", () => {
  assert.deepEqual(draws(3, 1, 50), draws(3, 1, 50));
  const firsts = new Set();
  for (let seed = 0; seed < 1000; seed++) {
    for (let place = 0; place < 3; place++) firsts.add(draws(seed, place, 1)[0]);
  }
  assert.ok(firsts.size > 2990, `${firsts.size} of 3000 streams begin differently`);
});

test("a stream is uniform, and so are the firsts of many", () => {
  const many = [draws(7, 2, 20000), Array.from({ length: 20000 }, (_, seed) => draws(seed, 0, 1)[0])];
  for (const numbers of many) {
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    assert.ok(Math.abs(mean - 0.5) < 4 * Math.sqrt(1 / 12 / 20000), `mean ${mean}`);
    for (let tenth = 0; tenth < 10; tenth++) {
      const count = numbers.filter((x) => Math.floor(10 * x) === tenth).length;
      assert.ok(Math.abs(count - 2000) < 5 * Math.sqrt(1800), `${count} in tenth ${tenth}`);
    }
  }
});

test("a checkpoint holds until the next one is reached", () => {
  const steps = [0, 500, 1000, 10000];
  const times = [0, 499.9, 500, 999, 1000, 9999.9, 10000, 20000];
  assert.deepEqual(times.map((time) => checkpointAt(steps, time)), [0, 0, 1, 1, 2, 2, 3, 3]);
});

test("an agent that falls rests, and then starts again upright with new draws", () => {
  const cart = newCart(always(50)); // to the right, always: it falls within some ten steps
  const first = [...cart.state];
  while (!cart.ended) live(cart, 1, 500);
  assert.equal(cart.ended, "terminated");
  assert.ok(cart.steps > 5 && cart.steps < 15, `${cart.steps} steps`);
  assert.ok(Math.abs(cart.state[2]) > THETA_LIMIT);
  for (let rest = 1; rest < REST; rest++) {
    live(cart, 1, 500);
    assert.equal(cart.ended, "terminated");
  }
  live(cart, 1, 500);
  assert.equal(cart.ended, "");
  assert.equal(cart.steps, 0);
  assert.ok(cart.state.every((x) => Math.abs(x) <= 0.05));
  assert.notDeepEqual([...cart.state], first);
});

test("the clock ends an episode without a fall, and a fall at the last step is a fall", () => {
  const cart = newCart(always(50));
  live(cart, 1, 1);
  assert.equal(cart.ended, "truncated");
  const falling = newCart(always(50));
  falling.state = [0, 0, THETA_LIMIT, 5];
  live(falling, 1, 1);
  assert.equal(falling.ended, "terminated");
});

test("an action is sampled with the policy's probability", () => {
  let right = 0;
  for (let seed = 0; seed < 4000; seed++) {
    const cart = newCart(always(Math.log(3)), seed); // P(right) = 3 / 4
    const before = cart.state[1];
    live(cart, 1, 500);
    if (cart.state[1] > before) right += 1;
  }
  assert.ok(Math.abs(right / 4000 - 0.75) < 4 * Math.sqrt(0.75 * 0.25 / 4000), `${right} of 4000`);
});

test("every cart has a cell of the asked shape, and all fit", () => {
  for (const [count, width, height, aspect] of [[10, 590, 94, 2], [10, 358, 72, 2], [100, 590, 110, 1.5]]) {
    const grid = arrange(count, width, height, aspect);
    assert.ok(grid.columns * Math.floor(height / grid.height + 1e-9) >= count);
    assert.ok(grid.columns * grid.width <= width + 1e-9);
  }
  assert.equal(arrange(10, 200, 10, 2).columns, 10);
  assert.equal(arrange(10, 20, 100, 2).columns, 1);
});

test("labels move as little as they can, keep their order and their bounds", () => {
  assert.deepEqual([...apart([10, 100, 50], 20, 0, 200)], [10, 100, 50]);
  assert.deepEqual([...apart([100, 100], 20, 0, 200)], [90, 110]);
  assert.deepEqual([...apart([198, 190, 199], 20, 0, 200)], [180, 160, 200]);
  assert.deepEqual([...apart([2, 1], 20, 0, 200)], [20, 0]);
});

test("an end by the clock is not called a fall", () => {
  assert.match(condition({ ended: "truncated", steps: 500 }), /clock ended this episode at step 500/);
  assert.match(condition({ ended: "terminated", steps: 22 }), /step 22: it fell or left the track/);
  assert.match(condition({ ended: "", steps: 3 }), /3 steps so far/);
});
