"""The demonstration: a neighbourhood committee talks by mail and in a room, on real servers, seen from both sides.

``python -m lab.demo`` stays up until Ctrl-C; ``--once`` checks every post on both sides and ends.
"""
