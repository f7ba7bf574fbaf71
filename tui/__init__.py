"""What a person sees: the Textual app and the headless command line."""
