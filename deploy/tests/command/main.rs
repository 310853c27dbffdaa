//! The program as a whole: the real binary, real certificates and a real line to a machine whose answers are known.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod writing;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod office;
