"""What the product does, one verb at a time: read, decide, write, announce."""
