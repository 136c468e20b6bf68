"""`python -m passerelle`: the same as the installed program."""

from passerelle.cli import main

main()
