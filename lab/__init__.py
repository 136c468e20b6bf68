"""Real servers on loopback for the demo, the tests and the benchmarks. Not part of the shipped package.

Nothing here imports ``passerelle``: the lab is the world around the daemon, and knows only protocols.
"""
