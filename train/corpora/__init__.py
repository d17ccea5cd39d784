"""The four corpora: clip names, the manifest, speakers, votes, splits and a survey."""
