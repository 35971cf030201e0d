"""Where a run goes to and with which credentials: settings become a validated target."""
