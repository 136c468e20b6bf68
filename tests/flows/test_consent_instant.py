"""Consent and the clock of IMAP, which knows whole seconds only."""

from __future__ import annotations

from datetime import timedelta

from passerelle.flows.consent import ask_consent, confirm_link
from tests.flows.bridge import MakeBridge, mail


async def test_email_of_the_second_in_which_a_coordinator_confirmed_is_relayed(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(confirmed=False)
    second = bridge.now()
    await ask_consent(bridge.ctx, bridge.link)
    await bridge.notices_leave()
    bridge.pass_time(milliseconds=400)
    await confirm_link(bridge.ctx, bridge.link, by="Monique")
    bridge.pass_time(milliseconds=300)
    await bridge.receive(mail("Trop tôt, la veille.\n", message_id="a@x.test"), at=second - timedelta(seconds=1))
    await bridge.receive(mail("Qui peut tenir la buvette ?\n", message_id="b@x.test"), at=second)
    (shown,) = await bridge.shown()
    assert "Qui peut tenir la buvette" in shown["body"]
