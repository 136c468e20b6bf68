"""The processes that make posts of mails. They end with the import, whatever ends it: also where it is killed."""

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType

from passerelle.errors import ImportFailure
from passerelle.flows.import_work import Made, Work, make_posts
from passerelle.i18n import N_, _
from passerelle.imports.source import SourceMail

BROKEN = N_("A process that reads mails was ended from outside; the import can go on where it is.")
#: More would wait for the one that writes.
_MOST_PROCESSES = 4

_work: Work | None = None


class ImportPool:
    """Some processes that know where the mails go."""

    def __init__(self, work: Work, processes: int | None) -> None:
        count = processes or min(_MOST_PROCESSES, os.cpu_count() or 1)
        #: Enough that no process waits, and little enough that memory stays flat.
        self.most_under_way = 2 * count + 1
        # Not forked: an event loop and a database's connection must not be in two processes.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(work,))

    async def __aenter__(self) -> "ImportPool":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise ImportFailure(_(BROKEN)) from error

    def submit(self, mails: Sequence[SourceMail]) -> asyncio.Future[list[Made]]:
        """Have mails made into posts."""
        return asyncio.wrap_future(self._pool.submit(_make, mails))


def _begin(work: Work) -> None:
    """What a process does first."""
    global _work
    _work = work
    # Mails leave no cycles behind; what was loaded until here stays.
    gc.freeze()
    gc.set_threshold(50_000)
    # Ctrl-C is for the process that writes, which ends these.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A pool's processes wait for work for ever where their parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(mails: Sequence[SourceMail]) -> list[Made]:
    assert _work is not None
    return make_posts(_work, mails)
