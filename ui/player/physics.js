// CartPole's physics, step for step Gymnasium's (and pgcore/envs/cartpole.py's), in double precision.
const GRAVITY = 9.8;
const POLE_MASS = 0.1;
const TOTAL_MASS = 1.1;
const HALF_LENGTH = 0.5; // metres
const POLE_MOMENT = POLE_MASS * HALF_LENGTH;
const FORCE = 10; // newtons, what the agent can do
const TAU = 0.02; // seconds a step
const X_LIMIT = 2.4; // metres
const THETA_LIMIT = (12 * 2 * Math.PI) / 360; // radians

/** One Euler step under a horizontal force in newtons: [x, x_dot, theta, theta_dot] -> the next. */
function advance([x, xDot, theta, thetaDot], force) {
  const cos = Math.cos(theta);
  const sin = Math.sin(theta);
  const temp = (force + POLE_MOMENT * thetaDot * thetaDot * sin) / TOTAL_MASS;
  const thetaAcc =
    (GRAVITY * sin - cos * temp) / (HALF_LENGTH * (4 / 3 - (POLE_MASS * cos * cos) / TOTAL_MASS));
  const xAcc = temp - (POLE_MOMENT * thetaAcc * cos) / TOTAL_MASS;
  return [x + TAU * xDot, xDot + TAU * xAcc, theta + TAU * thetaDot, thetaDot + TAU * thetaAcc];
}

/** Whether the episode ends here. */
function fallen([x, , theta]) {
  return Math.abs(x) > X_LIMIT || Math.abs(theta) > THETA_LIMIT;
}
