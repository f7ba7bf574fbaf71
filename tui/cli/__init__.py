"""The headless command line, one file a command group."""
