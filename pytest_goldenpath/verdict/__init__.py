"""From checks to one verdict: pure functions of data, no I/O, no pytest."""
