//! Scans that come before their orders: taken in, listed, taken in hand, and made part of an order or set aside. It types nothing and
//! decides no right.
//!
//! An order is filed with a scan in steps that a crash may fall between: the book notes which order the scan is going into; the
//! order is filed; the image is recorded with it; the book notes that the scan is filed. Each step repeats without harm, and
//! [`Scans::complete`] goes on where a crash stopped: so no scan is lost, and none becomes part of two orders.

// A module uses only modules declared below it.
#[cfg(test)]
mod examples;
pub(crate) mod folder;
mod filing;
mod desk;
mod book;
mod holds;
mod paper;

pub(crate) use book::BookFailed;
pub(crate) use desk::Scans;
