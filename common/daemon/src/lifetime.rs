//! The lifetime of a daemon: the threads it has, the port it opens, the signal that ends it, and what it tells about its start.

use std::num::NonZeroUsize;
use std::path::Path;

use ccpor_registry::Opening;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The runtime of a program: a thread for each core, and two at least, since one may wait for the disk. With more of them a thread that has
/// its answer from the disk waits until another one's time slice is over, and those of a quiet program wake each other.
///
/// # Errors
/// The system's, when it gives no threads.
pub fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.max(2))
        .enable_all()
        .build()
}

/// Why a port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenFailed {
    /// Another program has it.
    #[error(
        "{address} is in use by another program; stop that one, or choose another address with api.listen"
    )]
    InUse {
        /// The address.
        address: String,
    },
    /// Anything else.
    #[error("{address} cannot be listened on: {reason}")]
    Other {
        /// The address.
        address: String,
        /// The system's words.
        reason: std::io::Error,
    },
}

impl ListenFailed {
    /// For a port that was open and then cannot be asked for its address.
    #[must_use]
    pub fn from_io(reason: std::io::Error) -> Self {
        Self::Other {
            address: "the port for programs".into(),
            reason,
        }
    }
}

/// Opens a TCP port.
///
/// # Errors
/// [`ListenFailed`] in words for an operator.
pub async fn listen(address: &str) -> Result<TcpListener, ListenFailed> {
    TcpListener::bind(address)
        .await
        .map_err(|reason| match reason.kind() {
            std::io::ErrorKind::AddrInUse => ListenFailed::InUse {
                address: address.to_owned(),
            },
            _ => ListenFailed::Other {
                address: address.to_owned(),
                reason,
            },
        })
}

/// Waits for SIGTERM or SIGINT, or for another part to cancel `stop`; then cancels it.
pub async fn until_told(stop: &CancellationToken) {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            // Without the signal the program ends when it is killed, which it survives as well.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
        () = stop.cancelled() => {}
    }
    let _no_systemd = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    stop.cancel();
}

/// Tells the log how the index was found.
pub fn tell_opening(opening: &Opening) {
    if let Some(reason) = &opening.rebuilt {
        let set_aside = opening
            .set_aside
            .as_ref()
            .map(|path| path.display().to_string())
            .unwrap_or_default();
        tracing::warn!(
            %reason, set_aside, records = opening.applied_records,
            "the index was made anew from the ledgers; nothing was lost"
        );
    } else if opening.applied_records > 0 {
        tracing::info!(
            records = opening.applied_records,
            "records were read from the ledgers into the index"
        );
    }
}

/// Removes the index below `directory`, which the next start makes anew.
///
/// # Errors
/// The system's words when it cannot be removed.
pub fn remove_index(directory: &Path) -> Result<(), String> {
    let index = directory.join("index");
    match std::fs::remove_dir_all(&index) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{} could not be removed: {error}", index.display()))
        }
        _ => Ok(()),
    }
}
