"""The HTTP edge that is not the graph: auth, limits, health, metrics, inbound webhooks, the GraphQL view."""
