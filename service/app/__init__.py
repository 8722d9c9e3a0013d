"""App: the use cases that both front ends call, and the factories that build the stages."""
