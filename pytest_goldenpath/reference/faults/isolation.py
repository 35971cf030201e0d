"""Faults of isolation: between users, and between the connections of one user."""

from pytest_goldenpath.reference.faults.words import EVENTS, NO_END, ill

FAULTS = (
    ill("events-to-everyone", "events go to all connections of all users", "F43", "GP-601",
        "GP-409 GP-603", "c r", ("deliver.to", "everyone")),
    ill("events-to-everyone-when-busy", "events go to everybody while two runs overlap", "F44",
        "GP-601", "GP-409 GP-603", "c r", ("deliver.to", "everyone-when-busy")),
    ill("events-to-the-newest", "events go to whoever connected last", "F44", "GP-601",
        f"GP-409 GP-603 {EVENTS} {NO_END}", "c r", ("deliver.to", "newest")),
    ill("shared-supervisor", "runs that overlap answer the prompt of whoever asked last", "F44",
        "GP-601", "GP-503 GP-505 GP-507 GP-603", "c r", ("agent.shared_state", True)),
    ill("threads-open", "a thread can be read and changed by every user", "", "GP-602", "GP-601",
        "c", ("threads.open", True)),
    ill("thread-deletable-by-all", "a thread can be deleted by every user", "", "GP-602", "", "c",
        ("threads.deletable", True)),
    ill("threads-list-all", "the list of threads shows those of all users", "", "GP-602",
        "GP-107 GP-601 GP-605", "c", ("threads.list_all", True)),
    ill("run-in-foreign-thread", "a request may be put into another user's thread", "", "GP-602",
        "GP-601", "c", ("runs.any_thread", True)),
    ill("events-to-all-my-connections", "events go to all connections of the user", "", "GP-603",
        "GP-310", "c", ("deliver.to", "user")),
    ill("events-to-my-newest", "events go to the user's newest connection", "", "GP-603",
        f"GP-310 GP-604 {EVENTS} {NO_END}", "c", ("deliver.to", "newest-of-user")),
    ill("events-to-my-others", "events go to the user's other connections", "F43", "GP-603",
        f"GP-310 GP-604 {EVENTS} {NO_END}", "c", ("deliver.to", "others-of-user")),
    ill("reconnect-forgets", "who reconnects has lost all threads", "", "GP-605",
        "GP-107 GP-505 GP-602", "c", ("reconnect.forgets", True)),
)  # fmt: skip
