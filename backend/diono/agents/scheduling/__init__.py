"""The team's schedule: work as a graph, agents with states, budgets, and work side by side."""
