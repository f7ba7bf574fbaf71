"""Bring an SQLite store to rest: everything in one file again, no write-ahead log beside it.

    LGTOP_STORE=demo.sqlite python -P demo_graphs/rest.py

The last connection to a file does so when it closes; a process that was killed never closes one, and one that only
reads cannot.
"""

import os
import sqlite3

connection = sqlite3.connect(os.environ["LGTOP_STORE"], timeout=10)
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
connection.close()
