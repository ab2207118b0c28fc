// The scripts of components and of a class's pages have no modules: Python joins them into one. These run one as it is.
import { existsSync, readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

export const FOLDERS = ["player", "lecture", "classroom"].map((name) => new URL(`../../ui/${name}/`, import.meta.url));
export const COMPONENTS = {
  field: ["physics.js", "policy.js", "scene.js", "field.js"],
  player: ["physics.js", "policy.js", "scene.js", "player.js"],
  push: ["physics.js", "policy.js", "scene.js", "push.js"],
  present: ["present.js"],
  phone: ["physics.js", "scene.js", "room.js", "phone.js"],
  host: ["room.js", "host.js"],
};

/** The text of some scripts, joined as ui/player joins them. */
export function joined(files) {
  return files.map((file) => readFileSync(place(file), "utf8")).join("\n");
}

function place(file) {
  return FOLDERS.map((folder) => new URL(file, folder)).find(existsSync);
}

/** What some scripts define, by name; `outside` is what the browser would give them. */
export function load(files, names, outside = {}) {
  const text = joined(files).replace("export default", "const component =");
  return runInNewContext(`${text}\n({ ${names.join(", ")} })`, { atob, Math, ...outside });
}
