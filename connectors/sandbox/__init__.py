"""Stateful stand-ins that speak each vendor's own wire, with faults: for the demo, tests and benchmarks."""
