"""A graph as characters: layers, columns, lines. Nothing here knows Textual or a store."""
