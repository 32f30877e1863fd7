"""The book's own run, made again: `python -m replay`."""
