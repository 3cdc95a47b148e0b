"""A warehouse that two systems can be asked about: ERPNext and GreaterWMS, each in its own words."""

from connectors.sandbox.http.sandbox import HttpSandbox

__all__ = ["HttpSandbox"]
