"""The tabs of a checkpoint: what each reads from the store, and the rows that it makes of it.

Everything here runs on the store's thread and knows no widget; the rows are immutable.
"""
