"""The signals tell substitutes from answers, and accuse no real answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ANSWER, PROMPT
from pytest_goldenpath.contract.rules.content import is_echo, signals

REAL = [
    ANSWER,
    "KESTREL-4821: 42. Turn off idle machines at night.",
    "42. Reference code KESTREL-4821. Buy reserved capacity for the steady part of the load.",
    "You asked what 17 plus 25 is: 42. Error rates and cost both fall when caches are shared.",
    "Sorry for the wait! The code is KESTREL-4821, the sum is 42, and spot instances are cheap.",
    "KESTREL-4821. Das Ergebnis ist 42. Nutzen Sie kleinere Maschinen.",
    "コードは KESTREL-4821 です。合計は 42 です。小さいサーバーを使いましょう。",
    "## Summary\n\n- Code: KESTREL-4821\n- Sum: 42\n- Saving: delete unattached disks",
    "Error budgets help too, but first: KESTREL-4821, 42, and smaller databases.",
]


@pytest.mark.parametrize("answer", REAL)
def test_real_answers_have_no_sign_of_a_substitute(answer: str) -> None:
    """Answers that people would accept are accepted."""
    assert signals(answer, PROMPT) == ()


@pytest.mark.parametrize(
    ("answer", "signal"),
    [
        ("Mock triage agent response for: hello", "substitute"),
        ("[mock] all good", "substitute"),
        ("This is a simulated answer for you", "substitute"),
        ("Processing request", "placeholder"),
        ("Agent is thinking...", "placeholder"),
        ("Your request has been processed successfully!", "placeholder"),
        ("...", "placeholder"),
        ("Internal server error", "error text"),
        ("An error occurred while processing your request.", "error text"),
        ('Traceback (most recent call last):\n  File "a.py", line 1', "error text"),
        ("Failed to reach the model", "error text"),
        ("Unfortunately I am unable to answer. Try again later.", "apology only"),
        (f"Agent response for: {PROMPT}", "echo of the prompt"),
    ],
)
def test_substitutes_are_named(answer: str, signal: str) -> None:
    """Each kind of substitute shows its own sign."""
    assert signal in signals(answer, PROMPT)


@given(st.text(min_size=1), st.text())
def test_signals_never_raise(answer: str, prompt: str) -> None:
    """No text makes a signal raise."""
    assert isinstance(signals(answer, prompt), tuple)


@given(
    st.lists(st.from_regex(r"[a-z]{3,9}", fullmatch=True), min_size=6, max_size=30),
    st.sampled_from(["", "Answer: ", "You said: ", "Response for: "]),
)
def test_every_repeated_prompt_is_an_echo(asked: list[str], prefix: str) -> None:
    """Whatever the prompt, repeating it behind a short phrase is an echo."""
    prompt = " ".join(asked)

    assert is_echo(prefix + prompt, prompt)
