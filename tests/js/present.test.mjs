// Lecture mode: which key is which command, and how large the type is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { COMPONENTS, load } from "./scripts.mjs";

const kinds = load(COMPONENTS.present, ["commandOf", "zoomOf", "TYPED_IN", "MOVED", "PRESSED"]);
const KEYS = { next: ["ArrowRight", "PageDown", " "], run: ["Enter", "r"], blank: ["b", "."] };

/** The command of a key while something of this kind has the focus. */
function pressed(key, kind, more = {}) {
  const focus = { matches: (wanted) => kind !== undefined && wanted === kinds[kind] };
  return kinds.commandOf({ key, composedPath: () => [focus], ...more }, KEYS);
}

test("keys are commands, large letters too", () => {
  assert.equal(pressed("PageDown"), "next");
  assert.equal(pressed("R"), "run");
  assert.equal(pressed("."), "blank");
  assert.equal(pressed("F5"), undefined);
  assert.equal(pressed("x"), undefined);
});

test("keys belong to a field, and to the browser with a modifier or held down", () => {
  assert.equal(pressed("r", "TYPED_IN"), undefined);
  assert.equal(pressed("PageDown", "TYPED_IN"), undefined);
  for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }, { repeat: true }]) {
    assert.equal(pressed("r", undefined, more), undefined);
  }
});

test("a chosen option keeps the arrows, a button its Enter; the clicker's keys go on", () => {
  assert.equal(pressed("ArrowRight", "MOVED"), undefined);
  assert.equal(pressed(" ", "PRESSED"), undefined);
  assert.equal(pressed("PageDown", "MOVED"), "next");
  assert.equal(pressed("ArrowRight", "PRESSED"), "next");
});

test("the type is as large as the window has room for", () => {
  assert.ok(Math.abs(kinds.zoomOf(1280, 720) - 1.35) < 0.001);
  assert.ok(kinds.zoomOf(1920, 1080) > 1.5);
  assert.equal(kinds.zoomOf(390, 844), 1);
  assert.equal(kinds.zoomOf(7680, 4320), 2.5);
});
