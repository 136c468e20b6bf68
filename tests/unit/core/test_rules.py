"""Verdicts: the first rule that says something decides."""

from __future__ import annotations

from dataclasses import fields

import pytest

from passerelle.core.rules import RULES, Facts, judge


@pytest.mark.parametrize(
    ("facts", "action", "reason"),
    [
        (Facts(), "accept", ""),
        (Facts(own=True, spam=True, too_large=True), "discard", "own"),
        (Facts(consented=False), "discard", "before_consent"),
        (Facts(link_stopped=True), "hold", "link_stopped"),
        (Facts(spam=True, too_large=True), "discard", "spam"),
        (Facts(automatic="auto_submitted"), "discard", "automatic_auto_submitted"),
        (Facts(too_large=True), "reject", "too_large"),
        (Facts(duplicate=True), "discard", "duplicate"),
        (Facts(thread_stopped=True), "hold", "thread_stopped"),
    ],
)
def test_judge(facts: Facts, action: str, reason: str) -> None:
    verdict = judge(facts)
    assert (verdict.action, verdict.reason) == (action, reason)


def test_only_a_refused_human_is_told() -> None:
    assert judge(Facts(too_large=True)).tell_author
    assert not judge(Facts(too_large=True, spam=True)).tell_author
    assert not judge(Facts(too_large=True, automatic="dsn")).tell_author


def test_every_fact_has_its_rule() -> None:
    assert len(RULES) == len(fields(Facts))


def test_every_rule_says_what_it_is_for() -> None:
    assert all(rule.__doc__ for rule in RULES)
