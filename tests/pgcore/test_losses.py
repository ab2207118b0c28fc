"""The losses: autograd against the hand-written derivatives, and shapes that must not broadcast."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from pgcore import losses

# The step sizes differ between policy and critic: one rate a parameter.
RATES = torch.tensor([1e-3, 1e-2, 1e-1])


@st.composite
def logits_and_weights(draw) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits [S, T, A], actions [S, T], Psi [S, T] and which steps are valid, in float64."""
    s, t, a = draw(st.integers(1, 4)), draw(st.integers(1, 20)), draw(st.integers(2, 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    logits = 3 * torch.randn(s, t, a, dtype=torch.float64, generator=generator)
    actions = torch.randint(a, (s, t), generator=generator)
    psi = torch.randn(s, t, dtype=torch.float64, generator=generator)
    valid = torch.rand(s, t, generator=generator) < draw(st.sampled_from([1.0, 0.7]))
    return logits.requires_grad_(), actions, psi, valid


def of_actions(log_probs: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    return log_probs.gather(-1, actions[..., None])[..., 0]


@settings(deadline=None, derandomize=True)
@given(logits_and_weights())
def test_policy_loss_by_hand(drawn) -> None:
    """d loss / d z = -(onehot(a) - pi) Psi / T, T counting the valid steps."""
    logits, actions, psi, valid = drawn
    loss = losses.policy_loss(psi, of_actions(logits.log_softmax(-1), actions), valid)
    loss.sum().backward()
    pi = logits.detach().softmax(-1)
    onehot = torch.nn.functional.one_hot(actions, pi.shape[-1])
    count = valid.sum(-1).clamp(min=1)[:, None, None]
    assert_close(logits.grad, -(onehot - pi) * (psi * valid)[..., None] / count)


@settings(deadline=None, derandomize=True)
@given(logits_and_weights())
def test_the_score_has_mean_zero(drawn) -> None:
    """E_a psi = sum_a pi_a grad log pi_a = 0: why a baseline adds no bias."""
    logits, *_ = drawn
    log_probs = logits.log_softmax(-1)
    (log_probs.exp().detach() * log_probs).sum().backward()
    assert_close(logits.grad, torch.zeros_like(logits))


@settings(deadline=None, derandomize=True)
@given(logits_and_weights())
def test_entropy_by_hand(drawn) -> None:
    """dH / dz_a = -pi_a (log pi_a + H)."""
    logits, *_ = drawn
    h = losses.entropy(logits.log_softmax(-1))
    h.sum().backward()
    pi = logits.detach().softmax(-1)
    assert_close(h, torch.distributions.Categorical(pi).entropy())
    assert_close(logits.grad, -pi * (pi.log() + h.detach()[..., None]))


@pytest.mark.parametrize("actions", [2, 3, 7])
def test_entropy_is_level_at_its_top(actions: int) -> None:
    logits = torch.full((1, 1, actions), 2.5, dtype=torch.float64, requires_grad=True)
    h = losses.entropy(logits.log_softmax(-1))
    h.sum().backward()
    assert h.item() == pytest.approx(torch.tensor(float(actions)).log().item())
    assert_close(logits.grad, torch.zeros_like(logits))


def test_clipped_policy_loss_by_hand() -> None:
    """-min(rho A, clip(rho) A): clipped only where it would promise more."""
    rho = torch.tensor([[0.5, 0.5, 1.0, 1.0, 2.0, 2.0]])
    psi = torch.tensor([[3.0, -3.0, 3.0, -3.0, 3.0, -3.0]])
    old = torch.full_like(rho, 0.25)
    for t, surrogate in enumerate([1.5, -2.4, 3.0, -3.0, 3.6, -6.0]):
        valid = torch.arange(6)[None] == t
        loss = losses.clipped_policy_loss(psi, (rho * old).log(), old, valid, 0.2)
        assert loss.item() == pytest.approx(-surrogate)


def test_means_count_valid_steps_alone() -> None:
    x = torch.tensor([[1.0, 2.0, 300.0], [4.0, 5.0, 6.0]])
    valid = torch.tensor([[True, True, False], [False, False, False]])
    assert losses.mean_over_time(x, valid).tolist() == [1.5, 0]


def test_value_loss_by_hand() -> None:
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    targets = torch.tensor([[0.0, 4.0], [3.0, 1.0]])
    loss = losses.value_loss(values, targets, torch.ones(2, 2, dtype=torch.bool))
    assert loss.tolist() == [2.5, 4.5]
    loss.sum().backward()
    assert values.grad is not None and values.grad.tolist() == [[1, -2], [0, 3]]


@pytest.mark.parametrize("values", [(5, 1), (1, 5), (5, 5), (3, 5, 1), (1,), ()])
def test_value_loss_never_broadcasts(values: tuple[int, ...]) -> None:
    """[B, 1] against [B] would be B^2 differences, of which B are meant."""
    valid = torch.ones(5, dtype=torch.bool)
    with pytest.raises(ValueError, match="must have one"):
        losses.value_loss(torch.zeros(values), torch.zeros(5), valid)


def test_adam_by_hand() -> None:
    """The first step is the rate times the gradient's sign, whatever the gradient's size."""
    params, zeros = torch.ones(2, 3), torch.zeros(2, 3)
    gradient = torch.tensor([[1e-3, -5.0, 1e4], [0.0, 2.0, -1.0]])
    new, m, v = losses.adam_step(params, gradient, zeros, zeros, torch.tensor([1.0, 1.0]), RATES)
    assert_close(new, 1 - RATES * gradient.sign(), rtol=0, atol=2e-6)
    assert_close(m, 0.1 * gradient)
    assert_close(v, 0.001 * gradient**2)
