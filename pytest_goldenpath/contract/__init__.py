"""The contract: transcripts and exchanges in, findings out. Pure, no I/O, no pytest."""
