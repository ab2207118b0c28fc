// A linter without packages: every joined component parses in strict mode, and holds nothing that
// does not belong into a page. `node tests/js/lint.mjs` prints each finding and fails if any.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { COMPONENTS, FOLDER, joined } from "./scripts.mjs";

const LONGEST = 110;
const UNWANTED = [
  [/\bvar\b/, "var: use const or let"],
  [/[^=!]==[^=]|!=[^=]/, "== or !=: compare with === or !=="],
  [/\bconsole\./, "console: a page prints nothing"],
  [/\bdebugger\b/, "debugger"],
  [/\beval\(|new Function\(/, "eval: nothing is run from text"],
  [/innerHTML|outerHTML|insertAdjacentHTML|document\.write/, "HTML from text: use textContent"],
  [/\bfetch\(|XMLHttpRequest|WebSocket|https?:\/\//, "a request: nothing leaves the page"],
  [/\t/, "tab"],
];

/** The findings in one file's lines. */
export function findings(name, text) {
  return text.split("\n").flatMap((line, index) => {
    const code = line.replace(/\/\/.*$/, "").replace(/\/\*\*.*\*\/$/, "");
    const wrong = UNWANTED.filter(([pattern]) => pattern.test(code)).map(([, words]) => words);
    if (/\s$/.test(line)) wrong.push("space at the end of the line");
    if (line.length > LONGEST) wrong.push(`longer than ${LONGEST} characters`);
    return wrong.map((words) => `${name}:${index + 1}: ${words}`);
  });
}

/** What Node says of a joined component's syntax, as a module (which is strict); "" if nothing. */
export function syntax(text) {
  const folder = mkdtempSync(join(tmpdir(), "lint-"));
  try {
    const file = join(folder, "component.mjs");
    writeFileSync(file, text);
    execFileSync(process.execPath, ["--check", file], { stdio: "pipe" });
    return "";
  } catch (error) {
    return String(error.stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".js"));
  const found = [
    ...files.flatMap((name) => findings(name, readFileSync(new URL(name, FOLDER), "utf8"))),
    ...Object.entries(COMPONENTS).flatMap(([name, parts]) => {
      const said = syntax(joined(parts));
      return said ? [`${name}: ${said}`] : [];
    }),
  ];
  found.forEach((line) => console.log(line));
  process.exitCode = found.length ? 1 : 0;
}
