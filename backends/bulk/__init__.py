"""One verb on many threads: what it would do, and doing it a few at a time, with an outcome for each thread."""
