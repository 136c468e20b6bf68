"""Lets Mailman 3.3.10 run on Python 3.13 and newer; on the path of the lab's Mailman processes only.

Python 3.13 took the context manager protocol from pathlib.Path, where it had done nothing since 3.9; Mailman still says
``with path:`` in its translations.
"""

import pathlib
import sys

if sys.version_info >= (3, 13):
    pathlib.Path.__enter__ = lambda self: self
    pathlib.Path.__exit__ = lambda self, *exception: None
