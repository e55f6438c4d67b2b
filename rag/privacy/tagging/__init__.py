"""The model of names and street addresses, and how it is read."""
