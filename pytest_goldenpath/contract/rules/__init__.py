"""The rules, one module a chapter of the contract; each is a pure function of a survey."""
