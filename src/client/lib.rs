//! For applications and tools: typed HTTP and D-Bus clients of the agent.
