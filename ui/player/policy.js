/** The probability of action 1 under policy parameters laid out as in pgcore/networks.py. */
function probability(params, hidden, state) {
  const obs = state.map(Math.fround); // the network sees float32
  const [bias, out0, out1, last] = [4 * hidden, 5 * hidden, 6 * hidden, 7 * hidden];
  let z = params[last + 1] - params[last];
  for (let j = 0; j < hidden; j++) {
    let h = params[bias + j];
    for (let d = 0; d < 4; d++) h += obs[d] * params[d * hidden + j];
    if (h > 0) z += h * (params[out1 + j] - params[out0 + j]);
  }
  return 1 / (1 + Math.exp(-z));
}

/** Little-endian float32 numbers from base64. */
function decode(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
