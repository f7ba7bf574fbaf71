"""What changes a store: verbs, their plans, and carrying them out."""
