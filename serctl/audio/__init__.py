"""Audio: finding recordings, opening and decoding them, and checking that they are complete."""
