"""What is wrong with a store, its surroundings, and the graphs that run on it, and what to do about it."""
