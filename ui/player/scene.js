// CartPole drawn from a state, where Gymnasium draws it: a world of 600 x 400 pixels, y downwards.
const WORLD = { width: 600, height: 400, scale: 600 / 4.8 };
const VIEW = { top: 156, height: 172 }; // the part of the world in which something happens

/** Corners of cart and pole, and the axle, in world pixels. */
function geometry([x, , theta]) {
  const centre = x * WORLD.scale + WORLD.width / 2;
  const track = WORLD.height - 100;
  const axle = { x: centre, y: track - 30 / 4, radius: 5 };
  const [sin, cos] = [Math.sin(theta), Math.cos(theta)];
  const along = (across, up) => [axle.x + across * cos + up * sin, axle.y + across * sin - up * cos];
  const cart = [[-25, 15], [-25, -15], [25, -15], [25, 15]].map(([u, v]) => [centre + u, track + v]);
  const pole = [[-5, -5], [-5, 120], [5, 120], [5, -5]].map(([u, v]) => along(u, v));
  return { cart, pole, axle, track };
}

/** A theme colour of Streamlit's, or the fallback where the theme leaves it unset. */
function themeColour(element, name, fallback) {
  const value = getComputedStyle(element).getPropertyValue(name).trim();
  return value && value !== "unset" ? value : fallback;
}

function look(element) {
  const palette = themeColour(element, "--st-chart-categorical-colors", "#0072B2,#D55E00,#009E73");
  return {
    text: themeColour(element, "--st-text-color", "#31333F"),
    background: themeColour(element, "--st-background-color", "#FFFFFF"),
    faint: themeColour(element, "--st-border-color", "#9999"),
    danger: themeColour(element, "--st-red-color", "#D55E00"),
    font: themeColour(element, "--st-font", "sans-serif"),
    palette: palette.split(",").map((colour) => colour.trim()),
    pole: "rgb(202, 152, 101)",
    axle: "rgb(129, 132, 203)",
  };
}

/** Fit a canvas to its box at the screen's resolution. -> its context, in units of CSS pixels */
function fit(canvas, height) {
  const density = (window.devicePixelRatio || 1) * (canvas.currentCSSZoom ?? 1);
  const width = canvas.clientWidth;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  return context;
}

/** Draw a state over the whole width; forces in newtons become arrows at the cart. */
function drawScene(context, width, state, style, forces = []) {
  const zoom = width / WORLD.width;
  const { cart, pole, axle, track } = geometry(state);
  context.save();
  context.clearRect(0, 0, width, VIEW.height * zoom);
  context.scale(zoom, zoom);
  context.translate(0, -VIEW.top);
  const line = (from, to, colour, thickness, dash = []) => {
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  };
  const fill = (corners, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    for (const corner of corners) context.lineTo(...corner);
    context.fill();
  };
  line([0, track], [WORLD.width, track], style.text, 1);
  for (const edge of [1.5, WORLD.width - 1.5]) {
    line([edge, track - 15], [edge, track + 15], style.danger, 3);
  }
  for (const side of [-1, 1]) {
    const reach = [axle.x + side * 128 * Math.sin(THETA_LIMIT), axle.y - 128 * Math.cos(THETA_LIMIT)];
    line([axle.x, axle.y], reach, style.danger, 1, [3, 4]);
  }
  fill(cart, style.text);
  fill(pole, style.pole);
  context.fillStyle = style.axle;
  context.beginPath();
  context.arc(axle.x, axle.y, axle.radius, 0, 2 * Math.PI);
  context.fill();
  for (const { newtons, colour, height } of forces) {
    if (!newtons) continue;
    const side = Math.sign(newtons);
    const y = track + height;
    const tail = axle.x + side * 31;
    const head = tail + side * (6 + 3 * Math.abs(newtons));
    line([tail, y], [head, y], colour, 4);
    fill([[head + side * 9, y], [head, y - 7], [head, y + 7]], colour);
  }
  context.restore();
}
