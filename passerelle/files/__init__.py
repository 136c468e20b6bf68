"""Files that came with posts: what they say, so that they are found by it."""
