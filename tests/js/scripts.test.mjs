// Unit tests of the player's functions: `node --test tests/js`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, suspicions, syntax } from "./lint.mjs";
import { COMPONENTS, joined, load } from "./scripts.mjs";

const { advance, fallen, TAU, FORCE, X_LIMIT, THETA_LIMIT } = load(
  ["physics.js"],
  ["advance", "fallen", "TAU", "FORCE", "X_LIMIT", "THETA_LIMIT"],
);
const { probability, decode } = load(["policy.js"], ["probability", "decode"], {
  Uint8Array,
  Float32Array,
});
const { geometry, WORLD } = load(["scene.js"], ["geometry", "WORLD"]);
const near = (found, expected, within = 1e-12) =>
  found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < within, `${found}`));

test("a pole at rest is pushed as the equations say", () => {
  // temp = F / M; theta'' = -temp / (l (4/3 - m / M)); x'' = temp - m l theta'' / M
  const temp = 10 / 1.1;
  const thetaAcc = -temp / (0.5 * (4 / 3 - 0.1 / 1.1));
  const xAcc = temp - (0.05 * thetaAcc) / 1.1;
  near(advance([0, 0, 0, 0], 10), [0, TAU * xAcc, 0, TAU * thetaAcc]);
});

test("left and right are mirror images", () => {
  const state = [0.3, -0.2, 0.1, 0.4];
  const mirrored = advance(state.map((x) => -x), -FORCE).map((x) => -x);
  near(advance(state, FORCE), mirrored);
});

test("an episode ends beyond a limit and not at it", () => {
  assert.equal(fallen([X_LIMIT, 0, 0, 0]), false);
  assert.equal(fallen([X_LIMIT + 1e-9, 0, 0, 0]), true);
  assert.equal(fallen([0, 0, -THETA_LIMIT, 0]), false);
  assert.equal(fallen([0, 0, -THETA_LIMIT - 1e-9, 0]), true);
});

test("the probability of a network worked by hand", () => {
  // One hidden unit: h = relu(x_2 + 0.5); z = 2 h + 0.25 with x_2 = 0.5, and z = 0.25 where h = 0.
  const row = [0, 0, 1, 0, 0.5, -1, 1, 0.25, 0.5];
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  near([probability(row, 1, [0, 0, 0.5, 0])], [sigmoid(2 * 1 + 0.25)]);
  near([probability(row, 1, [0, 0, -0.5, 0])], [sigmoid(0.25)]);
});

test("numbers come back from base64", () => {
  const numbers = [1.5, -2, 0.25];
  const text = Buffer.from(new Float32Array(numbers).buffer).toString("base64");
  assert.deepEqual([...decode(text)], numbers);
});

test("the cart stands where its position says, and the pole leans to the side of its angle", () => {
  const { cart, pole, axle } = geometry([1, 0, 0.1, 0]);
  assert.equal(axle.x, WORLD.scale + WORLD.width / 2);
  near(cart.map(([x]) => x - axle.x), [-25, -25, 25, 25]);
  const tip = (pole[1][0] + pole[2][0]) / 2;
  assert.ok(tip > axle.x, "a positive angle leans to the right");
  assert.ok(Math.max(pole[1][1], pole[2][1]) < axle.y, "and the tip is above the axle");
});

test("every component parses and knows its names as it is joined", () => {
  for (const files of Object.values(COMPONENTS)) {
    assert.equal(syntax(joined(files)), "");
    assert.equal(suspicions(joined(files)), "");
  }
});

test("the linter sees what it is for", () => {
  const lines = ["var x = 1;", "if (a == b) c();", "fetch('x');", "a.innerHTML = b;", "let y = 1; "];
  for (const line of lines) assert.equal(findings("x.js", line).length, 1, line);
  assert.equal(findings("x.js", "const x = a === b ? 1 : 2; // a == b in words").length, 0);
  assert.notEqual(syntax("const x = ;"), "");
  assert.match(suspicions("export const x = missing + 1;"), /'missing' is not defined/);
  assert.match(suspicions("export default () => { const unread = 1; };"), /'unread' is declared/);
  assert.notEqual(syntax("undeclared = 1; with (a) {}"), "");
});
