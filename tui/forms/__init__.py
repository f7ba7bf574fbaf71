"""Values that a person fills in: JSON Schema as fields, common shapes of questions, JSON as text. No screen code."""
