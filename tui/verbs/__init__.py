"""What a key for a verb does: ask what is missing, show the plan, carry it out, say what came of it."""
