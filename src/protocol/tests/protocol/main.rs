//! Properties of the protocol, its limits, its refusals and its committed vectors.

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod armor;
#[cfg(test)]
mod binding_properties;
#[cfg(test)]
mod binding_rows;
#[cfg(test)]
mod canonical;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod no_panic;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod vectors;
