"""Dictionaries by which blobs are compressed; made by scripts/train_dictionary.py. None is ever taken away."""
