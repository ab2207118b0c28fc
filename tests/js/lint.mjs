// The linter: every joined component parses in strict mode, passes oxlint (which pip installs), and
// holds nothing that does not belong into a page. It prints each finding and fails if any.
// OXLINT=.venv/bin/oxlint node tests/js/lint.mjs
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { COMPONENTS, FOLDERS, joined } from "./scripts.mjs";

const LONGEST = 110;
const ASKS = "room.js"; // the one script that asks the server something
const UNWANTED = [
  [/\bvar\b(?!\()/, "var: use const or let"],
  [/[^=!]==[^=]|!=[^=]/, "== or !=: compare with === or !=="],
  [/\bconsole\./, "console: a page prints nothing"],
  [/\bdebugger\b/, "debugger"],
  [/\beval\(|new Function\(/, "eval: nothing is run from text"],
  [/innerHTML|outerHTML|insertAdjacentHTML|document\.write/, "HTML from text: use textContent"],
  [/\bfetch\(|XMLHttpRequest|WebSocket|https?:\/\//, "a request: nothing leaves the page"],
  [/\t/, "tab"],
];

const asks = (name, pattern) => name === ASKS && pattern.test("fetch(");

/** The findings in one file's lines. */
export function findings(name, text) {
  return text.split("\n").flatMap((line, index) => {
    const code = line.replace(/\/\/.*$/, "").replace(/\/\*\*.*\*\/$/, "");
    const wrong = UNWANTED.filter(([pattern]) => pattern.test(code) && !asks(name, pattern)).map(([, words]) => words);
    if (/\s$/.test(line)) wrong.push("space at the end of the line");
    if (line.length > LONGEST) wrong.push(`longer than ${LONGEST} characters`);
    return wrong.map((words) => `${name}:${index + 1}: ${words}`);
  });
}

/** What Node says of a joined component's syntax, as a module (which is strict); "" if nothing. */
export function syntax(text) {
  return refused(text, process.execPath, ["--check"]);
}

/** What oxlint says of a joined component: undefined and unused names, and code that cannot mean
 * what it says; "" if nothing. */
export function suspicions(text) {
  const config = fileURLToPath(new URL("oxlint.json", import.meta.url));
  return refused(text, process.env.OXLINT ?? "oxlint", ["--config", config]);
}

/** What a command says of a text that it refuses; "" if it accepts it. */
function refused(text, command, options) {
  const folder = mkdtempSync(join(tmpdir(), "lint-"));
  try {
    const file = join(folder, "component.mjs");
    writeFileSync(file, text);
    execFileSync(command, [...options, file], { stdio: "pipe" });
    return "";
  } catch (error) {
    return `${error.stdout ?? ""}${error.stderr ?? error}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = FOLDERS.flatMap((folder) => readdirSync(folder)).filter((name) => name.endsWith(".js"));
  const found = [
    ...files.flatMap((name) => findings(name, joined([name]))),
    ...Object.entries(COMPONENTS).flatMap(([name, parts]) => {
      const said = syntax(joined(parts)) || suspicions(joined(parts));
      return said ? [`${name}: ${said}`] : [];
    }),
  ];
  found.forEach((line) => console.log(line));
  process.exitCode = found.length ? 1 : 0;
}
