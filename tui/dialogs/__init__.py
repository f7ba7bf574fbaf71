"""Modal dialogs, one file each."""
