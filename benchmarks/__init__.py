"""The figures that the README quotes, each over the bare work that no bridge avoids. ``make bench`` prints them."""
