"""The book's run again, with the random numbers of its day: `python -m replay`."""
