// Lecture mode: keys become commands, and the type is as large as the window has room for.
// What has the focus keeps the keys that it has a use for.
const TYPED_IN = "input:not([type=radio], [type=checkbox], [type=range]), textarea, select";
const MOVED = "[type=radio], [type=range], [role=slider]";
const PRESSED = "button, a, [type=checkbox], [role=button], [role=tab]";

export default function ({ data, setTriggerValue }) {
  const press = (event) => {
    const command = commandOf(event, data.keys);
    if (!command) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Streamlit has keys of its own
    setTriggerValue("command", command);
  };
  const fit = () => {
    const zoom = data.zoom ?? zoomOf(innerWidth, innerHeight);
    document.documentElement.style.setProperty("--zoom", zoom);
    trim();
  };
  const watched = document.querySelector(".stMainBlockContainer");
  const resized = new ResizeObserver(trim);
  let wait;
  const changed = new MutationObserver(() => {
    clearTimeout(wait);
    wait = setTimeout(trim, 100);
  });
  fit();
  resized.observe(watched.firstElementChild);
  changed.observe(watched, { childList: true, subtree: true });
  addEventListener("keydown", press, true);
  addEventListener("resize", fit);
  for (const kind of ["error", "unhandledrejection"]) addEventListener(kind, recover); // for good
  return () => {
    clearTimeout(wait);
    resized.disconnect();
    changed.disconnect();
    removeEventListener("keydown", press, true);
    removeEventListener("resize", fit);
  };
}

/** Streamlit's front end loses the page if a timer draws while one page follows another: it throws
 * and stands still. Its address holds all that is shown, so the page is loaded again. */
function recover({ message, reason }) {
  if (/delta path/.test(message ?? reason?.message)) location.reload();
}

/** The command of a pressed key; undefined if the key belongs to what has the focus. */
function commandOf(event, keys) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return undefined;
  const focus = event.composedPath()[0];
  if (focus.isContentEditable || focus.matches?.(TYPED_IN)) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (/^Arrow/.test(key) && focus.matches?.(MOVED)) return undefined;
  if (/^(Enter| )$/.test(key) && focus.matches?.(PRESSED)) return undefined;
  return Object.keys(keys).find((name) => keys[name].includes(key));
}

/** How large everything is drawn: what stands on a page of 948 x 533 fills the window. */
function zoomOf(width, height) {
  const taller = Math.min(Math.max((height - 720) / 2, 0), 250); // what charts grow by
  return Math.min(Math.max(Math.min(height / (533 + taller), width / 948), 1), 2.5);
}

/** What begins low and does not end in the window is not shown: nothing is half in sight. */
function trim() {
  for (const part of document.querySelectorAll(".stMainBlockContainer .stElementContainer")) {
    const { top, bottom } = part.getBoundingClientRect();
    const cut = top > innerHeight / 2 && bottom > innerHeight;
    part.toggleAttribute("data-cut", cut);
    if (cut && part.querySelector(".stVegaLiteChart")) { // nor is a title without its chart
      part.previousElementSibling?.toggleAttribute("data-cut", true);
    }
  }
}
