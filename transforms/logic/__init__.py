"""Pure logic: no Beam, no network, no clock, no environment."""
