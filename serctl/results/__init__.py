"""Results: the schema, writing and reading results files, and summaries of them."""
