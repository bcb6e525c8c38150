//! A line to a sensor that is asked: a server, a device, a serial port. It is kept: what breaks off
//! or is not there is told, and tried again, each time a little later.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Telling;
use super::address::Address;
use super::serial::Port;
use super::sockets::{LONGEST, Listener, now, over};
use crate::capture::Datagram;

/// How long a server is waited for, and how long it is left alone at first and at most.
const CONNECT: Duration = Duration::from_secs(5);
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// A server that has lost its power says nothing: after so long without a byte it is probed, so often.
/// By Linux's nine tries it is given up after 37 s.
const PROBE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3));
/// A device that is asked and says nothing for so long is asked again: it may have been switched on.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How often a line's state is told at the most.
const TOLD: usize = 20;

/// A line that is open.
enum Line {
    Server(TcpStream),
    Device(UdpSocket),
    Port(Port),
}

impl Line {
    async fn open(address: &Address) -> io::Result<Self> {
        match address {
            Address::Serial { port, baud } => Port::open(port, *baud).map(Line::Port),
            Address::Ask(device) => {
                let any: SocketAddr = match device {
                    SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                    SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
                };
                let socket = UdpSocket::bind(any).await?;
                socket.connect(device).await?;
                Ok(Line::Device(socket))
            }
            Address::Tcp(server) => connect(*server).await.map(Line::Server),
            Address::Udp { .. } | Address::Stdin => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// What comes; nothing where it has ended.
    async fn hear(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Line::Server(stream) => stream.read(buffer).await,
            Line::Device(socket) => socket.recv(buffer).await,
            Line::Port(port) => port.read(buffer).await,
        }
    }

    async fn ask(&mut self, questions: &[Vec<u8>]) -> io::Result<()> {
        for question in questions {
            match self {
                Line::Server(stream) => stream.write_all(question).await?,
                Line::Device(socket) => drop(socket.send(question).await?),
                Line::Port(port) => port.write(question)?,
            }
        }
        Ok(())
    }
}

/// A connection that notices a server without power.
async fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let connected = timeout(CONNECT, TcpStream::connect(server)).await;
    let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let probe = TcpKeepalive::new().with_time(PROBE.0).with_interval(PROBE.1);
    SockRef::from(&stream).set_tcp_keepalive(&probe)?;
    Ok(stream)
}

/// Keeps a line until `closed` says so: what comes goes to the listener's edge.
pub(super) async fn keep(listener: Listener, telling: Telling, mut closed: watch::Receiver<bool>) {
    let mut pause = PAUSE.0;
    let mut state = State {
        listener: &listener,
        telling,
        said: None,
        times: 0,
    };
    while !*closed.borrow() {
        let opened = tokio::select! {
            opened = Line::open(&listener.address) => opened,
            () = over(&mut closed) => return,
        };
        let ended = match opened {
            Ok(line) => {
                state.tell(None);
                let heard = tokio::select! {
                    biased;
                    heard = listen(line, &listener, &mut pause) => heard,
                    () = over(&mut closed) => return,
                };
                let said = match heard {
                    Ok(()) => "it has closed the line".to_owned(),
                    Err(said) => format!("it has gone away, {said}"),
                };
                let detail = format!("{}: {said}, and is asked again", listener.address);
                listener.edge.lost(0, detail);
                said
            }
            Err(said) => format!("{said}{}", remedy(&listener.address, &said)),
        };
        state.tell(Some(ended));
        tokio::select! {
            () = sleep(pause) => pause = (2 * pause).min(PAUSE.1),
            () = over(&mut closed) => return,
        }
    }
}

/// Hears until the line ends; asks at first, and again in silence.
async fn listen(mut line: Line, listener: &Listener, pause: &mut Duration) -> io::Result<()> {
    let from = match listener.address {
        Address::Ask(at) | Address::Tcp(at) => at,
        _ => (Ipv4Addr::UNSPECIFIED, 0).into(),
    };
    let mut buffer = vec![0; LONGEST];
    line.ask(&listener.questions).await?;
    loop {
        let heard = match listener.questions.is_empty() {
            true => Ok(line.hear(&mut buffer).await),
            false => timeout(ASK_AGAIN, line.hear(&mut buffer)).await,
        };
        let length = match heard {
            Ok(Ok(0)) if !matches!(line, Line::Device(_)) => return Ok(()),
            Ok(length) => length?,
            Err(_) => {
                line.ask(&listener.questions).await?;
                continue;
            }
        };
        *pause = PAUSE.0;
        listener.edge.push(Datagram {
            received: now(),
            source: from,
            destination: from,
            payload: buffer[..length].to_vec(),
        });
    }
}

/// What was told of a line.
struct State<'a> {
    listener: &'a Listener,
    telling: Telling,
    said: Option<String>,
    times: usize,
}

impl State<'_> {
    /// Tells what is wrong with it, or that it is there again, if that is another than before.
    fn tell(&mut self, wrong: Option<String>) {
        if wrong == self.said || self.times >= TOLD {
            return;
        }
        self.times += 1;
        let Listener { name, address, .. } = self.listener;
        self.telling.tell(match &wrong {
            None => format!("sensor `{name}`: {address} is there again"),
            Some(said) => format!("sensor `{name}`: {address}: {said}: tried again"),
        });
        self.said = wrong;
    }
}

/// What may be done about it.
fn remedy(address: &Address, said: &io::Error) -> &'static str {
    match (address, said.kind()) {
        (Address::Serial { .. }, io::ErrorKind::NotFound) => {
            ": is it plugged in? `ls /dev/serial/by-id` names the ports that are there"
        }
        (Address::Serial { .. }, io::ErrorKind::PermissionDenied) => {
            ": ports belong to a group, mostly `dialout`: `usermod -aG dialout USER` and a new login"
        }
        (Address::Serial { .. }, io::ErrorKind::ResourceBusy) => {
            ": another program has it (`fuser` names it)"
        }
        (Address::Ask(_) | Address::Tcp(_), io::ErrorKind::ConnectionRefused) => {
            ": the host is there, and nothing listens at that port"
        }
        (Address::Ask(_) | Address::Tcp(_), io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable) => {
            ": is it switched on, and is this its address?"
        }
        _ => "",
    }
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
