//! The one thread that hears: sockets on one side, edges on the other. A pipe and a sound card have threads of
//! their own.
//!
//! It never waits for a reader.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use beluga_types::{SensorId, Stamp};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::address::Address;
use super::edge::Edge;
use super::lost::Counter;
use super::sound::{self, Card};
use super::telling::Telling;
use super::{fragments, line, multicast};
use crate::capture::Datagram;
use crate::waves::Form;

/// The longest datagram.
pub(super) const LONGEST: usize = 65_536;
/// What a socket is asked to hold while this program is busy, in bytes: a quarter of a second of the
/// fastest lidar.
const BUFFER: usize = 8 << 20;
/// Less than this is said, in bytes: the usual 208 KiB hold eight packets of an OS-128.
const SMALL_BUFFER: usize = 2 << 20;
/// How often the system is asked what it has lost.
const ASK: Duration = Duration::from_secs(1);
/// How long a socket that says something is wrong is left alone.
const PAUSE: Duration = Duration::from_millis(100);

/// Who sends what comes by no network.
pub(crate) const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(0)), 0);
/// How long a server is waited for.
const CONNECT: Duration = Duration::from_secs(5);
/// A server that has lost its power says nothing: after so long without a byte it is probed, so often.
/// By Linux's nine tries it is given up after 37 s.
const PROBE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3));

/// A socket to one device, which hears nobody else.
pub(super) type Asking = UdpSocket;

/// A sensor's edge, where what it wants comes, and what it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) id: SensorId,
    pub(crate) name: String,
    pub(crate) questions: Vec<Vec<u8>>,
    pub(crate) address: Address,
    pub(crate) edge: Arc<Edge>,
    /// The samples that a sound card is asked for.
    pub(crate) form: Option<Form>,
}

impl Listener {
    /// Whether it listens to a multicast group.
    pub(crate) fn is_group(&self) -> bool {
        matches!(self.address, Address::Udp { at, .. } if at.ip().is_multicast())
    }
}

/// Sockets that are bound and hear nothing yet.
#[derive(Debug)]
pub(crate) struct Sockets {
    bound: Vec<(Address, std::net::UdpSocket)>,
    listeners: Vec<Listener>,
    cards: Vec<(Listener, Card)>,
}

impl Sockets {
    /// Binds a socket for each address that one or several sensors listen to; says what of it is not
    /// as it should be.
    ///
    /// # Errors
    /// What the system says, with who wanted to listen.
    pub(crate) fn bind(
        listeners: Vec<Listener>,
        notes: &mut Vec<String>,
    ) -> Result<Self, Box<(Listener, io::Error)>> {
        let mut bound: Vec<(Address, std::net::UdpSocket)> = Vec::new();
        for listener in &listeners {
            let address = &listener.address;
            if let Address::Udp { at, by } = address
                && bound.iter().all(|(other, _)| other != address)
            {
                let socket = udp(*at, *by, notes).map_err(|said| Box::new((listener.clone(), said)))?;
                bound.push((address.clone(), socket));
            }
        }
        let mut cards = Vec::new();
        for listener in &listeners {
            let card = sound::open(listener).map_err(|said| Box::new((listener.clone(), said)))?;
            cards.extend(card.map(|card| (listener.clone(), card)));
        }
        Ok(Self {
            bound,
            listeners,
            cards,
        })
    }

    /// Hears until `closed` says so; then takes what has come, and closes every edge.
    ///
    /// # Errors
    /// If the system gives no timer or takes a socket away.
    pub(crate) fn hear(self, telling: &Telling, mut closed: watch::Receiver<bool>) -> io::Result<()> {
        let edges: Vec<Arc<Edge>> = self.listeners.iter().map(|one| one.edge.clone()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let heard = runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for (address, socket) in self.bound {
                let route = Route::to(&address, &self.listeners);
                tasks.spawn(datagrams(UdpSocket::from_std(socket)?, route, closed.clone()));
            }
            for listener in &self.listeners {
                match listener.address {
                    Address::Udp { .. } | Address::Sound(_) => {}
                    Address::Stdin => pipe(listener.edge.clone())?,
                    Address::Ask(_) | Address::Tcp(_) | Address::Oculus { .. } | Address::Serial { .. } => {
                        let (telling, closed) = (telling.clone(), closed.clone());
                        tasks.spawn(line::keep(listener.clone(), telling, closed));
                    }
                }
            }
            for (listener, card) in self.cards {
                let (telling, closed) = (telling.clone(), closed.clone());
                tasks.spawn(sound::keep(listener, card, telling, closed));
            }
            tasks.spawn(fragments::watch(telling.clone(), closed.clone()));
            // A closer that is gone closes too.
            over(&mut closed).await;
            while tasks.join_next().await.is_some() {}
            Ok(())
        });
        edges.iter().for_each(|edge| edge.close());
        heard
    }
}

/// Waits for the end.
pub(super) async fn over(closed: &mut watch::Receiver<bool>) {
    let _ = closed.wait_for(|closed| *closed).await;
}

/// Who wants what comes to one socket.
struct Route {
    own: Vec<Arc<Edge>>,
    /// Sensors at other ports, which may want to look at it at the start.
    others: Vec<Arc<Edge>>,
    at: SocketAddr,
}

