//! The device's state machine, sans-IO: handle(event, now) -> effects.
