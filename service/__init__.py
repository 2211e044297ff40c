"""Grove keeps a company's customer groups: sets of customers, standing in hierarchies with named levels."""

__version__ = "0.1.0"
