/** The probability of action 1 under a policy row as pgcore/networks.py lays it out. */
function probability(row, hidden, state) {
  const obs = state.map(Math.fround); // the network sees float32
  const [bias, out0, out1, last] = [4 * hidden, 5 * hidden, 6 * hidden, 7 * hidden];
  let z = row[last + 1] - row[last];
  for (let j = 0; j < hidden; j++) {
    let h = row[bias + j];
    for (let d = 0; d < 4; d++) h += obs[d] * row[d * hidden + j];
    if (h > 0) z += h * (row[out1 + j] - row[out0 + j]);
  }
  return 1 / (1 + Math.exp(-z));
}

/** Little-endian float32 numbers from base64. */
function decode(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
