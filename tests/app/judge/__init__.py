"""Tests of service/app/judge: with real HTTP to a scripted endpoint on loopback."""