impl Route {
    fn to(address: &Address, listeners: &[Listener]) -> Self {
        let edges = |own: bool| {
            let wanted = listeners.iter().filter(|one| (one.address == *address) == own);
            wanted.map(|one| one.edge.clone()).collect()
        };
        let at = match address {
            Address::Udp { at, .. } | Address::Ask(at) | Address::Tcp(at) => *at,
            Address::Oculus { .. } | Address::Serial { .. } | Address::Sound(_) | Address::Stdin => NOBODY,
        };
        Self {
            own: edges(true),
            others: edges(false),
            at,
        }
    }

    fn give(&self, source: SocketAddr, payload: &[u8]) {
        let datagram = Datagram {
            received: now(),
            source,
            destination: self.at,
            payload: payload.to_vec(),
        };
        self.others.iter().for_each(|other| other.beside(&datagram));
        if let Some((last, first)) = self.own.split_last() {
            first.iter().for_each(|edge| edge.push(datagram.clone()));
            last.push(datagram);
        }
    }
}

/// What a socket hears.
async fn datagrams(socket: UdpSocket, route: Route, mut closed: watch::Receiver<bool>) {
    let mut buffer = vec![0; LONGEST];
    let mut lost = Counter::of(socket.as_fd());
    let mut ask = interval(ASK);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            heard = socket.recv_from(&mut buffer) => match heard {
                Ok((length, source)) => route.give(source, &buffer[..length]),
                // Of a datagram of ours that nobody took; none is sent, but a host may say so.
                Err(_) => sleep(PAUSE).await,
            },
            _ = ask.tick() => tell_lost(&mut lost, &route),
            _ = over(&mut closed) => break,
        }
    }
    // Asked of the system itself: the runtime knows of what has come only when it has looked.
    let socket = socket.into_std();
    while let Some((length, source)) = socket
        .as_ref()
        .ok()
        .and_then(|open| open.recv_from(&mut buffer).ok())
    {
        route.give(source, &buffer[..length]);
    }
    tell_lost(&mut lost, &route);
}

fn tell_lost(lost: &mut Counter, route: &Route) {
    let count = lost.since();
    if count > 0 {
        let detail = format!(
            "{count} datagram(s) to port {} lost by the system, whose buffer was full: `sysctl -w net.core.rmem_max={BUFFER}` gives more",
            route.at.port()
        );
        route.own.iter().for_each(|edge| edge.lost(count, detail.clone()));
    }
}

/// What is piped into this program, on a thread of its own that nobody waits for: a pipe that says
/// nothing cannot be left.
fn pipe(edge: Arc<Edge>) -> io::Result<()> {
    let work = move || {
        let mut buffer = vec![0; LONGEST];
        let mut input = io::stdin().lock();
        while let Ok(length @ 1..) = io::Read::read(&mut input, &mut buffer) {
            edge.push(Datagram {
                received: now(),
                source: NOBODY,
                destination: NOBODY,
                payload: buffer[..length].to_vec(),
            });
        }
        edge.close();
    };
    let started = std::thread::Builder::new().name("stdin".into()).spawn(work);
    started.map(drop)
}

/// A socket to a device.
pub(super) fn asking(device: SocketAddr) -> io::Result<Asking> {
    let socket = Socket::new(Domain::for_address(device), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.connect(&device.into())?;
    UdpSocket::from_std(socket.into())
}

/// A socket at an address of this host for what is sent to everybody: other programs may wait for the same.
pub(super) fn shared(at: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    socket.bind(&at.into())?;
    UdpSocket::from_std(socket.into())
}

/// A connection that notices a server without power.
pub(super) async fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let connected = timeout(CONNECT, TcpStream::connect(server)).await;
    let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let probe = TcpKeepalive::new().with_time(PROBE.0).with_interval(PROBE.1);
    SockRef::from(&stream).set_tcp_keepalive(&probe)?;
    Ok(stream)
}

/// A socket at an address of this host, or of a multicast group.
fn udp(at: SocketAddr, by: Option<IpAddr>, notes: &mut Vec<String>) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if at.ip().is_multicast() {
        // Others on this host may listen to the same group.
        socket.set_reuse_address(true)?;
    }
    socket.set_recv_buffer_size(BUFFER)?;
    let held = socket.recv_buffer_size()?;
    if held < SMALL_BUFFER {
        notes.push(format!(
            "udp://{at}: the system holds {} KiB while the program is busy, asked for {}: `sysctl -w net.core.rmem_max={BUFFER}` gives more",
            held >> 10,
            BUFFER >> 10
        ));
    }
    socket.bind(&at.into())?;
    if at.ip().is_multicast() {
        multicast::join(&socket, at.ip(), by)?;
    }
    Ok(socket.into())
}

/// The host's time. Before 1970 it is not set at all.
pub fn now() -> Stamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_power_is_noticed() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let stream = connect(server.local_addr().unwrap()).await.unwrap();
            let socket = SockRef::from(&stream);
            assert!(socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().unwrap(), PROBE.0);
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), PROBE.1);
        });
    }
}
