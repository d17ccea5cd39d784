"""Files: outputs that appear whole or not at all, locks, syncing, and stamps of recordings."""
