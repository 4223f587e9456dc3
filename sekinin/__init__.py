"""Sekinin (責任): who is responsible for what in the cloud, as a knowledge graph that can be asked."""
