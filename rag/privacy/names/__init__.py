"""Names of persons: lists, case and company, and where else a name stands."""
