"""The graph: types, resolvers, loaders, errors. It translates and decides nothing."""
