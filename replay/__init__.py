"""The book's run, made again as nearly as its random numbers allow: `python -m replay`."""
