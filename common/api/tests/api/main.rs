//! The interfaces as a whole: a real server on loopback, real certificates, and both faces asked the same.

#[cfg(test)]
mod conversion;
#[cfg(test)]
mod document;
#[cfg(test)]
mod life;
#[cfg(test)]
mod door;
#[cfg(test)]
mod faces;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod house;
