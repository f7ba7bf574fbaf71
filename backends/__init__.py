"""What is true: stores, decoding, status, diff and the live index. No screen code."""
