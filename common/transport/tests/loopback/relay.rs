//! A machine in the middle that passes datagrams on, until it is dropped and nothing passes any more.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::realm::anywhere;

pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
    /// Kept open after the end of the tasks, so that senders notice nothing.
    _sockets: [Arc<UdpSocket>; 2],
}

impl Relay {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let near = Arc::new(UdpSocket::bind(anywhere()).await.unwrap());
        let far = Arc::new(UdpSocket::bind(anywhere()).await.unwrap());
        let (client_in, client) = tokio::sync::watch::channel(None);
        let address = near.local_addr().unwrap();
        let out = tokio::spawn({
            let (near, far) = (near.clone(), far.clone());
            async move {
                let mut bytes = [0; 65_536];
                while let Ok((length, from)) = near.recv_from(&mut bytes).await {
                    client_in.send_replace(Some(from));
                    let _ = far.send_to(&bytes[..length], to).await;
                }
            }
        });
        let back = tokio::spawn({
            let (near, far) = (near.clone(), far.clone());
            async move {
                let mut bytes = [0; 65_536];
                while let Ok((length, _)) = far.recv_from(&mut bytes).await {
                    let to = *client.borrow();
                    if let Some(to) = to {
                        let _ = near.send_to(&bytes[..length], to).await;
                    }
                }
            }
        });
        Self {
            address,
            tasks: [out, back],
            _sockets: [near, far],
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
