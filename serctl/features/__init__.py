"""Features: mel spectrograms, MFCC, spectral descriptors, and tables of them."""
