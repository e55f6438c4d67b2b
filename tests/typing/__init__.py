"""What the type checker must accept and refuse: see `[tool.mypy]` in pyproject.toml."""
