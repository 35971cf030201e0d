"""Verdicts and transcripts in words and files."""
