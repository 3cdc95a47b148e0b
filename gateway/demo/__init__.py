"""A whole network on one machine: sandboxes, gateway and a guided tour."""
