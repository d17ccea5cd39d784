"""Recipes: one TOML file for each model, their schema and their loading."""
