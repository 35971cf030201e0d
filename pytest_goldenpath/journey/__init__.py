"""The edge: sockets, HTTP, processes and clocks; asynchronous, and only asynchronous."""
