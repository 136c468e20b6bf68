"""The titles that stand on paper, in the words of a language. Pure."""

from passerelle.core.wording import Words


def minutes_titles(words: Words) -> dict[str, str]:
    """Of minutes, by the names under which `minutes.typ` and `documents.odt` know them."""
    return {
        "colon": words("colon"),
        "not_held": words("minutes_not_held"),
        "decisions": words("minutes_decisions"),
        "no_decision": words("minutes_no_decision"),
        "actions": words("minutes_actions"),
        "number": words("minutes_number"),
        "what": words("minutes_what"),
        "by": words("minutes_by"),
        "when": words("minutes_until"),
        "who": words("minutes_who"),
        "presence": words("minutes_presence"),
        "names": words("minutes_names"),
        "agenda": words("minutes_agenda"),
        "topics": words("minutes_topics"),
        "open_before": words("minutes_open_before"),
        "corrections": words("minutes_corrections"),
        "corrections_left": words("minutes_corrections_left"),
        "next": words("minutes_next"),
        "permanent": words("minutes_permanent"),
        "signature": words("minutes_signature"),
        "page": words("minutes_page"),
    }


def convocation_titles(words: Words, *, day: str, organizer: str, where: str) -> dict[str, str]:
    """Of a convocation, by the names under which `convocation.typ` knows them.

    Args:
        day: of the assembly, in words.
        organizer: whom to tell without mail; "" where nobody is named.
        where: the address at which the rest can be read; "" where it is in the mail alone.
    """
    return {
        "colon": words("colon"),
        "agenda": words("minutes_agenda"),
        "agenda_open": words("convocation_agenda_open"),
        "reply": words("convocation_reply"),
        "by_mail": words("convocation_by_mail"),
        "tell": words("convocation_tell", name=organizer) if organizer else "",
        "proxy": words("convocation_proxy"),
        "coupon": words("convocation_coupon"),
        "coupon_cut": words("convocation_coupon_cut"),
        "coupon_text": words("convocation_coupon_text", day=day),
        "coupon_from": words("convocation_coupon_from"),
        "coupon_to": words("convocation_coupon_to"),
        "coupon_date": words("convocation_coupon_date"),
        "coupon_sign": words("convocation_coupon_sign"),
        "by_voice": words("convocation_by_voice"),
        "name": words("convocation_name"),
        "taker": words("convocation_taker"),
        "more_items": words("convocation_more_items", where=where) if where else words("convocation_more_items_mail"),
        "more_names": words("convocation_more_names"),
    }


def page_titles(words: Words, *, day: str) -> dict[str, str]:
    """Of the one page on paper, by the names under which `now.typ` knows them. `day`: of which it tells, in words."""
    return {
        "language": words.language,
        "colon": words("colon"),
        "title": words("now_title"),
        "as_of": words("now_as_of", day=day),
        "empty": words("now_empty"),
        "offers_ask": words("now_paper_offer_ask"),
        "ways": words("now_ways"),
        "by_mail": words("now_by_mail"),
        "by_chat": words("now_by_chat"),
        "by_mail_told": words("now_by_mail_told"),
        "by_chat_told": words("now_by_chat_told"),
        "by_chat_invited": words("now_by_chat_invited"),
        "one_conversation": words("now_one_conversation"),
        "url": words("now_paper_url"),
        "told": words("now_paper_told"),
    }
