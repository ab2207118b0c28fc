// The scripts of components and of a class's pages have no modules: Python joins them into one. These run one as it is.
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

export const FOLDER = new URL("../../ui/player/", import.meta.url);
export const CLASSROOM = new URL("../../ui/classroom/", import.meta.url);
export const COMPONENTS = {
  field: ["physics.js", "policy.js", "scene.js", "field.js"],
  player: ["physics.js", "policy.js", "scene.js", "player.js"],
  push: ["physics.js", "policy.js", "scene.js", "push.js"],
  phone: ["physics.js", "scene.js", "../classroom/room.js", "../classroom/phone.js"],
  host: ["../classroom/room.js", "../classroom/host.js"],
};

/** The text of some scripts, joined as ui/player joins them. */
export function joined(files) {
  return files.map((file) => readFileSync(new URL(file, FOLDER), "utf8")).join("\n");
}

/** What some scripts define, by name; `outside` is what the browser would give them. */
export function load(files, names, outside = {}) {
  const text = joined(files).replace("export default", "const component =");
  return runInNewContext(`${text}\n({ ${names.join(", ")} })`, { atob, Math, ...outside });
}
