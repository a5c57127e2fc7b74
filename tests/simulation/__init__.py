"""A campaign lived at random through the product's own steps, and what must hold whatever happens."""
