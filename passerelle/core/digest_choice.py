"""What stands in a digest: the same for the same input. Pure. Rules and weights in words: docs/digest.md."""

from collections.abc import Collection
from datetime import datetime

from passerelle.core.digest_facts import DigestFacts as DigestFacts
from passerelle.core.digest_items import Chosen as Chosen
from passerelle.core.digest_items import Item as Item
from passerelle.core.digest_items import Reason as Reason
from passerelle.core.digest_model import ShownItem
from passerelle.core.digest_settings import DigestSettings
from passerelle.core.shelves import Reader


def choose(
    facts: DigestFacts,
    *,
    reader: Reader,
    shown: Collection[ShownItem],
    since: datetime,
    until: datetime,
    settings: DigestSettings,
) -> Chosen:
    """What a digest tells `reader` of the time from `since` on and before `until` (both aware).

    Args:
        shown: what they were shown before, each in its last state; empty for one who catches up.
    """
    raise NotImplementedError
