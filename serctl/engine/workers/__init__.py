"""Worker processes: a parent that hands out recordings, and processes that read them."""
